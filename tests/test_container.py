"""The Dockerfile, step by step, without a container engine: what each instruction needs is there and does its work.

`pip install` borrows the libraries of the tests, and the compiler's work is taken from the cache of this machine.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plant.base.arraycache import cache_home
from plant.base.codecache import cache_dir
from tracertwin.assembly.forms import of_site

ROOT = Path(__file__).parents[1]
NOBODY = 65534


def instructions() -> list[tuple[str, str]]:
    """Keyword and arguments of each line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def of(keyword: str) -> list[str]:
    return [arguments for name, arguments in instructions() if name == keyword]


def test_it_has_the_steps_that_the_page_promises():
    assert [name for name, _ in instructions()] == [
        "FROM", "ENV", "COPY", "RUN", "RUN", "RUN", "RUN", "USER", "WORKDIR", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT",
        "CMD",
    ]  # fmt: skip
    runs = of("RUN")
    (user,) = of("USER")
    assert user not in ("root", "0")
    assert f" {user}" in runs[3]  # made before it is used
    assert runs.index("tracertwin compile") < 2


def test_what_is_copied_and_installed_is_there():
    (copied,) = of("COPY")
    source, target = copied.split()
    installs = shlex.split(of("RUN")[0])
    assert installs[:2] == ["pip", "install"]
    paths = [word for word in installs if word.startswith(target)]
    assert len(paths) == 2
    for path in paths:
        assert (ROOT / source / path.removeprefix(target).lstrip("/")).exists(), path
    name = re.fullmatch(r"python:(\d+)\.(\d+)-slim", of("FROM")[0])
    assert (int(name[1]), int(name[2])) >= (3, 11)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ".git" in ignored
    assert "config" not in ignored


@pytest.fixture
def cache(tmp_path) -> Path:
    """The folder that the image compiles into: what this machine has compiled before, and no more."""
    folder = tmp_path / "cache"
    for kept in (cache_dir(), cache_home() / "arrays"):
        if kept.is_dir():
            shutil.copytree(kept, folder / kept.name)
    for each in (folder, *folder.parents):
        if each == Path("/tmp") or not each.is_relative_to(tmp_path.parents[1]):
            break
        each.chmod(each.stat().st_mode | 0o055)
    return folder


def environment(cache: Path) -> dict[str, str]:
    names = {word.split("=")[0] for word in of("ENV")[0].split()}
    assert "TRACERTWIN_CACHE" in names
    return {
        **os.environ,
        "TRACERTWIN_CACHE": str(cache),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def command(words: list[str]) -> list[str]:
    assert words[0] == "tracertwin"
    return [sys.executable, "-m", "tracertwin", *words[1:]]


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_compiled_code_is_read_by_another_user_and_the_health_check_polls_once(cache, tmp_path):
    """Compile one kind of plant, open the cache, serve as nobody from a cache that nobody can write, and poll."""
    compiles, opens = of("RUN")[1:3]
    verb = command(shlex.split(compiles))
    assert (
        subprocess.run([*verb, "--help"], env=environment(cache), capture_output=True, check=False).returncode
        == 0
    )
    (form,) = (form for form in of_site("cabin") if "detailed" in form)  # what the verb does for each of them
    code = f"from tracertwin.cli.compiling import compile_one; print(compile_one({form!r}, ('cabin',)))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(cache), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
    subprocess.run(shlex.split(opens.replace("/var/cache/tracertwin", str(cache))), check=True)
    ports = {1235: free(), 1502: free()}
    (serves,) = (json.loads(told) for told in of("CMD"))
    (entry,) = (json.loads(told) for told in of("ENTRYPOINT"))

    def here(text: str) -> str:
        for port, other in ports.items():
            text = text.replace(f":{port}", f":{other}")
        return text.replace("0.0.0.0", "127.0.0.1")

    assert of("EXPOSE") == [" ".join(map(str, ports))]
    other = {"user": NOBODY, "group": NOBODY} if os.getuid() == 0 and _can_read_code() else {}
    words = [here(word) for word in [*entry, *serves]]
    with subprocess.Popen(
        command(words), cwd="/", env=environment(cache) | {"HOME": "/nonexistent"}, stderr=subprocess.PIPE, text=True,
        **other,
    ) as server:  # fmt: skip
        try:
            check = shlex.split(here(of("HEALTHCHECK")[0].partition("CMD ")[2]))
            give_up_s = time.monotonic() + 60.0
            while True:
                polled = subprocess.run(
                    command(check), env=environment(cache), capture_output=True, text=True, check=False
                )
                if polled.returncode == 0 or time.monotonic() > give_up_s or server.poll() is not None:
                    break
                time.sleep(0.5)
        finally:
            server.terminate()
            _, said = server.communicate(timeout=20)
    assert polled.returncode == 0, polled.stderr + said
    assert "V" in polled.stdout
    assert "1 request, " in said
    assert "compiling" not in said


def _can_read_code() -> bool:
    """Whether the interpreter and its libraries can be read by another user."""
    try:
        tried = subprocess.run(
            [sys.executable, "-c", "import numba"], user=NOBODY, capture_output=True, check=False
        )
    except PermissionError:
        return False
    return tried.returncode == 0
