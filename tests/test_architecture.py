"""The house stands as designed: who may import whom, who may know what, and how small the parts are.

Modules are read, not imported, but for the last part, which compares the running command line with its files.
"""

from __future__ import annotations

import ast
import graphlib
import importlib
import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

from facecli.cli.group import group
from facecli.cli.wording import option

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "facecli": "facecli",
    "plugins": "facecli.plugins",
    "export": "facecli.export",
    "models": "facecli.models",
    "docs/schemas": "facecli.schemas",
}


@dataclass(frozen=True)
class Wing:
    """A module, or a package with all its modules, and its place in the house.

    floor: it sees wings on lower floors only. sees: these of them alone. visitors: the only ones that may import it.
    """

    floor: int
    sees: frozenset[str] | None = None
    visitors: frozenset[str] | None = None


def _these(*names: str) -> frozenset[str]:
    return frozenset(f"facecli.{name}" for name in names)


# From the ground up, along the way of the data. The longest name that fits a module is its wing.
WINGS = {
    # what everything else may name
    "facecli.redaction": Wing(0),  # texts without secrets, short enough to be read
    "facecli.errors": Wing(1),  # every error that is raised on purpose, with its exit code
    "facecli.version": Wing(1),  # one constant
    "facecli.schemas": Wing(1),  # JSON Schemas of what is written, without code
    "facecli.kinds": Wing(1),  # the kinds of plugins and of distances
    "facecli.labels": Wing(1),  # the words for emotions, ages and the like, in one order
    # what is there before any picture
    "facecli.types": Wing(2),  # the values that stages hand to each other
    "facecli.system": Wing(2),  # the machine: files, streams, environment, cores
    "facecli.network": Wing(2),  # one request over http or https
    "facecli.inference": Wing(2),  # ONNX Runtime: providers and sessions
    # what a plugin is, and what a picture is
    "facecli.contract": Wing(3),  # what plugins may import: hooks, descriptors, protocols
    "facecli.geometry": Wing(3),  # boxes and points, without pixels
    "facecli.assignment": Wing(3),  # which row goes with which column
    "facecli.film": Wing(3),  # films, cameras and streams to frames, and back
    "facecli.pictures": Wing(3),  # names to bytes to pixels, and back
    # what a model sees, and where it comes from
    "facecli.crops": Wing(4),  # pixels to the crops and numbers that a model takes
    "facecli.places": Wing(4),  # names to bytes, in a folder or in an object store
    "facecli.models": Wing(4),  # the catalogue and the store of models
    # for developers: makes the weights that are shipped
    "facecli.models.training": Wing(
        4, sees=_these("errors", "labels", "system.charts", "system.files", "types"), visitors=_these("export.recipes")
    ),
    # what is behind an entry point, and what a face is without a model
    "facecli.faces": Wing(5),  # which face is meant, and its pose and quality
    # our plugins: as a foreign one, plus the catalogue and what makes input of crops
    "facecli.plugins": Wing(
        5,
        sees=_these(
            *("assignment", "contract", "errors", "geometry", "labels", "types", "crops.preprocess"),
            *("models.catalogue", "models.entries.shipped"),
        ),
        visitors=frozenset(),
    ),
    # weights to ONNX with a proof: a house of its own, entered by its command alone
    "facecli.export": Wing(5, visitors=_these("commands.export")),
    # plugins and models at work
    "facecli.hosting": Wing(6),  # plugins found, chosen and loaded
    "facecli.pipeline": Wing(7),  # sources to results: detect, cut, embed, classify
    "facecli.inventory": Wing(7),  # which models and plugins are here, and are they well
    "facecli.testing": Wing(7),  # the kit that tests a plugin
    "facecli.matching": Wing(8),  # embeddings to a decision
    "facecli.gallery": Wing(9),  # people: kept, searched among, decided on
    "facecli.clustering": Wing(10),  # faces to people whom nobody has named
    "facecli.anonymise": Wing(10),  # faces made unrecognisable, and the proof
    "facecli.tracking": Wing(10),  # faces through time
    "facecli.evaluation": Wing(10),  # decisions and truth to rates
    # the outside
    "facecli.output": Wing(11),  # results to tables, JSON, CSV, pictures
    # the doors
    "facecli.api": Wing(12),  # facecli.Faces: all of that from Python
    "facecli.server": Wing(13, visitors=_these("commands.serve")),  # HTTP and the web page
    "facecli.scale": Wing(13),  # many machines: a frozen list, shards, what a worker does
    "facecli.cli": Wing(14),  # click: options, context, progress
    "facecli.commands": Wing(15),  # one command, one file
    "facecli.__main__": Wing(15),  # python -m facecli
    "facecli": Wing(16),  # the front door, which opens on the names that are public
}

