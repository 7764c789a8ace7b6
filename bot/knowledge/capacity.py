"""Numbers of passages that a worker holds in memory, or PostgreSQL for it."""

from __future__ import annotations

# A worker answers within 20 ms from so many.
MOST_IN_MEMORY = 50_000
# Without pgvector a worker holds more than that all the same, up to here.
MOST_WITHOUT_PGVECTOR = 100_000
MOST_PASSAGES = 1_000_000
# Measured by `python -m bench.knowledge.many`.
_KILOBYTES_A_PASSAGE = 20
_PASSAGES_A_MILLISECOND = 4_000


def most_passages(why_not: str | None) -> int:
    """The number beyond which documents are left out; `why_not` is the reason against PostgreSQL with pgvector."""
    return MOST_WITHOUT_PGVECTOR if why_not else MOST_PASSAGES


def capacity_words(passages: int, why_not: str | None, most_in_memory: int = MOST_IN_MEMORY) -> str | None:
    """Words about the search in so many passages and its cost; None for as many as are usual."""
    if passages <= most_in_memory:
        return None
    if why_not is None:
        return (
            f"{passages} passages: more than {most_in_memory}, so that PostgreSQL holds them and each question asks it"
        )
    megabytes = passages * _KILOBYTES_A_PASSAGE // 1000
    milliseconds = max(passages // _PASSAGES_A_MILLISECOND, 1)
    return (
        f"{passages} passages: each worker holds them in about {megabytes} MB and takes about {milliseconds} ms a "
        f"question, because {why_not}; PostgreSQL with pgvector 0.8 would hold them from {most_in_memory} on"
    )
