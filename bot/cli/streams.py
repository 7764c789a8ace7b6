"""Standard streams: a reader who leaves early, as `head` does, is no error, and a sign that can't be shown neither."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from bot.cli.words import say, system_reason

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_OUT, _ERR = 1, 2


class _OpenEnded(io.FileIO):
    """Descriptor that drops what nobody reads any more, and notes why else it can't be written."""

    problem: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            pass
        except OSError as error:
            # Because Python would fail again at the exit, the end of the command tells it instead.
            self.problem = error
        return memoryview(data).nbytes


@contextmanager
def whole_output() -> Iterator[None]:
    """Let a command go on to its own exit code when the reader of its output has left.

    Exit 1, with a line, when the output can't be written for another reason, such as a full disk.
    """
    out, sys.stdout = _open_ended(sys.stdout, _OUT)
    _, sys.stderr = _open_ended(sys.stderr, _ERR)
    try:
        yield
    finally:
        sys.stdout.flush()
        if out is not None and out.problem is not None:
            sys.stderr.write(say("output not written", why=system_reason(out.problem)) + "\n")
            raise SystemExit(1) from out.problem


def _open_ended(stream: TextIO | None, number: int) -> tuple[_OpenEnded | None, TextIO]:
    """The stream's descriptor, and a stream on it that outlives its reader. A terminal, which nobody leaves, stays."""
    if stream is None:
        return None, open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open as long as the process
    if not isinstance(stream, io.TextIOWrapper):
        return None, stream
    if stream.isatty():
        stream.reconfigure(errors="replace")
        return None, stream
    stream.flush()
    raw, is_error = _OpenEnded(stream.fileno(), "wb", closefd=False), number == _ERR
    errors = "backslashreplace" if is_error else "replace"
    return raw, io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, errors, line_buffering=is_error)
