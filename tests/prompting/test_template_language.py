"""Safety of the template language: known escapes from Jinja's sandbox, and known endless templates."""

from __future__ import annotations

import pytest

from bot.prompting.template_language import TemplateLanguage
from tests.prompting.conftest import Folder

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ now.__class__ }}",
    "{{ now['__class__'] }}",
    "{{ now['__cla' ~ 'ss__'] }}",
    "{{ business['__class__'] }}",
    "{{ business.__init__.__globals__ }}",
    "{{ business.keys }}",
    "{{ business.items() }}",
    "{{ business | attr('__class__') }}",
    "{{ now | attr('__class__') }}",
    "{{ [now] | map(attribute='__class__') | list }}",
    "{{ '%s' | format(now) }}",
    "{{ '{0.__class__}'.format(now) }}",
    "{{ '{0.__class__}'.format_map(business) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__ }}",
    "{{ namespace.__init__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ range.__self__ }}",
    "{{ dict.__base__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ environment }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{% for a in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for a in [1] %}{{ loop._iterable }}{% endfor %}",
    "{% for a in [1] %}{{ loop['__init__'] }}{% endfor %}",
    "{% for a in [1] %}{{ loop.cycle('a') }}{% endfor %}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set a = ''.__class__ %}{{ a }}",
    "{% macro a() %}{{ caller }}{% endmacro %}{{ a() }}",
    "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
    "{% import '_business.md' as b %}{{ b.__class__ }}",
    "{% from '_business.md' import x %}",
    "{% extends '_business.md' %}",
    "{% block a %}{% endblock %}",
    "{% with a = 1 %}{% endwith %}",
    "{% call a() %}{% endcall %}",
    "{% filter upper %}a{% endfilter %}",
    "{% include '../../etc/passwd' %}",
    "{% include '/etc/passwd' %}",
    "{% include '..\\\\settings.py' %}",
    "{% include now %}",
    "{% include ['_business.md', '/etc/passwd'] %}",
    "{% include '/etc/passwd' ignore missing %}",
    "{{ now[0:2] }}",
    "{{ now | tojson }}",
    "{{ now | safe }}",
    "{{ now is callable }}",
    "{{ now is filter }}",
]
BOMBS = [
    "{{ 'a' * 10 ** 10 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ range(10 ** 9) | list }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ 'a' | indent(1000000000) }}",
    "{{ 'a' | wordwrap(1) }}",
    "{% for a in summary %}{% for b in summary %}{% for c in summary %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in summary %}{% for b in summary %}{{ summary }}{% endfor %}{% endfor %}",
    "{% for a in summary if a == 'z' %}{% endfor %}",
    "{{ summary" + " | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 20 + " }}",
    "{{ summary | list | join(summary) }}",
    "{{ " + " ~ ".join(["summary"] * 200) + " }}",
    "{% if "
    + " ~ ".join(["summary"] * 2000)
    + " %}{% endif %}{% for a in summary %}{% for b in summary %}{% endfor %}{% endfor %}",
    '{{ 1 | round(20000000, "ceil") }}',
    "{{ 1 | round(-20000000, 'floor') }}",
    "{{ 1.5 | round(precision=99999999) }}",
    "{{ '" + "9" * 4000 + "' | int | round(400, 'ceil') }}",
    "{{ " + "9" * 4000 + " }}",
    "{{ " + " + ".join(["9" * 15] * 9) + " | round(15, 'ceil') }}",
    "{{ ('" + "f" * 20_000 + "' | int(base=16)) + 1 }}{{ 'a' * 99 }}",
    # Lists of ten lists of ten lists …, and texts that double.
    "".join(
        f"{{% for {b} in [[{', '.join([a] * 10)}]] %}}" for a, b in zip("nbcdefghi", "bcdefghij", strict=True)
    ).replace("[[n,", "[[now,")
    + "{{ j }}"
    + "{% endfor %}" * 9,
    "".join(f"{{% for {b} in [({a}, {a}, {a}, {a})] %}}" for a, b in zip("1bcdefghi", "bcdefghij", strict=True))
    + "{% if j == [j] %}{% endif %}{{ [j, j, j, j, j] | string | length }}"
    + "{% endfor %}" * 9,
    "".join(f"{{% for {b} in [{a} ~ {a}] %}}" for a, b in zip("1bcdefghijklmnop", "bcdefghijklmnopq", strict=True))
    + "{% for r in [q ~ q ~ q ~ q ~ q] %}{{ r | length }}{% endfor %}"
    + "{% endfor %}" * 16,
    "".join(
        f"{{% for {b} in [{a} + {a}] %}}" for a, b in zip("1bcdefghijklmnop", "bcdefghijklmnopq", strict=True)
    ).replace("[1 + 1]", "['ab' + 'ab']")
    + "{% for r in [q + q + q + q] %}{{ r | length }}{% endfor %}"
    + "{% endfor %}" * 16,
    "{% for a in [{'x': [" + ", ".join(["summary"] * 400) + "]}] %}{{ a }}{% endfor %}",
    "{{ [" + ", ".join(["summary"] * 3000) + "] | string | length }}",
    "{{ summary" + " | list | string" * 30 + " | length }}",
    "{{ summary ~ summary" + " | list | unique | sort | reverse | join(summary)" * 9 + " | length }}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "not " * 9000 + "1 }}",
    "{{ " + "-" * 9000 + "1 }}",
    "{{ now" + ".a" * 4900 + " }}",
    "{% if now %}" * 900 + "{% endif %}" * 900,
    "{{ unknown }}" * 4000,
    "{{ now }}" * 7000,
    "{# " * 20_000,
    "{{" * 30_000,
    "{% include '_business.md' %}" * 2000 + "{{ 'a' * 9 }}",
]
# The front matter, and what is written below it.
HEADS = [
    ("inputs:\n- name: x\n  kind: any\n  default: &a [1, 2]\n- name: y\n  kind: any\n  default: *a", "{{ x }}{{ y }}"),
    (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + "\ninputs:\n- name: x\n  kind: any\n  default: *i",
        "{{ x }}",
    ),
    ("metadata: &m\n  owner: a\nmodel: *m", "a"),
    ("base: &b {a: 1}\nmetadata:\n  <<: *b", "a"),
    ("inputs:\n- name: x\n  kind: any\n  default: " + "[" * 900 + "]" * 900, "{{ x }}"),
    ("inputs:\n- name: x\n  kind: any\n  default: " + "{a: " * 200 + "1" + "}" * 200, "{{ x }}"),
    ("inputs:\n- name: x\n  kind: any\n  default: !!int '" + "9" * 4000 + "'", "{{ x }}"),
    ("inputs:\n- name: x\n  default: !!python/object/apply:os.system [id]", "{{ x }}"),
    ("inputs:\n" + "- {name: x}\n" * 4000, "{{ x }}"),
    ("inputs:\n- name: x\n  default: '" + "${file:_business.md}" * 3000 + "'", "{{ x | list | join(x) }}"),
    ("inputs:\n- name: x\n  default: '" + "${file:" * 9000 + "'", "{{ x }}{{ 'a' * 9 }}"),
]


