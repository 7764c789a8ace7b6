"""Marks that models write for machines: reasoning, calls as text, tokens of chat templates. People get words alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

# An opened one hides all up to its end; without an end, all that follows.
_REASONING = (
    "think|thinking|thoughts?|reasoning|reflection|scratchpad|inner_monologue|inner_thoughts?|internal_thoughts?"
)
_CALLS = "tool_calls?|function_calls?|tool_responses?|tool_results?|tool_outputs?|function|invoke"
# English words that a text may hold as a placeholder: marks only where both ends are there.
_PAIRED = ("analysis", "answer", "response", "final", "final_answer")
# A model names itself so in the header of its own message.
_OWN_ROLES = ("assistant", "model", "chatbot")
_ENDS = frozenset({
    "im_end", "eot_id", "eom_id", "end", "return", "call", "endoftext", "end_of_text", "end_of_turn", "end_of_sentence",
    "end_of_turn_token", "eot", "eom", "eos", "/s", "turn", "im_sep_end", "end_of_utterance", "eod", "eop",
})  # fmt: skip

_MARK = re.compile(
    r"(?P<fence>```)"
    r"|(?P<code>`[^`\n]+`|[\"'“‘«]<[^<>\n\"'”’»]{1,40}>[\"'”’»]|<s>[^<>\n]{1,200}</s>(?=[^\w\n<]{0,20}\w))"
    rf"|<(?P<slash>/?)(?:[\w-]{{1,20}}:|｜DSML｜)?(?P<tag>{_REASONING}|{_CALLS}|{'|'.join(_PAIRED)})(?:[\s=][^<>\n]{{0,200}})?>"
    r"|(?:\[|◁)(?P<bracket>/?(?:THINK|think|INST|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|gMASK))(?:\]|▷)"
    r"|<\|channel\|>\s?(?P<channel>\w{0,40})(?:[^<\n]{0,200}(?:<\|constrain\|>[^<\n]{0,40})?<\|message\|>)?"
    r"|<\|start_header_id\|>\s?(?P<header>\w{0,40})[^<\n]{0,40}<\|end_header_id\|>"
    r"|<(?:\|im_start\||\|start\||start_of_turn|\|turn)>(?P<role>\w{0,40})"
    r"|<[|｜](?P<token>[^<>|｜\n]{1,64})[|｜]>"
    r"|<(?:\|(?P<opened>channel|think|tool_call|tool_response)|(?P<closed>channel|think|tool_call|tool_response|turn)\|)>"
    r"|<(?P<plain>/?s|bos|eos|pad|unk|sop|eop|eod|end_of_turn|end_of_utterance|unused\d{1,4}|ctrl\d{1,4})>"
    r"|<<(?P<system>/?SYS)>>"
    r"|(?P<human>\n\nHuman:)"
    r"|(?P<cited>【[^【】\n]{0,60}†[^【】\n]{0,60}】|\ue200[^\ue200\ue201\n]{0,200}\ue201)",
    re.IGNORECASE,
)
# Languages that Gemini gives to a fence around what it would like to run.
_FOR_MACHINES = ("tool_code", "tool_call", "tool_calls", "tool_output", "tool_outputs")
_TAG_OF_REASONING = re.compile(rf"<(/?)(?:{_REASONING})>", re.IGNORECASE)
# gpt-oss behind a server that drops its tokens and keeps the names of its channels.
_ANALYSIS, _FINAL = "analysis", "assistantfinal"
_SELF = re.compile(
    r"(?:(?:assistant|model)[ \t]*\n+|(?:assistant|### ?(?:assistant|response))[ \t]*:)\s*", re.IGNORECASE
)
_CALL_KEYS = frozenset({"name", "tool", "function", "arguments", "parameters", "type", "id"})


def words_of(text: str) -> str:
    """An answer as people may read it; nothing where it holds no words. Code that shows a mark keeps it."""
    text = text.strip()
    if text.startswith(_ANALYSIS) and _FINAL in text:
        text = text.rpartition(_FINAL)[2]
    words = unmarked(text)
    own = _SELF.match(words)
    words = words[own.end() :] if own else words
    return "" if _only_for_machines(words) else words


def unmarked(text: str) -> str:
    """A text without marks and what they enclose."""
    reader = _Reader(text)
    reader.read()
    return "".join(reader.words).strip()


@dataclass(slots=True)
class _Reader:
    """A pass over a text. `until` names the end of what is hidden: `reasoning`, `section`, a call's tag, `rest`."""

    text: str
    words: list[str] = field(default_factory=list)
    until: str = ""
    over: bool = False
    paired: frozenset[str] = frozenset()

    def read(self) -> None:
        lowered, position = self.text.lower(), 0
        self.paired = frozenset(name for name in _PAIRED if f"</{name}>" in lowered)
        while not self.over and (found := _MARK.search(self.text, position)):
            self._say(self.text[position : found.start()])
            position = self._verbatim(found) if found["fence"] or found["code"] else found.end()
            if position == found.end():
                self._handle(found)
        if not self.over:
            self._say(self.text[position:])

    def _say(self, words: str) -> None:
        if self.until or not (words if self.words else words.strip()):
            return
        # A mark that stood between two spaces leaves one.
        self.words.append(words.lstrip(" ") if self.words and self.words[-1].endswith((" ", "\n")) else words)

    def _verbatim(self, found: re.Match[str]) -> int:
        """Say code as it is; return the position behind what was read."""
        start = found.start()
        end = self.text.find("```", found.end()) + 3 if found["fence"] else found.end()
        if self.until or end < found.end():
            self._say(self.text[start : start + 1])
            return start + 1
        inside = self.text[found.end() : end - 3] if found["fence"] else ""
        slashes = [tag[1] for tag in _TAG_OF_REASONING.finditer(inside)]
        if slashes.count("/") > slashes.count(""):
            # Reasoning whose beginning the template wrote may hold half of a block of code.
            self._say(self.text[start : start + 1])
            return start + 1
        if inside.partition("\n")[0].strip().lower() not in _FOR_MACHINES:
            self._say(self.text[start:end])
        return end

    def _handle(self, found: re.Match[str]) -> None:
        kind, name = found.lastgroup or "", ""
        match kind:
            case "tag":
                self._tag(found["tag"].lower(), closes=bool(found["slash"]))
            case "bracket":
                self._bracket(found["bracket"].lower())
            case "channel":
                self._hide("" if found["channel"].lower() == "final" else "section")
            case "header" | "role":
                self._role(found[kind].lower())
            case "opened" | "closed":
                name = found[kind]
                self._token(name if name == "turn" else f"{'' if kind == 'opened' else '/'}{name}")
            case "token" | "plain":
                self._token(found[kind].lower().replace("▁", "_").strip())
            case "system":
                self._hide("" if found["system"].startswith("/") else "section")
            case "human":
                self._end()
            case _:
                pass

    def _tag(self, name: str, *, closes: bool) -> None:
        reasoning = re.fullmatch(_REASONING, name) is not None or name == _ANALYSIS
        if name in _PAIRED and name not in self.paired:
            self._say(f"<{name}>")
        elif name in _PAIRED and name != _ANALYSIS:
            return
        elif reasoning:
            self._reasoning(closes=closes)
        elif not closes:
            self._hide(self.until or name)
        elif self.until == name:
            self.until = ""

    def _reasoning(self, *, closes: bool) -> None:
        if not closes:
            self._hide(self.until or "reasoning")
            return
        if self.until != "reasoning":
            # The chat template wrote the beginning: all before this end was thought.
            self.words.clear()
        self.until = ""

    def _bracket(self, name: str) -> None:
        if name.endswith("think"):
            self._reasoning(closes=name.startswith("/"))
        elif name == "inst":
            self._role("user")
        elif name in ("/inst", "/tool_results", "/available_tools"):
            self.until = ""
        elif name != "gmask":
            self._hide("rest")

    def _token(self, name: str) -> None:
        if name in _ENDS:
            self._end()
        elif re.fullmatch(r"(?:user|assistant|system|observation|tool|chatbot)(?:_token)?", name):
            self._role(name.removesuffix("_token"))
        elif re.fullmatch(r"think(?:ing)?|begin_of_thought|start_thinking|channel", name):
            self._reasoning(closes=False)
        elif re.fullmatch(r"/think(?:ing)?|end_of_thought|end_thinking|/channel", name):
            self._reasoning(closes=True)
        elif re.fullmatch(r"/tool\w*|tool\w*_end|end_action", name):
            self.until = "" if self.until == "tool" else self.until
        elif re.fullmatch(r"tool\w*|start_action|python_tag", name):
            self._hide(self.until or "tool")

    def _role(self, role: str) -> None:
        """Another message begins: its own first words are the answer, those of others never."""
        self._end()
        self.until = "" if role in _OWN_ROLES or not role else "section"

    def _end(self) -> None:
        """An end ends an answer that has words; one that has none yet may still come."""
        self.over = bool(self.words)
        if self.until == "section":
            self.until = ""

    def _hide(self, until: str) -> None:
        self.until = until


def _only_for_machines(words: str) -> bool:
    """True if the text is only a call written as text, or a block of code with nothing but marks."""
    inside = words
    if words.startswith("```") and words.endswith("```") and words.count("```") == 2:  # noqa: PLR2004 - its two ends
        inside = words[3:-3].partition("\n")[2]
        if inside.strip() and not unmarked(inside):
            return True
    if not inside.lstrip().startswith(("{", "[{", "functools[")):
        return False
    try:
        value = json.loads(inside.strip().removeprefix("functools"))
    except (ValueError, RecursionError):
        return False
    return all(map(_is_call, value if isinstance(value, list) else [value]))


def _is_call(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= _CALL_KEYS
        and bool(value.keys() & {"arguments", "parameters"})
        and bool(value.keys() & {"name", "tool", "function"})
    )
