"""Fingerprints of a turn: what it was sent, and what a model's answers depend on.

A change that the fingerprint leaves out keeps a recording proven: a line of the prompt about tools that the turn
neither calls nor names, the description of such a tool, the wrapping of lines.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from typing import Any

from bot.agent.loop import ToolResult
from bot.agent.tool import Tool
from bot.agent.tools.catalog import TABLE
from bot.ai.chat import Instructions, ModelRequest
from bot.ai.chat_completions import message
from evals.cases import FILE_KINDS, Case, CaseTurn, Expected
from evals.expectations import named

HANDOFF_TOOL = "talk_to_a_person"
_ALL_TOOLS = frozenset(row.tool.name for row in TABLE)
_ACTING_TOOLS = frozenset(row.tool.name for row in TABLE if row.tool.acts)
_QUOTED = re.compile(r"`(\w+)`")
# A heading, a list's item or an empty line begins a new block; other lines go on with the one before.
_BLOCK_START = re.compile(r"\s*(?:#|[-*+] |\d+[.)] |$)")
# Because these are new in each run, they say nothing about a change.
_VOLATILE = re.compile(r"https?://\S+|\b[a-z]{2,6}_[A-Za-z0-9_]{8,}\b|\b[A-Z0-9]{6,}-\d{4}\b")


def sent_fingerprint(case: Case, turn: CaseTurn) -> str:
    """Hash of the message of a turn, its file's bytes included, and of the role of its writer."""
    sent = [case.role, turn.kind, turn.sent, turn.caption]
    if turn.kind in FILE_KINDS and isinstance(turn.sent, str):
        sent.append(hashlib.sha256(case.file(turn.sent).read_bytes()).hexdigest())
    return hashed(json.dumps(sent, ensure_ascii=False, sort_keys=True))


def concerned_tools(expected: Expected, called: Iterable[ToolResult]) -> frozenset[str]:
    """Names of the tools that a turn called, or that its expectations are about."""
    names = {tool.name for tool in called} | {named(call)[0] for call in expected.calls} | set(expected.not_calls)
    names |= _ACTING_TOOLS if expected.refuses is not None else set()
    return frozenset(names | ({HANDOFF_TOOL} if expected.hands_over is not None else set()))


def asked_fingerprint(
    question: ModelRequest, offered: Iterable[Tool[Any]], concerned: Collection[str], called: Iterable[ToolResult]
) -> str:
    """Hash of all that a model's answers depend on, but for the settings' models and the pictures' bytes."""
    asked = {
        "messages": [
            _concerning(line.text, concerned) if isinstance(line, Instructions) else message(line, sees=False)
            for line in question.lines
        ],
        "tools": [
            (tool.name, tool.offer.description, tool.offer.parameters) for tool in offered if tool.name in concerned
        ],
        "results": [(call.name, call.outcome, _VOLATILE.sub("…", call.result)) for call in called],
        "model": [question.models, question.temperature, question.max_tokens],
    }
    return hashed(json.dumps(asked, ensure_ascii=False, sort_keys=True))


def _concerning(text: str, concerned: Collection[str]) -> str:
    """Instructions without the blocks that are only about other tools, with one blank between words."""
    return "\n".join(block for block in _blocks(text) if not _is_about_others(block, concerned))


def _is_about_others(block: str, concerned: Collection[str]) -> bool:
    tools = _ALL_TOOLS.intersection(_QUOTED.findall(block))
    return bool(tools) and tools.isdisjoint(concerned)


def _blocks(text: str) -> list[str]:
    blocks: list[list[str]] = []
    for line in text.splitlines():
        if not blocks or _BLOCK_START.match(line):
            blocks.append([])
        blocks[-1] += line.split()
    return [" ".join(words) for words in blocks if words]


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
