"""`python -m bench [--peers] [--json]`: acknowledgements, turns, crowds, memory, start and profile, in one run."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

import psutil

from bench import peers, prompts, rows
from bot.cli.progress import progress


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="also what others need for the same turns")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON, too")
    asked = parser.parse_args()
    table: list[rows.Row] = []
    with progress("measuring", 4) as done:
        for part in (rows.acknowledgements, rows.turns, rows.crowds):
            table += await part()
            done()
        trips, heaviest = await rows.profile()
        done()
    table += [*trips, *prompts.measured()]
    if asked.peers:
        table += await peers.measured()
    width = max(len(name) for name, _, _ in table)
    print(f"Python {sys.version.split()[0]}, {psutil.cpu_count()} cores")
    for name, value, aim in table:
        print(f"{name.ljust(width)}  {value.rjust(7)}  {aim}")
    print("\nHeaviest functions of a worker under load, by their own time")
    print("\n".join(heaviest))
    if asked.json:
        print(json.dumps(table))


if __name__ == "__main__":
    asyncio.run(main())
