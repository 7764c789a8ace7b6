"""The files of the console's page: foreign code unchanged, both languages complete, nothing written as markup."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import get_args

from bot.agent.tools.catalog import TABLE
from bot.messages.inbound import Content
from bot.messages.outbound import Part
from bot.web.console.pages import FOLDER
from tests.rows import each

_VENDOR = FOLDER / "vendor"
_OURS = sorted(path for path in FOLDER.rglob("*.js") if path.parent.name not in {"vendor", "texts"})
_KEY = re.compile(r'\b([a-z]\w*): "')
_USED = re.compile(r'\bt\((?:[\w.!?]+ \? )?"(\w+)"(?: : "(\w+)")?')
# Before the login, the page loads texts of its own.
_BEFORE_LOGIN = {"company_login.js", "login.js", "login_words.js", "password.js"}


def _texts(language: str) -> set[str]:
    return set(_KEY.findall((FOLDER / "texts" / f"{language}.js").read_text(encoding="utf-8")))


@each("entry", json.loads((_VENDOR / "vendor.json").read_text()), ids=lambda entry: entry["file"])
def test_a_vendored_file_is_as_its_package_has_it(entry: dict[str, str]) -> None:
    assert hashlib.sha256((_VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (_VENDOR / entry["licence_text"]).stat().st_size > 500


def test_every_vendored_file_is_listed() -> None:
    listed = {entry["file"] for entry in json.loads((_VENDOR / "vendor.json").read_text())}
    assert {path.name for path in _VENDOR.iterdir() if path.suffix in (".js", ".css")} == listed


def test_both_languages_have_the_same_texts() -> None:
    assert _texts("es") == _texts("en")


def test_every_text_that_the_page_shows_is_there() -> None:
    used = {
        key
        for path in _OURS
        if path.name not in _BEFORE_LOGIN
        for keys in _USED.findall(path.read_text())
        for key in keys
    }
    assert used - {""} - _texts("es") == set()


def test_every_kind_of_message_and_every_tool_has_a_name() -> None:
    contents, parts = get_args(get_args(Content)[0]), get_args(get_args(Part)[0])
    kinds = {content.model_fields["kind"].default for content in (*contents, *parts)}
    # The first three change another message or its conversation; the page shows the others as `video` and `sticker`.
    names = {f"kind_{kind}" for kind in kinds - {"edit", "revoke", "given_back", "sent_video", "sent_sticker"}}
    names |= {f"tool_{row.tool.name}" for row in TABLE}
    assert names - _texts("es") == set()


@each("path", _OURS, ids=lambda path: path.name)
def test_a_module_is_small_and_writes_no_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("// ")
    assert len(text.splitlines()) <= 300
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(", text
    )


def test_the_page_asks_for_all_of_its_modules_at_once() -> None:
    asked = re.findall(r'modulepreload" href="/console/static/([^"]+)"', (FOLDER / "index.html").read_text("utf-8"))
    after_login = {path for path in _OURS if path.name not in _BEFORE_LOGIN | {"main.js", "worker.js"}}
    ours = {path.relative_to(FOLDER).as_posix() for path in after_login}
    vendored = {f"vendor/{path.name}" for path in _VENDOR.glob("*.js")} - {"vendor/uplot.js"}
    assert set(asked) == ours | vendored | {"texts/en.js", "texts/es.js"}
