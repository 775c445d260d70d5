"""Frozen values that flow between stages: what was found, measured, decided."""
