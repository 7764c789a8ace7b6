"""An identity provider on Node, for logins with the company's accounts."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.chaos.node import install, program
from tests.paths import ROOT

_FOLDER = ROOT / "tests" / "web" / "console" / "oidc_provider"


@dataclass(frozen=True)
class CompanyProvider:
    """The process; `ask("start")` makes it anew and gives its address and Recado's credentials, see provider.js."""

    process: subprocess.Popen[bytes]

    async def ask(self, do: str, **arguments: Any) -> Any:
        answer = json.loads(await asyncio.to_thread(self._asked, json.dumps({"do": do} | arguments)))
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["answer"]

    def _asked(self, line: str) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@contextmanager
def company_provider(redirect_uri: str) -> Iterator[CompanyProvider]:
    """Start the process, which serves tests of any event loop."""
    install(_FOLDER)
    command, _ = program()
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, str(_FOLDER / "provider.js"), redirect_uri], stdin=pipe, stdout=pipe) as process:
        yield CompanyProvider(process)