# package: the only wings or modules that may import it, for type checkers, too
OWNERS = {
    # a runner without facecli has the same guard against telemetry
    "onnxruntime": _these("inference", "export.bundle.runner"),
    "torch": _these("export", "models.training"),
    "onnx": _these("export", "models.training"),
    "h5py": _these("export"),
    "av": _these("film"),
    "click": _these("cli", "commands"),
    "requests": _these("network"),
    "fastapi": _these("server"),
    "starlette": _these("server"),
    "uvicorn": _these("server"),
    "sqlite3": _these("gallery.store"),
    "fsspec": _these("places.objects"),
    "ray": _these("plugins.engines.ray"),
    "faiss": _these("gallery.graph"),
    "psycopg": _these("gallery.store.postgres"),
    "rich": _these("output.tables", "cli"),
    "matplotlib": _these("system.charts", "evaluation.figures"),  # loaded; its formatter of axes
}
HEAVY = {"av", "numpy", "cv2", "onnxruntime", "rich", "torch", "onnx", "requests", "matplotlib"}
ROOF = _these("cli", "commands", "__main__")

# Developers' programs that are started with `python -m` and have options of their own.
OTHER_COMMAND_LINES = _these("models.training")


@dataclass(frozen=True)
class Import:
    """One imported name: by which module, of which module, and whether as soon as the importer is imported."""

    importer: str
    imported: str
    name: str | None
    typing_only: bool
    at_start: bool

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"


