"""The worst inputs of a single customer, and their cost for everybody else."""
