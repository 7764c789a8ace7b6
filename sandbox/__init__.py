"""A company in a box: simulators of the outside services, and a phone in the browser."""