# YAML's own reader would make numbers of these.
DIGITS = ["9" * 4000, "0x" + "f" * 50_000, "59:" * 20_000 + "59", "1e999999999"]


@pytest.mark.parametrize("digits", DIGITS, ids=range(len(DIGITS)))
def test_digits_without_end_stay_a_text(folder: Folder, digits: str) -> None:
    checked = folder(assistant=f"---\ninputs:\n- name: x\n  kind: any\n  default: {digits}\n---\n{{{{ x }}}}\n")
    assert checked.prompts is not None


@pytest.mark.parametrize("text", ESCAPES)
def test_a_way_out_is_refused_before_it_is_released(folder: Folder, text: str) -> None:
    checked = folder(assistant=f"Uno\n{text}\n")
    assert checked.prompts is None
    assert {error.line for error in checked.errors} == {2}


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_what_would_run_or_grow_without_end_is_refused_soon(folder: Folder, text: str) -> None:
    assert folder(assistant=text).prompts is None


@pytest.mark.parametrize(("head", "body"), HEADS, ids=range(len(HEADS)))
def test_a_front_matter_that_would_grow_without_end_is_refused_soon(folder: Folder, head: str, body: str) -> None:
    checked = folder(assistant=f"---\n{head}\n---\n{body}\n")
    assert checked.prompts is None
    assert all(error.file.endswith("assistant.md") and error.line >= 1 and error.message for error in checked.errors)


