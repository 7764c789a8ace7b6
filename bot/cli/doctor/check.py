"""Result of a check, and the request that most checks make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import aiohttp

SECONDS = 15


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`absent`: not configured, which is allowed; `wrong`: configured and not working."""

    integration: str
    state: Literal["ok", "absent", "wrong"]
    words: str

    @property
    def wrong(self) -> bool:
        return self.state == "wrong"


async def request_problem(  # noqa: PLR0913 - one request has these parts
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    token: str,
    *,
    data: aiohttp.FormData | None = None,
    expected: tuple[int, ...] = (200,),
) -> str | None:
    """Problem of an address and its key; None when the answer is as expected."""
    try:
        async with http.request(method, url, headers={"Authorization": f"Bearer {token}"}, data=data) as response:
            if response.content_type == "text/html":
                return f"HTTP {response.status} with a web page, not the API"
            return None if response.status in expected else f"HTTP {response.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no connection ({type(error).__name__})"
    except ValueError:
        # Because aiohttp refuses a key together with a password in the address, we name the mistake and quote neither.
        return "no request can be made of its address and key; the address may hold no user name or password"
