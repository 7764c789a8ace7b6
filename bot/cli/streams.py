"""Standard streams: a reader who leaves early, as `head` does, is no error, and a sign that can't be shown neither."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _OpenEnded(io.FileIO):
    """Descriptor that drops what nobody reads any more."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def keep_closed_pipes_quiet() -> None:
    """Let the command go on to its own exit code when the reader of its output has left."""
    sys.stdout, sys.stderr = _open_ended(sys.stdout), _open_ended(sys.stderr)


def _open_ended(stream: TextIO) -> TextIO:
    # Because a terminal isn't left, and a closed descriptor has no stream, both stay as they are.
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if stream.isatty():
        stream.reconfigure(errors="replace")
        return stream
    stream.flush()
    raw = _OpenEnded(stream.fileno(), "wb", closefd=False)
    is_error = stream is sys.stderr
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "backslashreplace" if is_error else "replace",
                            line_buffering=is_error)  # fmt: skip
