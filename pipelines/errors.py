"""Reasons why a file can't be read; the bot has a sentence for each."""

from enum import StrEnum


class FileProblem(StrEnum):
    """Fault of a file, as far as its sender can do something about it."""

    BOMB = "bomb"
    DAMAGED = "damaged"
    EMPTY = "empty"
    ENCRYPTED = "encrypted"
    NOT_AN_IMAGE = "not_an_image"
    NOT_AUDIO = "not_audio"
    SILENT = "silent"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    TOO_SLOW = "too_slow"
    UNINTELLIGIBLE = "unintelligible"
    UNREADABLE_FORMAT = "unreadable_format"


class FileRefused(Exception):
    """A file that no second try would read; the message is for logs and holds nothing of the content."""

    def __init__(self, reason: FileProblem, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason

    def __reduce__(self) -> tuple[type["FileRefused"], tuple[FileProblem, str]]:
        """Let a refusal cross from a process of its own: exceptions are pickled by their arguments."""
        return FileRefused, (self.reason, str(self).partition(": ")[2])
