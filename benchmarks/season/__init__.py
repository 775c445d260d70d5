"""Does anything beat retraining by the calendar? Whole years of data replayed night by night, policy by policy."""
