"""`python -m bench.abuse`: the worst known inputs, each against real processes, in one table.

Arguments choose inputs by a part of their names. The table is printed, and nothing passes or fails.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.abuse.company import AttackedCompany, open_company
from bench.abuse.inputs import INPUTS, Send
from bot.infra import logs
from sandbox.meta.simulator import Person

_PATIENCE = 90.0
_PROMPT_SECONDS = 20.0
_PROMPT = '{{ 1 | round(20000000, "ceil") }}'


@dataclass
class AttackRow:
    name: str
    stall: str = ""
    memory: str = ""
    reads: str = ""
    next: str = ""
    kept: str = ""


def new_person(number: int) -> Person:
    return Person(phone=f"52155100{number:05}", bsuid=f"MX.5510000000{number:06}", name=f"P{number}")


async def main() -> None:
    logs.configure("error", "console")
    chosen = [entry for entry in INPUTS if not sys.argv[1:] or any(part in entry[0] for part in sys.argv[1:])]
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        async with open_company(Path(folder)) as company:
            for number, (name, send, owed) in enumerate(chosen):
                rows.append(await measure(company, name, send, owed, number))
                print(_line(rows[-1]), flush=True)
    rows.append(await prompt_file())
    print(_line(rows[-1]))
    print(f"\nPython {sys.version.split()[0]}, {psutil.cpu_count()} cores, load {psutil.getloadavg()[0]:.0f}\n")
    print("| input | loop held, s: worker, serve | peak MB: worker, with its processes, OCR; serve "
          "| its customer reads | the next customer waits, s | kept on disk, MB |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.name} | {row.stall} | {row.memory} | {row.reads} | {row.next} | {row.kept} |")


async def measure(company: AttackedCompany, name: str, send: Send, owed: int, number: int) -> AttackRow:
    """Send the input, let another person write immediately, and wait until both are answered."""
    attacker, customer = new_person(2 * number), new_person(2 * number + 1)
    # Freed memory is returned slowly, and the last input's memory must not count for this input.
    await asyncio.sleep(2)
    company.serve.reset()
    company.worker.reset()
    before = company.kept_bytes
    sending = asyncio.ensure_future(send(company, attacker))
    await asyncio.sleep(1.5)
    waited = await _seconds_until_answer(company, customer)
    await sending
    reads = await _read_answers(company, attacker, owed)
    worker, serve = company.worker.peaks, company.serve.peaks
    return AttackRow(
        name,
        stall=f"{company.worker.longest_stall.value:.2f}, {company.serve.longest_stall.value:.2f}",
        memory=f"{worker.alone:.0f}, {worker.together:.0f}, {worker.ocr:.0f}; {serve.together:.0f}",
        reads=reads,
        next=waited,
        kept=f"{(company.kept_bytes - before) / 1e6:.0f}",
    )


async def _seconds_until_answer(company: AttackedCompany, customer: Person) -> str:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE):
            await company.meta.writes(customer, {"type": "text", "text": {"body": "hola, ¿a qué hora abren?"}})
            await company.meta.replies(customer, within=_PATIENCE)
    except TimeoutError:
        return f"over {_PATIENCE:.0f}"
    return f"{time.perf_counter() - began:.1f}"


async def _read_answers(company: AttackedCompany, attacker: Person, owed: int) -> str:
    """The answers of the turn: all that arrive until none has arrived for a while."""
    if not owed:
        return "-"
    began = time.perf_counter()
    try:
        await company.meta.replies(attacker, owed, within=_PATIENCE)
        seen = 0
        while seen < len(company.meta.sent_to(attacker)) or _only_announced(company, attacker):
            seen = len(company.meta.sent_to(attacker))
            if time.perf_counter() - began > _PATIENCE:
                break
            await asyncio.sleep(3)
    except TimeoutError:
        return f"nothing in {_PATIENCE:.0f} s"
    texts = " / ".join(sent.text.replace("\n", " ").replace("|", "/") for sent in company.meta.sent_to(attacker))
    return texts if len(texts) <= 160 else f"{texts[:160]}… ({len(texts)} characters)"


def _only_announced(company: AttackedCompany, attacker: Person) -> bool:
    return company.meta.sent_to(attacker)[-1].text.startswith("Sigo con tu mensaje")


async def prompt_file() -> AttackRow:
    """`recado prompts check` of a folder with a bomb in it."""
    with tempfile.TemporaryDirectory() as folder:
        _write_prompts(Path(folder))
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "prompts", "check"),
            env=os.environ | {"PROMPTS_DIR": folder},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), _PROMPT_SECONDS)
            told = out.decode().strip().splitlines()[0].replace(folder, "").replace("|", "/")
        except TimeoutError:
            process.kill()
            await process.wait()
            told = f"nothing in {_PROMPT_SECONDS:.0f} s"
    row = AttackRow("C: a prompt file with round(20000000, …)", reads=f"the operator: {told}")
    row.next = f"{time.perf_counter() - began:.1f}"
    return row


def _write_prompts(folder: Path) -> None:
    (folder / "assistant.md").write_text(_PROMPT)
    (folder / "summary.md").write_text("Resume.\n")
    (folder / "_business.md").write_text("---\nname: T\nhours:\n  monday: 9:00-19:00\n---\nHola.\n")


def _line(row: AttackRow) -> str:
    return (
        f"{row.name}: held {row.stall} s; {row.memory} MB; reads {row.reads!r}; next {row.next} s; kept {row.kept} MB"
    )


if __name__ == "__main__":
    asyncio.run(main())
