"""Result of a check, and the request that most checks make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

from bot.cli.doctor.words import Said, said

SECONDS = 15


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`absent`: not configured, which is allowed; `wrong`: configured and not working. `said` is in both languages."""

    integration: str
    state: Literal["ok", "absent", "wrong"]
    said: Said

    @property
    def words(self) -> str:
        """The words in English, as scripts read them."""
        return self.said["en"]

    def as_json(self) -> dict[str, Any]:
        return {"integration": self.integration, "state": self.state, "words": self.words}

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
) -> Said | None:
    """Problem of an address and its key; None when the answer is as expected."""
    try:
        async with http.request(method, url, headers={"Authorization": f"Bearer {token}"}, data=data) as response:
            if response.content_type == "text/html":
                return said("a page", status=response.status)
            return None if response.status in expected else said("status", status=response.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        return said("no connection", error=type(error).__name__)
    except ValueError:
        # Because aiohttp refuses a key together with a password in the address, we name the mistake and quote neither.
        return said("no request")