@pytest.mark.parametrize(
    "inner",
    [
        "{% include '_NEXT.md' %}{% include '_NEXT.md' %}",
        "{% for NAME in [1] %}{% include '_NEXT.md' %}{% endfor %}{% include '_NEXT.md' %}",
    ],
    ids=["twice", "also in a loop"],
)
@pytest.mark.parametrize(
    "last", ["{% if false %}x{% endif %}", "x", "{{ unknown }}"], ids=["silent", "a word", "unknown"]
)
def test_files_that_include_each_other_twice_do_not_double_the_work(folder: Folder, inner: str, last: str) -> None:
    files = {
        f"_f{number}": inner.replace("NEXT", f"f{number + 1}").replace("NAME", f"n{number}") for number in range(40)
    }
    checked = folder(assistant="{% include '_f0.md' %}", _f40=last, **files)
    assert checked.prompts is None


def test_a_circle_behind_many_other_mistakes_is_refused_soon(folder: Folder) -> None:
    unknown = "".join(f"{{% include '_x{number}.md' %}}" for number in range(200))
    wrong = {f"_a{number}": unknown for number in range(5)}
    checked = folder(**wrong, _z="{% include '_z.md' %}")
    assert checked.prompts is None
    assert "circular-include" not in {error.code for error in checked.errors}


def test_files_that_all_include_each_other_are_refused_soon(folder: Folder) -> None:
    names = [f"_f{number}" for number in range(40)]
    everything = "".join(f"{{% include '{name}.md' %}}" for name in names)
    checked = folder(**dict.fromkeys(names, everything))
    assert {error.code for error in checked.errors} == {"circular-include"}
    assert len(checked.errors) <= 100


def test_files_that_are_too_large_together_are_refused_by_their_size(folder: Folder) -> None:
    checked = folder(**{f"f{number}": "a" * 60_000 for number in range(20)})
    assert [error.code for error in checked.errors if error.code == "too-large"]
    assert checked.prompts is None


def test_what_prompts_do_as_a_rule_is_allowed() -> None:
    language = TemplateLanguage()
    text = (
        "{% for a, b in [('x', 1), ('y', 2)] %}{{ a ~ b }}{% endfor %}{{ 2.345 | round(2) }} {{ '12' | int + 1 }} "
        "{{ [1, 2] + [3] }} {{ {'a': 1}['a'] }} {{ 7 - 2 }} {{ 'a' in ['a', 'b'] }} {{ -1 | round(1, 'ceil') }}"
    )
    language.add("a", language.read(text))
    assert language.run("a", {}) == "x1y22.35 13 [1, 2, 3] 1 5 True -1.0"


def test_a_dot_reads_fields_and_nothing_of_python() -> None:
    language = TemplateLanguage()
    language.add("a", language.read("{{ thing.name }}"))
    assert language.run("a", {"thing": {"name": "x"}}) == "x"
    for text in ("{{ thing.keys is defined }}", "{{ thing.secret is defined }}", "{{ thing['keys'] is defined }}"):
        language.add("b", language.read(text))
        assert language.run("b", {"thing": {"name": "x"}}) == "False"

    class Thing:
        secret = "x"

    assert language.run("b", {"thing": Thing()}) == "False"
