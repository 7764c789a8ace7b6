"""A free TCP port for a server of ours that can't choose one itself."""

from __future__ import annotations

import random
import socket

# Outgoing connections get ports from 32768 (Linux) or 49152 (macOS) upwards, so a lower one stays free for the server.
# https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html
_PORTS = range(15_000, 32_000)
_TRIES = 100


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of `host` without a listener; raises OSError if none was found or `host` isn't ours."""
    error = OSError(f"no free port on {host}")
    for port in random.sample(_PORTS, _TRIES):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as taken:
                error = taken
            else:
                return port
    raise error


def require_port(host: str, port: int) -> None:
    """Raise OSError if another program listens there."""
    family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
