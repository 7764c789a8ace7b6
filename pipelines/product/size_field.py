"""Finds the size of the card: the content on the label, compared across units."""

from __future__ import annotations

from typing import NamedTuple

from pipelines.product.card import Doubt, DoubtKind, Field
from pipelines.product.evidence import NOTHING, Evidence, Findings
from pipelines.product.layout import Piece
from pipelines.product.size_parsing import Size, sizes

_SURE, _AGREED, _AMBIGUOUS = 0.93, 0.97, 0.5
_WELL_READ = 0.9
_METRIC = {"g", "ml"}


class _Stated(NamedTuple):
    size: Size
    piece: Piece


def size_of(evidence: Evidence) -> Findings:
    """Find the content: the net one first, then one that several photos show, then the largest type."""
    stated = [_Stated(size, piece) for piece in evidence.pieces for size in sizes(piece.text)]
    if not stated:
        return NOTHING
    totals: dict[object, list[_Stated]] = {}
    for statement in stated:
        totals.setdefault(statement.size.total, []).append(statement)
    groups = sorted(totals.values(), key=_rank, reverse=True)
    best, *rest = groups
    chosen = max(best, key=lambda statement: (statement.size.pack > 1, statement.piece.confidence))
    rivals = [group[0] for group in rest if _rivals(group, best, chosen)]
    agreed = len({statement.piece.photo for statement in best}) > 1
    read = chosen.piece.confidence
    confidence = _AGREED if agreed else _SURE if read >= _WELL_READ else read * _WELL_READ
    if rivals:
        confidence = _AMBIGUOUS
    field = Field(str(chosen.size), confidence, chosen.piece.photo, chosen.piece.box)
    if not rivals:
        return Findings({"size": field})
    others = tuple(Field(str(rival.size), _AMBIGUOUS, rival.piece.photo, rival.piece.box) for rival in rivals)
    return Findings({"size": field}, (Doubt(DoubtKind.SEVERAL, "size", (field, *others)),))


def _rank(group: list[_Stated]) -> tuple[bool, int, bool, bool, float]:
    return (
        any(statement.size.net for statement in group),
        len({statement.piece.photo for statement in group}),
        any(statement.size.pack > 1 for statement in group),
        group[0].size.total[1] in _METRIC,
        max(statement.piece.tall for statement in group),
    )


def _rivals(group: list[_Stated], best: list[_Stated], chosen: _Stated) -> bool:
    """Say whether another content of the same measure is as prominent, and so may be the right one."""
    same_measure = group[0].size.total[1] == chosen.size.total[1]
    net = any(statement.size.net for statement in best) and not any(statement.size.net for statement in group)
    smaller = max(statement.piece.tall for statement in group) * 1.5 < max(statement.piece.tall for statement in best)
    piece_of_pack = any(statement.size.amount == chosen.size.amount for statement in group) and chosen.size.pack > 1
    return same_measure and not net and not smaller and not piece_of_pack
