"""Side-by-side measurements, in one run: ratios against a floor, never absolutes."""
