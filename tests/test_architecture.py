"""The house stands as designed: imports go down, rooms on one floor do not see each other, modules stay small."""

from __future__ import annotations

import ast
import graphlib
import statistics
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "facecli": "facecli",
    "plugins": "facecli.plugins",
    "export": "facecli.export",
    "models": "facecli.models",
}

# From the ground up. A name stands for the module, or for the package with all its modules: one room.
FLOORS = (
    {"facecli", "facecli.cores", "facecli.environment", "facecli.errors", "facecli.home", "facecli.streams"},
    {"facecli.types", "facecli.files"},
    {"facecli.protocols"},
    {
        "facecli.contract",
        "facecli.hookspecs",
        "facecli.geometry",
        "facecli.labels",
    },  # what plugins may import ends here
    {
        "facecli.presets",
        "facecli.headers",
        "facecli.fetching",
        "facecli.detection_evaluation",
        "facecli.evaluation",
        "facecli.preprocess",
        "facecli.parameters",
        "facecli.providers",
        "facecli.resample",
    },  # the halves of images, sources and align that know formats, networks and resizing
    {
        "facecli.align",
        "facecli.calibration",
        "facecli.compare",
        "facecli.ground_truth",
        "facecli.images",
        "facecli.models",
        "facecli.operating_points",
        "facecli.pairs",
        "facecli.pose",
        "facecli.registry",
        "facecli.roc",
        "facecli.report",
        "facecli.runtime",
        "facecli.sources",
    },
    {"facecli.profiling", "facecli.quality", "facecli.toolbox"},
    {"facecli.measures"},
    {"facecli.pipeline"},
    {"facecli.draw", "facecli.embeddings_file", "facecli.records", "facecli.testing"},
    {"facecli.commands"},
)
ROOF = "facecli.commands"  # with these, which are one room with it: they start it
ALIASES = {"facecli.cli": ROOF, "facecli.__main__": ROOF}

# The wings stand beside the house: what they may use of it, and who may use them.
WINGS = {
    "facecli.plugins": {
        "facecli.contract",
        "facecli.errors",
        "facecli.geometry",
        "facecli.labels",
        "facecli.types",
        "facecli.models.catalogue",  # ours alone: a foreign plugin states its models itself
        "facecli.preprocess",
    },
    # Development: makes the weights that are shipped.
    "facecli.models.training": {"facecli.errors", "facecli.files", "facecli.types"},
    "facecli.export": {
        "facecli",
        "facecli.contract",
        "facecli.errors",
        "facecli.files",
        "facecli.types",
        "facecli.models",
        "facecli.runtime",
        "facecli.align",  # these four cut and compare what the proof rests on
        "facecli.geometry",
        "facecli.images",
        "facecli.preprocess",
    },
}
VISITORS = {
    "facecli.plugins": set(),
    "facecli.export": {
        *(
            f"facecli.commands.{name}"
            for name in ("export", "_edge", "_edge_models", "_installing", "_judging", "_module")
        ),
        "facecli.models.training",
    },
    "facecli.models.training": {"facecli.export.recipes.trained"},
}

OWNERS = {  # package: the only rooms or modules that may import it
    "onnxruntime": {"facecli.runtime", "facecli.export"},  # to run; to quantize and optimize
    "torch": {"facecli.export", "facecli.models.training"},
    "onnx": {"facecli.export"},
    "h5py": {"facecli.export"},
    "click": {"facecli.cli", "facecli.commands"},
    "requests": {"facecli.models.transfer"},
    "rich": {"facecli.report", "facecli.commands"},
}
HEAVY = {"numpy", "cv2", "onnxruntime", "rich", "torch", "onnx", "requests", "matplotlib"}


@dataclass(frozen=True)
class Import:
    """One imported module: by whom, whether for type checkers only, and whether as soon as the module is imported."""

    importer: str
    imported: str
    typing_only: bool
    at_start: bool


