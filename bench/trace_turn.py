"""Show one turn of a running sandbox: its stations, its requests to models, its tools, and its Redis commands.

python -m bench.trace_turn "¿A qué hora abren?" --port 8080
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
from redis.asyncio import Redis

ANA = "MX.8801234567890123"
_LONGEST_SECONDS = 60
_KEYS = re.compile(r"(?:recado|bull):\S+")
_CONVERSATION = re.compile(r"\{c_[0-9a-f]{20}\}")
# Questions that every worker repeats while nothing happens.
_IDLE = re.compile(r"stalled|recado:\{paused\}|recado:metrics|recado:resend|ZRANGEBYSCORE recado:open|marker")


async def trace(text: str, page: str, redis: Redis, *, inner: bool) -> None:
    commands: list[dict[str, Any]] = []
    async with aiohttp.ClientSession() as http, redis.monitor() as monitor:
        watching = asyncio.create_task(_watch(monitor, commands))
        async with http.get(f"{page}/events") as events:
            message = {"person": ANA, "message": {"type": "text", "text": {"body": text}}}
            async with http.post(f"{page}/messages", json=message, headers={"Origin": page.rpartition("/")[0]}) as sent:
                sent.raise_for_status()
                wamid = (await sent.json())["wamid"]
            turn = await asyncio.wait_for(_closed(events, wamid), _LONGEST_SECONDS)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    _print_turn(turn)
    shown = [command for command in commands if inner or command["client_type"] != "lua"]
    _print_commands([command for command in shown if not _IDLE.search(command["command"])])


async def _watch(monitor: Any, commands: list[dict[str, Any]]) -> None:
    while True:
        commands.append(await monitor.next_command())


async def _closed(events: aiohttp.ClientResponse, wamid: str) -> dict[str, Any]:
    """The event of the turn that has ended with this message."""
    while line := await events.content.readline():
        if line.startswith(b"data: "):
            event: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
            if event.get("type") == "turn" and wamid in event["messages"] and event["state"] == "closed":
                return event
    raise RuntimeError("the sandbox closed its events before the turn ended")


def _print_turn(turn: dict[str, Any]) -> None:
    print(f"turn {turn['turn']} of {turn['conversation']}: {turn['outcome']}, {turn['cost_usd']} USD")
    for station in turn["stations"]:
        print(f"  {station['station']:<12}{station['ms']:>8.1f} ms")
    for request in turn["requests"]:
        tokens = f"{request['prompt_tokens']} + {request['completion_tokens']} tokens"
        print(f"model {request['asked']}: {request['outcome']}, {request['ms']:.0f} ms, {tokens}")
    for tool in turn["tools"]:
        print(f"tool {tool['name']}({json.dumps(tool['arguments'])}): {tool['outcome']}, {tool['ms']:.0f} ms")
    for part in turn["reply"]:
        print(f"reply {part[:80]!r}")


def _print_commands(commands: list[dict[str, Any]]) -> None:
    """A line for each command, with its keys alone; a command that a script calls is indented."""
    print(f"{len(commands)} Redis commands")
    for command in commands:
        name = command["command"].split(" ", 1)[0]
        inner = "    " if command["client_type"] == "lua" else "  "
        late = (float(command["time"]) - float(commands[0]["time"])) * 1000
        keys = [_CONVERSATION.sub("{c}", key) for key in _KEYS.findall(command["command"])]
        print(f"{late:>8.1f} ms{inner}{name} {' '.join(keys[:3])}")


def _redis_port(log: Path) -> int:
    """The port that the sandbox's Redis took last, as its log tells."""
    return int(re.findall(r"Running mode=standalone, port=(\d+)", log.read_text())[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text")
    parser.add_argument("--port", type=int, default=8080, help="the port of the sandbox")
    parser.add_argument("--data", type=Path, default=Path("data/sandbox"), help="its --data")
    parser.add_argument("--inner", action="store_true", help="commands that scripts call, too")
    asked = parser.parse_args()
    port = _redis_port(asked.data / "redis" / "redis.log")

    async def run() -> None:
        async with Redis(port=port, decode_responses=True) as redis:
            await trace(asked.text, f"http://127.0.0.1:{asked.port}/sandbox", redis, inner=asked.inner)

    asyncio.run(run())


if __name__ == "__main__":
    main()
