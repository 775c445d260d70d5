"""The verbs: what happens to a model at night. Each reads, calls something pure, writes once, reports."""