@cache
def modules():
    """Every module of the distribution: name -> file."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


@cache
def imports():
    """Every import in every module, also those inside functions."""
    return [found for name, path in modules().items() for found in imports_of(name, ast.parse(path.read_text("utf-8")))]


def imports_of(module, node, typing_only=False, at_start=True):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, alias.name, typing_only, at_start)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                yield Import(module, full if full in modules() else f"{child.module}", typing_only, at_start)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from imports_of(module, child, typing_only=True, at_start=at_start)
        else:
            later = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports_of(module, child, typing_only, at_start and not later)


def within(module, names):
    """Whether a module is one of these, or inside a package of these; `facecli` is the bare package alone."""
    return any(module == name or (name != "facecli" and module.startswith(f"{name}.")) for name in names)


def room(module):
    """The floor and the room that a module is in."""
    module = ALIASES.get(module, module)
    places = [(floor, name) for floor, rooms in enumerate(FLOORS) for name in rooms if within(module, {name})]
    assert len(places) == 1, f"give {module} a floor in tests/test_architecture.py"
    return places[0]


def wing(module):
    return next((name for name in WINGS if within(module, {name})), None)


def inside():
    """The imports of our own modules by our own modules."""
    return [found for found in imports() if found.imported.split(".")[0] == "facecli"]


def test_the_table_has_every_module_and_no_other():
    for module in modules():
        assert wing(module) or room(module)
    named = set().union(*FLOORS, WINGS, *WINGS.values(), *VISITORS.values(), ALIASES)
    assert named <= set(modules())


def test_imports_go_down_and_rooms_on_one_floor_do_not_see_each_other():
    wrong = []
    for found in inside():
        if wing(found.importer) or wing(found.imported):
            continue
        (floor, own), (target_floor, target) = room(found.importer), room(found.imported)
        level_for_types = found.typing_only and target_floor == floor
        if own != target and target_floor >= floor and not level_for_types:
            wrong.append(f"{found.importer} (floor {floor}) imports {found.imported} (floor {target_floor})")
    assert wrong == []


def test_wings_use_what_they_may():
    wrong = []
    for found in inside():
        own = wing(found.importer)
        if own and not within(found.imported, WINGS[own] | {own}):
            wrong.append(f"{found.importer} imports {found.imported}")
    assert wrong == []


def test_wings_are_entered_by_their_visitors_alone():
    wrong = []
    for found in inside():
        target = wing(found.imported)
        if target and not within(found.importer, VISITORS[target] | {target}):
            wrong.append(f"{found.importer} imports {found.imported}")
    assert wrong == []


def test_imports_have_no_circle():
    graph = {module: set() for module in modules()}
    for found in inside():
        if not found.typing_only:
            graph[found.importer].add(found.imported)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("package", OWNERS)
def test_package_is_imported_by_its_owners_alone(package):
    users = {f.importer for f in imports() if f.imported.split(".")[0] == package and not f.typing_only}
    assert {user for user in users if not within(user, OWNERS[package])} == set()
    assert users, f"nobody imports {package}: has it another name now?"


def test_nothing_heavy_is_imported_by_the_command_line_at_start():
    roof = {"facecli.cli", "facecli.__main__", "facecli.commands"}
    starting = [f for f in imports() if f.at_start and not f.typing_only and within(f.importer, roof)]
    assert [found for found in starting if found.imported.split(".")[0] in HEAVY] == []


def test_imports_are_absolute():
    relative = [
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_packages_hold_no_code_of_their_own():
    for name, path in modules().items():
        if path.name == "__init__.py" and name != "facecli":  # which has __version__
            kinds = {type(node) for node in ast.parse(path.read_text("utf-8")).body}
            assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}, f"{name} has code in its __init__.py"


def test_modules_are_small():
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules().items()}
    assert {name: count for name, count in lines.items() if count > 300} == {}
    assert statistics.median(lines.values()) <= 100
