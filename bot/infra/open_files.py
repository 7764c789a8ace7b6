"""The limit of open files: raised to what the system allows, because each connection is a file."""

from __future__ import annotations

import sys

_ENOUGH = 65_536
# macOS says "unlimited" and refuses more than this (OPEN_MAX in its sys/syslimits.h).
_MACOS = 10_240
_UNKNOWN = 1024


def file_limit() -> int:
    """Limit of open files of this process."""
    if sys.platform == "win32":
        return _UNKNOWN
    import resource  # noqa: PLC0415 - not made for Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH if soft == resource.RLIM_INFINITY else soft


def raise_file_limit() -> int:
    """Raise the limit as far as the system allows and helps; return the new limit."""
    if sys.platform == "win32":
        return _UNKNOWN
    import resource  # noqa: PLC0415 - as above

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    for wanted in (allowed, min(allowed, _MACOS)):
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):
            continue
        break
    return file_limit()
