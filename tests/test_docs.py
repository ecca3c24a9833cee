"""The documentation is true: what it shows was run, what it links to exists, and CI runs what the README says.

A block that follows `<!-- test -->` is run as a reader would run it: each line behind `$ ` on a terminal, all blocks of
a page in one folder that holds examples/. What is printed must be what the page shows; numbers may differ a little, as
they do between processors, and a line `...` stands for any lines. A command must end with exit code 0; where another is
meant, the page shows it with `; echo $?`. A block that follows `<!-- file: NAME -->` is written to that file first.
Blocks behind `<!-- test: NEED -->` are run on their own, in a folder of their own, where that need is met (NEEDS).
`UPDATE_DOCS=1 pytest tests/test_docs.py` writes what is printed into the pages: read the difference before you keep it.
"""

from __future__ import annotations

import importlib.util
import math
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from facecli import __version__

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("models/cards/*.md")]
BLOCK = re.compile(
    r"^<!-- (?P<kind>test|file|ci)(?:: (?P<name>\S+))? -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
UPDATE = "UPDATE_DOCS" in os.environ
KERAS_WEIGHTS = "fer2013_mini_XCEPTION.102-0.66.hdf5"


@dataclass(frozen=True)
class Step:
    """A command of a console block and what the page says it prints."""

    command: str
    shown: list[str]


def blocks(page: Path, kind: str) -> list[re.Match[str]]:
    """The marked blocks of a page."""
    return [match for match in BLOCK.finditer(page.read_text("utf-8")) if match["kind"] == kind]


def steps(text: str) -> Iterator[Step]:
    """The commands of a console block; one that ends in a backslash goes on in the next line."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
        yield Step("\n".join(lines[: last + 1]), lines[last + 1 :])


def on_a_terminal(command: str, folder: Path, environment: dict[str, str]) -> tuple[str, int]:
    """Run a command with a terminal for its output: what is to be seen there, and its exit code."""
    ours, theirs = pty.openpty()
    line = ["bash", "-o", "pipefail", "-c", command]
    with subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ) as process:
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 2**16):
                printed += chunk
        except OSError:  # how Linux says that the other side is closed
            pass
        os.close(ours)
    return as_seen(printed.decode()), process.returncode


def as_seen(printed: str) -> str:
    """What a terminal still shows at the end: colours off, and lines that were erased (as progress bars are) gone."""
    plain = re.sub(r"\x1b\[\??[0-9;]*[hlm]", "", printed.replace("\r\n", "\n"))
    return re.sub(r"[^\n]*\x1b\[2K", "", re.sub(r"\n\r?\x1b\[1A", "", plain))


def agree(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines of a page stand for the lines that were printed."""
    if "..." in shown:
        at = shown.index("...")
        rest = len(shown) - at - 1
        middle = len(printed) - at - rest
        return middle > 0 and agree(shown[:at], printed[:at]) and agree(shown[at + 1 :], printed[at + middle :])
    texts = [re.sub(r"[ ─━]+", " ", "\n".join(lines)) for lines in (shown, printed)]
    numbers = [NUMBER.findall(text) for text in texts]
    words = [NUMBER.sub("#", text) for text in texts]
    return words[0] == words[1] and all(map(_near, *numbers))


def _near(shown: str, printed: str) -> bool:
    """Whether two numbers agree to the digits that the page shows, or as closely as two processors do.

    Below a millionth a number is what rounding leaves: each processor has its own.
    """
    unit = 10.0 ** int(Decimal(shown).as_tuple().exponent) if "." in shown else 0.0
    return math.isclose(float(shown), float(printed), rel_tol=1e-3, abs_tol=max(1.001 * unit, 1e-6))


@pytest.fixture
def reader(cli_env, tmp_path) -> dict[str, str]:
    """A reader's environment: facecli and pip at hand, an own model store, and pip that installs into an own folder."""
    site = str(tmp_path / "site")
    pip = {"PIP_TARGET": site, "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    scripts = os.path.dirname(sys.executable)  # noqa: PTH120 # not resolved: the environment's, not the real Python's
    npm = {"npm_config_prefer_offline": "true", "npm_config_audit": "false", "npm_config_fund": "false"}
    own = {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": site,
        "FACECLI_HOME": str(tmp_path / "home"),
    }
    return cli_env | own | pip | npm | {"COLUMNS": "100", "TERM": "xterm"}


@pytest.fixture
def folder(examples, tmp_path) -> Path:
    """A folder with the sample portraits."""
    shutil.copytree(examples, tmp_path / "checkout" / "examples")
    return tmp_path / "checkout"


# Words in commands that need what not everybody has: the fixture that gives it or skips, which is also the marker.
WORDS = {
    "torch": ("--weights mobilefacenet.pt", "facecli export --module", KERAS_WEIGHTS),
    "shared": (
        *("FACECLI_MODELS_MIRROR=mirror", "npm install", "--detector yunet", "--preset insightface -p scrfd.model"),
        *("--weights mobilefacenet.pt", KERAS_WEIGHTS),
    ),
}


def needed(text: str) -> list[str]:
    """Return the names of the fixtures that commands need."""
    return [need for need, words in WORDS.items() if any(one in text for one in words)]


def skip_without_programs(text: str) -> None:
    """Skip where a program or a library that the commands need is not here. text: the commands."""
    for program in ("jq", "curl"):
        if program in text and shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    if "make_clip.py" in text:
        pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")


def prepare(text: str, folder: Path, request: pytest.FixtureRequest) -> None:
    """Skip where a program or file that the commands need is not here. text: the commands."""
    for need in needed(text):
        request.getfixturevalue(need)
    skip_without_programs(text)
    if "FACECLI_MODELS_MIRROR=mirror" in text:
        (folder / "mirror").mkdir()
        shutil.copy(request.getfixturevalue("shared") / "models" / "mobilefacenet.onnx", folder / "mirror")
    if "npm install" in text:
        reached = Path(os.environ.get("FACECLI_WEB_RUNTIME") or "nowhere") / "onnxruntime-web"
        if not (shutil.which("npm") and reached.is_dir()):
            pytest.skip("needs npm and its registry: .ci/run names in FACECLI_WEB_RUNTIME what it got there")
        (folder / "package.json").write_text("{}")  # else npm takes a folder above for the project
        # The page's other blocks have made this model from a checkpoint.
        pytest.importorskip("onnx", reason="embedding preprocessing needs onnx")
        mirror = {"FACECLI_MODELS_MIRROR": str(request.getfixturevalue("shared") / "models")}
        pull = [sys.executable, "-m", "facecli", "models", "pull", "mobilefacenet"]
        environment = request.getfixturevalue("reader") | mirror
        subprocess.run(pull, env=environment, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    if any(words in text for words in ("--detector yunet", "--preset insightface -p scrfd.model")):
        models = request.getfixturevalue("shared") / "models"
        request.getfixturevalue("reader")["FACECLI_MODELS_MIRROR"] = str(models)
    if "--weights mobilefacenet.pt" in text:
        shutil.copy(request.getfixturevalue("shared") / "models" / "mobilefacenet.pt", folder)
    if KERAS_WEIGHTS in text:
        weights = request.getfixturevalue("shared") / "models" / "fer2013_mini_xception.hdf5"
        shutil.copyfile(weights, folder / KERAS_WEIGHTS)


def put_film(text: str, folder: Path, request: pytest.FixtureRequest) -> None:
    """Put the film of two people at a door where commands want it."""
    if "door.mp4" in text:
        shutil.copy(request.getfixturevalue("door")[0], folder)


NEEDS = ("npm",)


def runs() -> Iterator[Any]:
    """Yield each page with each of its needs, marked by what the commands need."""
    for page in PAGES:
        for need in dict.fromkeys(block["name"] for block in blocks(page, "test")):
            text = "".join(block["text"] for block in blocks(page, "test") if block["name"] == need)
            marks = [getattr(pytest.mark, name) for name in needed(text)]
            marks += [pytest.mark.browser] if "npm install" in text else []  # only the browser's runtime
            yield pytest.param(page, need, marks=marks, id=page.stem if need is None else f"{page.stem}-{need}")


@pytest.mark.parametrize(("page", "need"), list(runs()))
def test_commands_print_what_the_page_shows(page, need, folder, reader, request):
    assert need is None or need in NEEDS
    own = [block for block in blocks(page, "test") if block["name"] == need]
    text = "".join(block["text"] for block in own)
    put_film(text, folder, request)
    prepare(text, folder, request)
    text = page.read_text("utf-8")
    for block in blocks(page, "file"):
        path = folder / block["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["text"], "utf-8")
    for block in own:
        fresh = ""
        for step in steps(block["text"]):
            printed, status = on_a_terminal(step.command, folder, reader)
            lines = printed.splitlines()
            where = f"{page.name}:{text[: block.start()].count(chr(10)) + 1}: {step.command}"
            assert status == 0, f"{where}\n{printed}"
            same = agree(step.shown, lines)
            assert same or UPDATE, "\n".join([where, "-- shown:", *step.shown, "-- printed:", *lines])
            fresh += "\n".join(["$ " + step.command, *(step.shown if same else lines), ""])
        text = text.replace(block["text"], fresh)
    if UPDATE:
        page.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["distance 0.1759"], ["distance  0.1760"], True),
        (["distance 0.1759"], ["distance 0.1779"], False),
        (["[-0.076228574, 0.019637788]"], ["[-0.07622860, 0.01963779]"], True),
        (["[-0.076228574, 0.019637788]"], ["[-0.07201067, 0.030322677]"], False),
        (["3 faces"], ["4 faces"], False),
        (["a 1"], ["b 1"], False),
        (["a", "...", "z"], ["a", "b", "c", "z"], True),
        (["a", "...", "z"], ["a", "z"], False),
        (["a", "..."], ["b", "c"], False),
        ([], ["a"], False),
    ],
)
def test_comparison_sees_what_differs(shown, printed, same):
    assert agree(shown, printed) is same


def test_ci_runs_the_first_two_commands_of_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    shell_blocks = re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    marked = {block["name"]: block["text"] for block in blocks(ROOT / "README.md", "ci")}
    assert shell_blocks[:2] == [marked["first"], marked["tests"]]
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    function = script[script.index("readme() {") : script.index("\n}\n")] + "\n}\n"
    for name, text in marked.items():
        done = subprocess.run(
            ["bash", "-c", f"{function} readme {name}"], capture_output=True, text=True, cwd=ROOT, check=True
        )
        assert done.stdout == text
        assert len(text.splitlines()) == 1  # one command to copy
        assert f"$(readme {name})" in script
    assert "pip install" not in script  # all that is installed is what the README says
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_cli_reference_is_what_the_commands_say(monkeypatch):
    monkeypatch.setenv("FACECLI_NO_PLUGINS", "1")
    spec = importlib.util.spec_from_file_location("make_cli_reference", ROOT / "docs" / "make_cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    if UPDATE:
        maker.PAGE.write_text(maker.page(), "utf-8")
    assert maker.PAGE.read_text("utf-8") == maker.page(), "run python docs/make_cli_reference.py"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://")):
            name, _, anchor = target.partition("#")
            linked = page.parent / name if name else page
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("path", [*PAGES, ROOT / "tox.ini"], ids=lambda path: path.name)
def test_modules_that_a_page_or_tox_names_exist(path):
    text = path.read_text("utf-8").replace("{/}", "/")
    names = re.findall(r"\b(?:tests|benchmarks|docs|facecli|models|export|plugins)/[\w./]*\.py\b", text)
    # hello.py: what CONTRIBUTING tells a newcomer to write.
    names = [name for name in names if not name.endswith("hello.py")]
    assert [name for name in names if not ((ROOT / name).exists() or (path.parent / name).exists())] == []


@pytest.mark.parametrize(
    "path", [*PAGES, ROOT / "tox.ini", ROOT / "constraints.txt", ROOT / ".ci" / "run"], ids=lambda path: path.name
)
def test_no_path_or_host_of_a_machine_is_named(path):
    names = re.findall(
        r"(?<![\w.])/(?:root|home|work|opt|Users)/|pypi\.org|pythonhosted|npmjs", path.read_text("utf-8")
    )
    assert names == []


def test_changelog_tells_of_this_version():
    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "schemas").glob("*.json")), ids=lambda path: path.stem)
def test_output_page_links_every_schema(path):
    assert f"(schemas/{path.name})" in (ROOT / "docs" / "output.md").read_text("utf-8")
