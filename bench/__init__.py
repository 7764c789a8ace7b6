"""Measurements side by side in one run, because only ratios to a baseline are comparable between machines."""
