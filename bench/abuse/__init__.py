"""The worst that one customer can send, and what it costs everybody else."""
