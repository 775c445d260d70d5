"""The record of decisions and the outbox of alerts: what was decided, when, why, and who was told."""
