"""An identity provider on Node, for logins with the company's accounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.chaos.node import Node, install, program
from tests.paths import ROOT

_FOLDER = ROOT / "tests" / "web" / "console" / "oidc_provider"


@asynccontextmanager
async def company_provider(redirect_uri: str) -> AsyncIterator[Node]:
    """The process; `ask("start")` gives its address and Recado's credentials, see provider.js."""
    await asyncio.to_thread(install, _FOLDER)
    command, _ = program()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, str(_FOLDER / "provider.js"), redirect_uri, stdin=pipe, stdout=pipe
    )
    try:
        yield Node(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
