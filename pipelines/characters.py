"""Decodes text of unknown encoding and removes invisible characters."""

import codecs
import re
from itertools import islice

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Windows and Excel, old cash registers, old Macs; the first wins a draw. cp858 is cp850 with a euro sign.
_SINGLE_BYTE = ("cp1252", "cp858", "mac_roman")
_SMALL, _CAPITAL = "áéíóúüñ", "ÁÉÍÓÚÜÑ"
_OPENING = "¿¡"
_AFTER_OPENING = ("¿", "¡", '"', "«", "“", " ")
# First bytes of multi-byte letters in UTF-8.
_BEGIN_A_LETTER, _BEGIN_A_SPANISH_LETTER = range(0xC2, 0xF5), (0xC2, 0xC3)
# Signs that stand beside figures or words, never inside a word.
_SIGNS = "°ºª©®™«»“”‘’–—…•´·²³±×÷\u00a0"
_BY_FIGURES = "€£¢½¼¾"
_FRAMES = re.compile(r"[\u2500-\u259f]")
_KNOWN = re.compile(rf"[\x00-\x7f{_SMALL}{_CAPITAL}{_OPENING}{_SIGNS}{_BY_FIGURES}\u2500-\u259f]")
# In UTF-16, nearly every second byte of a European text is zero.
_MOST_ZEROS, _FEW_ZEROS = 0.7, 0.02
_FEW_CONTROLS = 0.01
# Shorter texts are too short for a share of known letters.
_SHORT = 16
_LEAST_ASCII, _LEAST_KNOWN = 0.15, 0.5
_BYTES_JUDGED, _LETTERS_JUDGED = 64 * 1024, 4000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")

# PDFium writes U+0002 for a hyphen at a line's end, older versions of it U+FFFE.
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[\x02\ufffe](?:[ \t]*\r?\n[ \t]*)?(?=[^\W\d_A-ZÁÉÍÓÚÜÑ])")
_BROKEN_CODE = re.compile(r"(?<=\w)[\x02\ufffe](?=\w)")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0e\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]|(?<=\w)\u200d(?=\w)"
)
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}


def decoded(content: bytes) -> str:
    """Decode by the byte order mark, else as UTF-16 or UTF-8 if valid, else by the likeliest Spanish letters."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    wide = _wide(content)
    if wide:
        return content.decode(wide, "replace")
    return _as_utf8(content) or content.decode(_single_byte(content), "replace")


def is_text(content: bytes, *, stray: bool = False) -> bool:
    """Say whether the first bytes of a file are text; `stray` allows for one control character in a hundred."""
    if not content.strip(b"\0 \t\r\n\f\x1a"):
        return False
    wide = any(content.startswith(mark) for mark, _ in _MARKS) or _wide(content)
    text = decoded(content).rstrip("\x1a")
    controls = sum(len(found) for found in _CONTROL.findall(text.replace("\x1b", "")))
    if controls > (len(text) * _FEW_CONTROLS if stray else 0):
        return False
    if wide or len(content) < _SHORT or _is_utf8(content):
        return True
    ascii_ = len(text.encode("ascii", "ignore"))
    return ascii_ >= len(text) * _LEAST_ASCII and len(_KNOWN.findall(text)) >= len(text) * _LEAST_KNOWN


def cleaned(text: str) -> str:
    """Remove invisible characters, join words that a line's end divided, and write ligatures as letters."""
    text = _BROKEN_CODE.sub("-", _BROKEN_WORD.sub("", text))
    return _SPACES.sub(" ", _UNSEEN.sub("", text)).translate(_LIGATURES)


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: one byte of each pair is zero nearly always, the other nearly never."""
    pairs = len(content) // 2
    if pairs < 2 or (len(content) % 2 and len(content) < _SHORT):  # noqa: PLR2004 -- one letter tells nothing
        return None
    first, second = (content[start : pairs * 2 : 2].count(0) / pairs for start in (0, 1))
    if second >= _MOST_ZEROS and first <= _FEW_ZEROS:
        return "utf-16-le"
    return "utf-16-be" if first >= _MOST_ZEROS and second <= _FEW_ZEROS else None


def _is_utf8(content: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(content: bytes) -> str | None:
    """Decode UTF-8 with a few wrong bytes as Windows-1252; a letter cut at the end is left out."""
    text = content.decode("utf-8", "surrogateescape")
    wrong = [found.start() for found in re.finditer("[\udc80-\udcff]", text)]
    right = sum(1 for _ in re.finditer("[^\x00-\x7f]", text)) - len(wrong)
    cut = 0
    while cut < len(wrong) and cut < 3 and wrong[-1 - cut] == len(text) - 1 - cut:  # noqa: PLR2004 -- of four bytes
        cut += 1
    # A text without another such letter may as well end in é as Windows writes it.
    if cut and ord(text[-cut]) - 0xDC00 in (_BEGIN_A_LETTER if right else _BEGIN_A_SPANISH_LETTER):
        text, wrong = text[:-cut], wrong[:-cut]
    if not wrong:
        return text
    if len(wrong) > right:
        return None
    return re.sub("[\udc80-\udcff]", lambda found: bytes([ord(found[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def _single_byte(content: bytes) -> str:
    judged = content[:_BYTES_JUDGED]
    return max(_SINGLE_BYTE, key=lambda encoding: _spanish(judged.decode(encoding, "replace")))


def _spanish(text: str) -> int:
    """Score how well letters beyond ASCII stand where Spanish has them."""
    beyond = islice(re.finditer(r"[^\x00-\x7f]", text), _LETTERS_JUDGED)
    return sum(_fits(text, found.start()) for found in beyond)


def _fits(text: str, place: int) -> int:
    letter, before, after = text[place], text[place - 1 : place], text[place + 1 : place + 2]
    if letter in _SMALL:
        begun = before.isupper() and not text[place - 2 : place - 1].isalpha()
        return -1 if after.isupper() else 3 if before.islower() or begun or after.islower() else 0
    if letter in _CAPITAL:
        # ÁHola is ¡Hola of another encoding.
        leans = after.isupper() and text[place + 2 : place + 3].islower() and not before.isupper()
        return -3 if before.islower() or leans else 3 if before.isupper() or after.isalpha() else -1
    if letter in _OPENING:
        return 3 if not before.isalnum() and (after.isalnum() or after in _AFTER_OPENING) else -2
    if letter in _BY_FIGURES:
        return 1 if re.search(r"\d", text[max(place - 2, 0) : place + 3]) else -1
    return _fits_as_a_sign(letter, before, after)


def _fits_as_a_sign(letter: str, before: str, after: str) -> int:
    inside = before.isalpha() and after.isalpha()
    if letter in _SIGNS:
        return -2 if inside and letter not in "’·" else 1
    if _FRAMES.match(letter):
        return 1 if _FRAMES.match(before) or _FRAMES.match(after) else -2 if inside else 0
    if letter.isalpha():
        return -2 if letter == before or (letter.isupper() and before.islower()) else 0
    return -10 if _CONTROL.match(letter) or letter == "\ufffd" else -3
