"""A company in a box: imitations of the outside world, and a phone in the browser."""