@cache
def modules() -> dict[str, Path]:
    """Every module of the distribution: name -> file."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text("utf-8"))


@cache
def imports() -> list[Import]:
    """Every import in every module, also those inside functions and those for type checkers."""
    return [found for name in modules() for found in imports_of(name, tree(name))]


def imports_of(module: str, node: ast.AST, *, typing_only: bool = False, at_start: bool = True) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, alias.name, None, typing_only, at_start)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                inner = full in modules()
                imported, name = (full, None) if inner else (str(child.module), alias.name)
                yield Import(module, imported, name, typing_only, at_start)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from imports_of(module, child, typing_only=True, at_start=at_start)
        else:
            later = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports_of(module, child, typing_only=typing_only, at_start=at_start and not later)


def inside() -> list[Import]:
    """The imports of our modules by our modules."""
    return [found for found in imports() if found.imported.split(".")[0] == "facecli"]


def within(module: str, names: Iterable[str]) -> bool:
    """Whether a module is one of these, or inside a package of these; `facecli` is the front door alone."""
    return any(module == name or (name != "facecli" and module.startswith(f"{name}.")) for name in names)


def wing(module: str) -> str:
    places = [name for name in WINGS if within(module, {name})]
    assert places, f"give {module} a floor in tests/test_architecture.py"
    return max(places, key=len)


def between_wings() -> list[Import]:
    """The imports that lead from one wing to another."""
    return [found for found in inside() if wing(found.importer) != wing(found.imported)]


# Who may import whom


def test_every_module_has_a_wing_and_every_wing_a_module():
    for module in modules():
        assert wing(module)
    named = {*WINGS, *ROOF, *OTHER_COMMAND_LINES}
    for row in WINGS.values():
        named |= (row.sees or set()) | (row.visitors or set())
    assert named <= set(modules())


def test_imports_go_down_and_wings_on_one_floor_do_not_see_each_other():
    wrong = []
    for found in between_wings():
        own, target = WINGS[wing(found.importer)].floor, WINGS[wing(found.imported)].floor
        if target >= own:
            wrong.append(f"{found.importer} (floor {own}) imports {found.imported} (floor {target})")
    assert not wrong, "\n".join(wrong)


def test_wings_see_what_they_may():
    seen = {name: row.sees for name, row in WINGS.items() if row.sees is not None}
    looks = [found for found in between_wings() if wing(found.importer) in seen]
    wrong = [str(found) for found in looks if not within(found.imported, seen[wing(found.importer)])]
    assert not wrong, "\n".join(wrong)


def test_wings_are_entered_by_their_visitors_alone():
    visitors = {name: row.visitors for name, row in WINGS.items() if row.visitors is not None}
    visits = [found for found in between_wings() if wing(found.imported) in visitors]
    wrong = [str(found) for found in visits if not within(found.importer, visitors[wing(found.imported)])]
    assert not wrong, "\n".join(wrong)


def test_imports_have_no_circle():
    graph: dict[str, set[str]] = {module: set() for module in modules()}
    for found in inside():
        graph[found.importer].add(found.imported)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_no_private_name_is_used_by_another_module():
    wrong = [f"{found} {found.name}" for found in inside() if re.match("_[^_]", found.name or "")]
    for module in modules():
        here = {found for found in inside() if found.importer == module and found.name is None}
        names = {found.imported.rpartition(".")[2] for found in here}
        for node in ast.walk(tree(module)):
            private = isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr)
            if private and isinstance(node.value, ast.Name) and node.value.id in names:
                wrong.append(f"{module} uses {node.value.id}.{node.attr}")
    assert not wrong, "\n".join(wrong)


def test_imports_are_absolute():
    relative = [
        name for name in modules() for node in ast.walk(tree(name)) if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative, "\n".join(relative)


# Who may know what


@pytest.mark.parametrize("package", OWNERS)
def test_package_is_imported_by_its_owners_alone(package):
    users = {found.importer for found in imports() if found.imported.split(".")[0] == package}
    wrong = sorted(user for user in users if not within(user, OWNERS[package]))
    assert not wrong, "\n".join(wrong)
    assert users, f"nobody imports {package}: has it another name now?"


def docstrings(module: str) -> set[ast.Constant]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree(module)) if isinstance(node, kinds)]
    first = [body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)]
    return {text for text in first if isinstance(text, ast.Constant) and isinstance(text.value, str)}


def texts(module: str) -> Iterator[tuple[int, str]]:
    """The strings of a module, with their lines; {} for a value in an f-string. Docstrings are left out."""
    prose, parts = docstrings(module), set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.JoinedStr):
            parts |= set(node.values)
            texts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(map(str, texts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose | parts:
            yield node.lineno, node.value


def test_nothing_below_the_command_line_names_an_option_or_an_environment_variable():
    """A setting is named through `about=`; a whole command line to type is advice in any language."""
    wrong = []
    for module in modules():
        if within(module, ROOF | OTHER_COMMAND_LINES):
            continue
        for line, text in texts(module):
            rest = re.sub(r"\b(facecli|pip|python) [^,;`]*", "", text)
            variable = re.search(r"FACECLI_[A-Z]", rest) and not re.fullmatch("[A-Z_]+", rest)  # which is read here
            if variable or re.search(r"(?<![\w-])--[a-z]", rest):
                wrong.append(f"{modules()[module].relative_to(ROOT)}:{line} {text}")
    assert not wrong, "\n".join(wrong)


def test_no_message_sends_people_to_a_page_that_is_not_installed():
    """The wheel has no docs: a hint says itself what to do. Docstrings are for who reads the source."""
    wrong = [
        f"{modules()[module].relative_to(ROOT)}:{line} {text}"
        for module in modules()
        for line, text in texts(module)
        if re.search(r"\bdocs/|\w\.md\b", text) and text != "LICENCES.md"  # a file of a bundle
    ]
    assert not wrong, "\n".join(wrong)


def test_the_click_context_is_read_in_one_module_alone():
    doors = {"get_current_context", "pass_context", "pass_obj"}
    users = {
        module for module in modules() for node in ast.walk(tree(module)) if getattr(node, "attr", None) in doors
    } | {found.importer for found in imports() if found.name in doors}
    assert users == {"facecli.cli.context"}


# How small the parts are


def test_packages_hold_no_code_of_their_own():
    for name, path in modules().items():
        if path.name == "__init__.py" and name != "facecli":  # which has __version__
            kinds = {type(node) for node in tree(name).body}
            assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}, f"{name} has code in its __init__.py"


def test_modules_are_small():
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules().items()}
    assert {name: count for name, count in lines.items() if count > 300} == {}
    assert statistics.median(lines.values()) <= 80


def test_docstrings_begin_with_a_verb_or_a_subject():
    """One that begins with a question word continues a name that stands elsewhere, and can not be read alone."""
    wrong = [
        f"{modules()[module].relative_to(ROOT)}:{text.lineno} {text.value.splitlines()[0]}"
        for module in modules()
        for text in docstrings(module)
        if re.match(r"(What|Whether|How|Which|Where|When|From|Those|That|Of|As|The same)\b", text.value)
    ]
    assert not wrong, "\n".join(wrong)


def test_tests_stand_as_the_house_does():
    """A folder of tests is one of the house, and what a test is about can be read in one line."""
    places = {path.relative_to(ROOT).parent for path in modules().values()}
    for folder in (ROOT / "tests").rglob("test_*.py"):
        below = folder.relative_to(ROOT / "tests").parent
        assert {below, Path("facecli") / below} & places or below == Path(), f"tests/{below} mirrors no folder"


def test_tests_ask_for_torch_by_its_fixture():
    """Then they are marked; a module that imports torch itself asks for the fixture as a whole."""
    for path in (ROOT / "tests").rglob("*.py"):
        found = re.search(r'^( *).*importorskip\("torch', text := path.read_text("utf-8"), re.M)
        if found and path != ROOT / "tests" / "conftest.py":
            training = path.is_relative_to(ROOT / "tests" / "models" / "training")  # whose conftest.py asks for all
            assert not found[1] and (training or 'usefixtures("torch")' in text), path


def test_names_of_tests_fit_a_line():
    found = (re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.M) for path in (ROOT / "tests").rglob("*.py"))
    wrong = [name for names in found for name in names if len(name) > 80]
    assert not wrong, "\n".join(wrong)


# What the command line has


def commands(command: click.Command, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Our commands and verbs, each with the names that are typed for it."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from commands(inner, *names, name)
    else:
        yield names, command


@pytest.fixture(scope="module")
def ours(module_patch: pytest.MonkeyPatch) -> dict[str, click.Command]:
    """Our commands by the module that each must be in."""
    module_patch.setenv("FACECLI_NO_PLUGINS", "1")
    found = {".".join(["facecli.commands", *names]).replace("-", "_"): own for names, own in commands(group)}
    assert len(found) > 20
    return found


@pytest.fixture(scope="module")
def module_patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_every_command_has_its_file_and_every_file_is_of_a_command(ours):
    for module, command in ours.items():
        assert importlib.import_module(module).command is command
    groups = {module.rpartition(".")[0] for module in ours}
    files = {module for module in modules() if within(module, {"facecli.commands"})}
    wrong = sorted(module for module in files if module not in groups and not within(module, ours))
    assert not wrong, "\n".join(wrong)


def test_commands_do_not_import_each_other(ours):
    def owner(module: str) -> str | None:
        return next((name for name in ours if within(module, {name})), None)

    wrong = []
    for found in inside():
        own, target = owner(found.importer), owner(found.imported)
        if target and own != target and own:
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_commands_import_nothing_heavy_before_they_run(ours):
    starting: dict[str, set[str]] = {}
    for found in imports():
        if found.at_start and not found.typing_only:
            starting.setdefault(found.importer, set()).add(found.imported)
    wrong = []
    for module in (*ours, "facecli.cli.main", "facecli.__main__"):
        ways = [(module,)]
        for way in ways:  # which grows
            heavy = HEAVY.intersection(name.split(".")[0] for name in starting.get(way[-1], ()))
            wrong += [" -> ".join((*way, name)) for name in heavy]
            ways += [(*way, name) for name in starting.get(way[-1], set()) - {last for *_, last in ways}]
    assert not wrong, "\n".join(wrong)


def test_commands_name_all_their_arguments():
    bags = [
        f"{modules()[module].relative_to(ROOT)}:{node.lineno} **{node.args.kwarg.arg}"
        for module in modules()
        if within(module, {"facecli.commands"})
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef) and node.args.kwarg
    ]
    assert not bags, "\n".join(bags)


def test_settings_that_errors_name_are_options_or_environment_variables(ours):
    """Or, where Python alone asks, keyword arguments of its door."""
    every = [*group.params, *(parameter for command in ours.values() for parameter in command.params)]
    options = {name for parameter in every for name in (*parameter.opts, *parameter.secondary_opts)}
    variables = {text for module in modules() for _, text in texts(module) if re.fullmatch("FACECLI_[A-Z_]+", text)}
    door = [node for module in modules() if within(module, {"facecli.api"}) for node in ast.walk(tree(module))]
    keywords = {node.arg for node in door if isinstance(node, ast.arg)}
    wrong, settings = [], 0
    for module in modules():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.keyword) and node.arg == "about":
                for name in (part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)):
                    settings += 1
                    known = option(name) in options | variables
                    if not known and not (within(module, {"facecli.api"}) and name in keywords):
                        wrong.append(f"{module} is about {name}: there is no {option(name)}")
    assert not wrong, "\n".join(wrong)
    assert settings > 0
