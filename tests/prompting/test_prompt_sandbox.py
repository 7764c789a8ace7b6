"""The language of prompts can't be left: known ways out of Jinja's sandbox, and known ways to make it run for ever."""

from __future__ import annotations

import time

import pytest

from bot.prompting.sandbox import Language
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
]


@pytest.mark.parametrize("text", ESCAPES)
def test_a_way_out_is_refused_before_it_is_released(folder: Folder, text: str) -> None:
    checked = folder(assistant=f"Uno\n{text}\n")
    assert checked.prompts is None
    assert {one.line for one in checked.errors} == {2}


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_what_would_run_or_grow_without_end_is_refused_soon(folder: Folder, text: str) -> None:
    began = time.process_time()
    assert folder(assistant=text).prompts is None
    assert time.process_time() - began < 5


def test_a_dot_reads_fields_and_nothing_of_python() -> None:
    language = Language()
    language.add("a", language.read("{{ thing.name }}"))
    assert language.run("a", {"thing": {"name": "x"}}) == "x"
    for text in ("{{ thing.keys is defined }}", "{{ thing.secret is defined }}", "{{ thing['keys'] is defined }}"):
        language.add("b", language.read(text))
        assert language.run("b", {"thing": {"name": "x"}}) == "False"

    class Thing:
        secret = "x"

    assert language.run("b", {"thing": Thing()}) == "False"
