"""Decisions that look over several nights: when to page, when to retrain, when to go back."""
