"""Numbers of passages that a worker holds in memory, or PostgreSQL for it."""

from __future__ import annotations

# With this many passages a worker's search takes 20 ms.
MOST_IN_MEMORY = 50_000
# Without pgvector a worker's memory holds up to this many, and its searches take longer.
MOST_WITHOUT_PGVECTOR = 100_000
MOST_PASSAGES = 1_000_000
# Measured by `python -m bench.knowledge.many`.
_KILOBYTES_A_PASSAGE = 20
_PASSAGES_A_MILLISECOND = 4_000


def most_passages(why_not: str | None) -> int:
    """The most passages of a set; `why_not` is the reason why PostgreSQL can't hold more, None if it can."""
    return MOST_WITHOUT_PGVECTOR if why_not else MOST_PASSAGES


def capacity_words(passages: int, why_not: str | None, most_in_memory: int = MOST_IN_MEMORY) -> str | None:
    """A sentence about the cost of a search in a large set; None for a set of ordinary size."""
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
