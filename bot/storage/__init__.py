"""Where files are kept: one door, whatever stands behind it."""
