"""Where data are worked on: DuckDB, one thread a task, with expressions that never are pasted together."""
