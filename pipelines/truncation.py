"""Limits texts from outside: a longer text is cut, with a note, before anything scans it."""

# The longest message that WhatsApp's apps let a person write.
LONGEST_TEXT = 65_536
# No label, tag or page has longer lines or more of them; a printed page has some 5,000 letters.
LONGEST_LINE = 300
MOST_LINES = 500
LONGEST_PRINT = 20_000
# Meta's ids have at most some 200 characters.
LONGEST_ID = 512


def truncated(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text, or its beginning with a note of the cut; a second call changes nothing."""
    if len(text) <= longest:
        return text
    note = f"… [cut here, of {len(text)} characters]"
    return text[: longest - len(note)] + note
