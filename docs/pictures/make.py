# ruff: noqa: INP001, ASYNC110 - a script of its own; Chromium tells nobody when a page has drawn

"""The pictures of docs/operators.*.md, anew: real commands, the sandbox's real page, drawn by Chromium.

python docs/pictures/make.py
"""

from __future__ import annotations

import asyncio
import base64
import html
import io
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from PIL import Image

from bot.infra import logs
from bot.settings import Settings
from sandbox.app import open_company

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LARGEST = 80 * 1000
ANA = "5215512345678"
_COLOURS, _PAGE_WIDTH, _WAIT_SECONDS = 96, 1100, 20
_TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body{margin:0;background:#10201a;width:860px}
pre{margin:0;padding:16px 20px;color:#dbe8e1;font:13.5px/1.45 "DejaVu Sans Mono",monospace;white-space:pre-wrap;
overflow-wrap:anywhere}
b{color:#6fd6ab}i{color:#8fa89c;font-style:normal}
</style>"""


@dataclass
class Browser:
    """One page of a Chromium, by its DevTools protocol."""

    socket: aiohttp.ClientWebSocketResponse
    count: int = 0

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.count += 1
        await self.socket.send_json({"id": self.count, "method": method, "params": parameters})
        while (heard := await self.socket.receive_json()).get("id") != self.count:
            pass
        if "error" in heard:
            raise RuntimeError(f"{method}: {heard['error']['message']}")
        return dict(heard["result"])

    async def run(self, script: str) -> Any:
        found = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return found["result"].get("value")

    async def until(self, script: str) -> None:
        async with asyncio.timeout(_WAIT_SECONDS):
            while not await self.run(script):
                await asyncio.sleep(0.05)

    async def look(self, name: str, width: int, height: int | None = None) -> None:
        """Keep what is seen, down to `height` or to the end of the page."""
        height = height or int(await self.run("Math.ceil(document.body.getBoundingClientRect().height)"))
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = await self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        made = io.BytesIO()
        picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
        if made.tell() > LARGEST:
            raise RuntimeError(f"{name} has {made.tell()} bytes; show less of it")
        (HERE / name).write_bytes(made.getvalue())

    async def size(self, width: int, height: int, *, dark: bool = False) -> None:
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.ask("Emulation.setDeviceMetricsOverride", **shape)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])


@dataclass
class Terminal:
    """Commands of an operator and what they print, as it is."""

    browser: Browser
    environment: dict[str, str]
    folder: Path
    shown: list[str] = field(default_factory=list)

    async def type(self, *command: str, lines: int = 100) -> str:
        """Run it, and show the first lines of what it prints."""
        out = await self.quietly(*command)
        kept = out.rstrip().splitlines()
        told = "\n".join(map(html.escape, kept[:lines])) + ("\n<i>…</i>" if len(kept) > lines else "")
        words = " ".join(f'"{argument}"' if " " in argument else argument for argument in command)
        self.shown.append(f"<b>$ recado {html.escape(words)}</b>\n{told}\n")
        return out

    async def quietly(self, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *command), cwd=self.folder, env=os.environ | self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        return out.decode()

    def see(self, path: Path) -> None:
        """Show a file."""
        self.shown.append(
            f"<b>$ cat {path.relative_to(self.folder)}</b>\n{html.escape(path.read_text('utf-8').rstrip())}\n"
        )

    async def look(self, name: str) -> None:
        page = f"{_TERMINAL}<pre>{''.join(self.shown).rstrip()}</pre>"
        self.shown.clear()
        await self.browser.size(860, 600)
        await self.browser.ask("Page.navigate", url="data:text/html;base64," + base64.b64encode(page.encode()).decode())
        await self.browser.until("document.readyState === 'complete' && document.querySelector('pre') !== null")
        await self.browser.look(name, 860)


@asynccontextmanager
async def chromium(http: aiohttp.ClientSession, folder: Path) -> AsyncIterator[Browser]:
    """A Chromium of our own until the context ends."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise RuntimeError("no chromium on PATH; install it")
    process = await asyncio.create_subprocess_exec(
        *(program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"),
        *(f"--user-data-dir={folder}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port_file = folder / "DevToolsActivePort"
        async with asyncio.timeout(_WAIT_SECONDS):
            while not (port_file.exists() and port_file.read_text("utf-8").count("\n")):
                await asyncio.sleep(0.05)
        port = port_file.read_text("utf-8").splitlines()[0]
        async with http.get(f"http://127.0.0.1:{port}/json") as answer:
            target = next(
                target_info for target_info in json.loads(await answer.text()) if target_info["type"] == "page"
            )
        async with http.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        await process.wait()


async def say(browser: Browser, words: str) -> None:
    """Write a message in the page's phone, and wait for the answer."""
    count = await browser.run("document.querySelectorAll('#log article.bubble').length")
    script = (
        f"{{const words = document.getElementById('words'); words.value = {json.dumps(words)};"
        "words.dispatchEvent(new Event('input', {bubbles: true}));"
        "document.getElementById('composer').requestSubmit()}"
    )
    await browser.run(script)
    await browser.until(f"document.querySelectorAll('#log article.bubble').length >= {count + 2}")


async def on_the_page(browser: Browser, url: str, prompts: Path) -> None:
    """What the sandbox's page shows of a save: wrong in both languages, then released."""
    assistant = prompts / "assistant.md"
    right = assistant.read_text("utf-8")
    at = right.index("\n\n", len(right) // 2)
    wrong = "Hola, {{ nombre_cliente }}.\n"
    business = prompts / "_business.md"
    hours = business.read_text("utf-8")
    await browser.size(_PAGE_WIDTH, 760)
    await browser.ask("Page.navigate", url=url)
    await browser.until("document.querySelector('#log article, #log button') !== null")
    business.write_text(hours.replace("9:00-19:00", "9-19", 1), "utf-8")
    assistant.write_text(f"{right[:at]}\n{wrong}{right[at:]}", "utf-8")
    await browser.until("document.querySelectorAll('.prompt-news.wrong li').length === 2")
    for language, dark in (("es", False), ("en", True)):
        await browser.size(_PAGE_WIDTH, 760, dark=dark)
        await browser.run(
            f"{{const select = document.getElementById('language'); select.value = '{language}';"
            "select.dispatchEvent(new Event('change', {bubbles: true}))}"
        )
        await browser.look(f"save-wrong.{language}.png", _PAGE_WIDTH, 420)
    await browser.size(_PAGE_WIDTH, 760)
    await browser.run(
        "{const select = document.getElementById('language'); select.value = 'es';"
        "select.dispatchEvent(new Event('change', {bubbles: true}))}"
    )
    business.write_text(hours, "utf-8")
    assistant.write_text(right.replace("\n\n", "\n\nSaluda con alegría.\n\n", 1), "utf-8")
    await browser.until("document.querySelector('.prompt-news.released') !== null")
    await browser.look("save-released.es.png", _PAGE_WIDTH, 420)


async def in_the_terminal(terminal: Terminal, prompts: Path) -> None:
    assistant = prompts / "assistant.md"
    right = assistant.read_text("utf-8")
    assistant.write_text(right + "\nUsa {{ nombre_cliente }} y **negritas**.\n", "utf-8")
    await terminal.type("prompts", "check")
    assistant.write_text(right + "\nSi no sabes, di que preguntas y llama a una persona.\n", "utf-8")
    await terminal.type("prompts", "check")
    await terminal.type("prompts", "diff")
    await terminal.type("prompts", "release", "--note", "no inventar", "--author", "rosa")
    await terminal.look("check-and-release.png")
    await terminal.type("prompts", "list", lines=5)
    await terminal.type("prompts", "rollback", "--note", "sonaba seco", "--author", "rosa")
    await terminal.type("prompts", "list", lines=5)
    await terminal.look("list-and-rollback.png")
    await terminal.type("prompts", "render", "assistant", "--conversation", ANA, lines=9)
    out = await terminal.quietly("prompts", "render", "assistant", "--conversation", ANA)
    end = out[out.index("--- user") :]
    terminal.shown.append(html.escape(end.split("=== against")[0]))
    await terminal.look("render.png")
    await terminal.type("prompts", "case", ANA, "--turns", "1", "--name", "pide-su-plan")
    terminal.see(prompts / "evals" / "pide-su-plan.yaml")
    await terminal.type("prompts", "eval", "pide-su-plan")
    await terminal.type("prompts", "eval", "pide-su-plan", "--record")
    await terminal.look("case-and-eval.png")


def documents_to_review(folder: Path) -> None:
    """The sample documents, one that holds no more, and one that is broken."""
    shutil.copytree(ROOT / "knowledge", folder)
    (folder / "promociones.md").write_text("---\nvigente_hasta: 2026-11-30\n---\n# Buen Fin\n\n20% menos.\n", "utf-8")
    (folder / "tarifas_2027.pdf").write_bytes(b"%PDF-1.7 and then nothing")


async def released(browser: Browser, url: str) -> None:
    """Wait until customers get the documents."""
    await browser.ask("Page.navigate", url=f"{url}console")
    await browser.until("document.querySelector('.rail') !== null")
    await browser.until(
        "fetch('/console/api/documents').then((answer) => answer.json())"
        ".then(({documents}) => documents.some(({state}) => state === 'released'))"
    )


async def documents_in_the_terminal(terminal: Terminal) -> None:
    await terminal.type("knowledge", "check")
    await terminal.type("knowledge", "sync")
    await terminal.type("knowledge", "list", lines=5)
    await terminal.type("knowledge", "search", "la impresora saca todo en blanco", lines=12)
    await terminal.look("knowledge-commands.png")


async def documents_in_the_console(browser: Browser, url: str) -> None:
    """Suggested answers with a colleague's draft, and the passages behind an answer, in both languages."""
    await browser.size(_PAGE_WIDTH, 760)
    await browser.ask("Page.navigate", url=url)
    await browser.until("document.querySelector('#log article, #log button') !== null")
    asked = ("¿Dan cursos de costura?", "¿Rentan un salón para una boda?", "oigan rentan salon para bodas??")
    for words in (*asked, "la impresora saca todo en blanco"):
        await say(browser, words)
    await browser.ask("Page.navigate", url=f"{url}console")
    await browser.until("document.querySelector('.rail') !== null")
    # A colleague takes it and answers, which becomes the draft.
    await browser.run(
        "(async () => { const ask = async (method, path, body) => (await fetch(`/console/api/${path}`, {method,"
        "headers: {'X-Requested-With': 'recado', 'Content-Type': 'application/json', 'Idempotency-Key': 'one'},"
        "body: body && JSON.stringify(body)})).json();"
        "const [one] = (await ask('GET', 'conversations')).conversations;"
        "await ask('POST', `conversations/${one.id}/take`, {});"
        "await ask('POST', `conversations/${one.id}/messages`, {text: 'Sí, tenemos uno para 80 personas; se aparta con"
        " el 30%.'}); })()"
    )
    for language, dark in (("es", False), ("en", True)):
        await browser.size(_PAGE_WIDTH, 1240, dark=dark)
        await browser.run(f"localStorage.setItem('language', '{language}')")
        # Another address, because the same one with another fragment would load nothing anew.
        page = f"{url.removesuffix('sandbox/')}console/?{language}#/documents"
        await browser.ask("Page.navigate", url=page)
        await browser.until("document.querySelectorAll('.suggested > li .seen').length > 0")
        await browser.until("document.querySelector('.documents-frame tbody tr') !== null")
        await browser.look(f"knowledge-review.{language}.png", _PAGE_WIDTH, 1180)
        await browser.size(1360, 700, dark=dark)
        await browser.run(
            "fetch('/console/api/conversations').then((answer) => answer.json())"
            ".then((data) => { location.hash = `#/c/${data.conversations[0].id}`; })"
        )
        await browser.until("document.querySelector('.bubble.bot .why-link') !== null")
        await browser.run("[...document.querySelectorAll('.bubble.bot .why-link')].at(-1).click()")
        await browser.until("document.querySelector('.source') !== null")
        await browser.run("document.querySelector('.source').closest('section').scrollIntoView({block: 'start'})")
        await browser.look(f"knowledge-why.{language}.png", 1360, 700)


@asynccontextmanager
async def company(folder: Path, release: str) -> AsyncIterator[tuple[str, Settings]]:
    """The sandbox with prompts that are released by saving (`watch`) or by a command (`manual`)."""
    prompts = folder / "prompts"
    shutil.copytree(ROOT / "prompts", prompts, ignore=shutil.ignore_patterns("evals"))
    os.environ |= {"PROMPTS_DIR": str(prompts), "PROMPTS_RELEASE": release}
    settings = Settings()
    async with open_company(settings, "127.0.0.1", 0, folder / "data") as url:
        yield url, settings


async def make() -> None:
    logs.configure("critical", "console")
    os.environ["PYTHONPATH"] = str(ROOT)
    with TemporaryDirectory() as made:
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            browser = await stack.enter_async_context(chromium(http, Path(made, "chromium")))
            saving = Path(made, "saving")
            async with company(saving, "watch") as (url, _):
                await on_the_page(browser, url, saving / "prompts")
            typing = Path(made, "typing")
            async with company(typing, "manual") as (url, settings):
                await browser.ask("Page.navigate", url=url)
                await browser.until("document.querySelector('#log article, #log button') !== null")
                await say(browser, "Hola, soy Ana Morales, ¿qué plan tengo? Mi teléfono es 55 1234 5678")
                environment = {"REDIS_URL": settings.redis.url.get_secret_value(), "PROMPTS_DIR": "prompts"}
                await in_the_terminal(Terminal(browser, environment, typing), typing / "prompts")
            reviewing = Path(made, "reviewing")
            documents_to_review(reviewing / "knowledge")
            os.environ["KNOWLEDGE_DIR"] = str(reviewing / "knowledge")
            async with company(reviewing, "watch") as (url, settings):
                await released(browser, url)
                environment = {
                    "REDIS_URL": settings.redis.url.get_secret_value(),
                    "DATABASE_URL": settings.database.url.get_secret_value(),
                    "KNOWLEDGE_DIR": "knowledge",
                }
                await documents_in_the_terminal(Terminal(browser, environment, reviewing))
                await documents_in_the_console(browser, url)


if __name__ == "__main__":
    asyncio.run(make())
