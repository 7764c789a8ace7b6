"""Name of a release, made of the content of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def name_of(texts: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits of the hash of all files."""
    whole = json.dumps(sorted(texts.items()), ensure_ascii=False)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:12]
