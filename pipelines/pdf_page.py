"""Reads a page of a PDF: text in order, form entries and notes, and whether it is a picture."""

import ctypes
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

from pipelines.characters import cleaned

_Rectangle = tuple[float, float, float, float]
# A photo beside a text covers less than half a page; a few letters on a scan are a stamp or an earlier reading.
_HALF, _LETTERS_OF_A_STAMP = 0.5, 150
# A picture of fewer pixels is a background colour.
_PIXELS_OF_A_PICTURE = 1000
_MOST_OBJECTS, _MOST_ANNOTATIONS, _MOST_LINES = 5000, 500, 500
_LONGEST_ENTRY = 1000
# Lines are in order unless this share of them stands above the one before.
_UPWARDS = 0.8
_HIDDEN, _NO_VIEW, _PASSWORD = 1 << 1, 1 << 5, 1 << 13
_CHECKED = ("", "yes", "on", "true", "1", "sí", "si")


def text_of(page: Any, textpage: Any) -> str:
    """Printed text of a page in order; a page that was written from its foot upwards is reversed."""
    boxes = [textpage.get_rect(number) for number in range(min(textpage.count_rects(), _MOST_LINES))]
    if len(boxes) < _MOST_LINES and _is_upright(boxes):
        # Because PDFium ends no lines on a page that lies on its side, we find them by their boxes.
        return "\n".join(_on_its_side(textpage, boxes))
    lines = cleaned(textpage.get_text_bounded()).replace("\r\n", "\n").strip().split("\n")
    if not page.get_rotation() and _is_upside_down(boxes):
        lines.reverse()
    return "\n".join(lines)


def is_picture(page: Any, textpage: Any) -> bool:
    """Say whether a page is a picture, such as a scan, with a few letters on it at most."""
    left, bottom, right, top = page.get_bbox()
    whole = max((right - left) * (top - bottom), 1.0)
    boxes = []
    for found in _pictures(page):
        x, y, far, high = (max(found[0], left), max(found[1], bottom), min(found[2], right), min(found[3], top))
        if x < far and y < high:
            boxes.append((x, y, far, high))
    if sum((far - x) * (high - y) for x, y, far, high in boxes) < whole * _HALF:
        return False
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    on_it = textpage.get_text_bounded(min(lefts), min(bottoms), max(rights), max(tops))
    return len(on_it.strip()) < _LETTERS_OF_A_STAMP


def entries_of(page: Any) -> Iterator[str]:
    """Yield form entries as `name: value`, and the words of annotations."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415 -- only in the process of its own

    for number in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            if pdfium.FPDFAnnot_GetFlags(annotation) & (_HIDDEN | _NO_VIEW):
                continue
            if pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_WIDGET:
                words = _entry(pdfium, page.formenv, annotation) if page.formenv else ""
            else:
                words = _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents")
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
        if words:
            yield words


def _is_upside_down(boxes: Sequence[_Rectangle]) -> bool:
    steps = [after[1] - before[1] for before, after in pairwise(boxes)]
    steps = [step for step in steps if abs(step) > 1]
    return len(steps) > 1 and sum(step > 0 for step in steps) >= len(steps) * _UPWARDS


def _is_upright(boxes: Sequence[_Rectangle]) -> bool:
    """Whether most lines run up or down the page."""
    return sum(top - bottom > 2 * (right - left) for left, bottom, right, top in boxes) * 2 > len(boxes)


def _on_its_side(textpage: Any, boxes: Sequence[_Rectangle]) -> Iterator[str]:
    """Yield the lines of a page on its side: boxes that overlap across are one line."""
    lines: list[list[_Rectangle]] = []
    for box in boxes:
        if lines and box[0] < lines[-1][-1][2] and lines[-1][-1][0] < box[2]:
            lines[-1].append(box)
        else:
            lines.append([box])
    for line in lines:
        words = (cleaned(textpage.get_text_bounded(*box)) for box in line)
        yield " ".join(" ".join(words).split())


def _pictures(page: Any) -> Iterator[_Rectangle]:
    """Yield the boxes of pictures on a page, also of those within forms."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415 -- as above

    for found in islice(page.get_objects(), _MOST_OBJECTS):
        if found.type != pdfium.FPDF_PAGEOBJ_IMAGE:
            continue
        width, height = found.get_px_size()
        if width * height >= _PIXELS_OF_A_PICTURE:
            box, around = found.get_bounds(), found.container
            while around is not None:
                box, around = around.get_matrix().on_rect(*box), around.container
            yield box


def _entry(pdfium: Any, form: Any, field: Any) -> str:
    kind, flags = (
        read(form, field) for read in (pdfium.FPDFAnnot_GetFormFieldType, pdfium.FPDFAnnot_GetFormFieldFlags)
    )
    value = _string(pdfium.FPDFAnnot_GetFormFieldValue, form, field)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        if not pdfium.FPDFAnnot_IsChecked(form, field):
            return ""
        value = "✓" if value.lower() in _CHECKED else value
    elif kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        chosen = [
            _string(pdfium.FPDFAnnot_GetOptionLabel, form, field, number)
            for number in range(min(pdfium.FPDFAnnot_GetOptionCount(form, field), _MOST_LINES))
            if pdfium.FPDFAnnot_IsOptionSelected(form, field, number)
        ]
        value = ", ".join(chosen) or value
    elif kind != pdfium.FPDF_FORMFIELD_TEXTFIELD or flags & _PASSWORD:
        return ""
    name = _string(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, field)
    name = name or _string(pdfium.FPDFAnnot_GetFormFieldName, form, field).rpartition(".")[2].partition("[")[0]
    return f"{name}: {value}" if value and name else value


def _string(read: Any, *of: Any) -> str:
    """Read a string of PDFium: its size first, then its UTF-16."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415 -- as above

    size = read(*of, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    read(*of, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    text = buffer.raw[: min(size, _LONGEST_ENTRY * 2)].decode("utf-16-le", "ignore")
    return " ".join(cleaned(text).split())
