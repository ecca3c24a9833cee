"""What ships: every package is listed, and the wheel has all of facecli and nothing else."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "facecli": "facecli",
    "plugins": "facecli/plugins",
    "export": "facecli/export",
    "models": "facecli/models",
    "docs/schemas": "facecli/schemas",
}


@pytest.fixture(scope="module")
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, because setuptools leaves its build folder behind and packs what it finds there."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".")):
        shutil.copy(path, source)
    # What a careless setting would pack as well:
    shutil.copytree(ROOT / "tests", source / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        target,
        source,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(target.glob("facecli-*.whl"))


def shipped_files():
    """Every file of the four folders, by its place in the wheel."""
    for folder, place in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix != ".pyc" and not path.name.startswith("."):
                yield f"{place}/{path.relative_to(ROOT / folder).as_posix()}"


def test_packages_in_setup_cfg_are_the_folders(setup_cfg):
    listed = setup_cfg["options"]["packages"].split()
    found = {place.rpartition("/")[0].replace("/", ".") for place in shipped_files() if place.endswith(".py")}
    assert sorted(listed) == sorted(found)
    without = {name for name in found if f"{name.replace('.', '/')}/__init__.py" not in set(shipped_files())}
    assert without == set()


def test_folders_are_mapped_as_the_tests_think(setup_cfg):
    mapped = dict(line.split(" = ") for line in setup_cfg["options"]["package_dir"].strip().splitlines())
    assert {folder: package.replace(".", "/") for package, folder in mapped.items()} == FOLDERS


def test_wheel_has_every_file_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    # facecli/ and facecli-X.dist-info/
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"facecli"}
    assert {name for name in names if ".dist-info/" not in name} == set(shipped_files())
    assert "facecli/py.typed" in names


def test_wheel_carries_the_licences(wheel):
    names = [name for name in zipfile.ZipFile(wheel).namelist() if "/licenses/" in name]
    assert any(name.endswith("/LICENSE") for name in names)
    cards = {path.name for path in (ROOT / "models" / "cards").glob("LICENSE-*")}
    assert cards == {Path(name).name for name in names} - {"LICENSE"}


def test_every_embedded_model_is_in_the_catalogue(wheel):
    from facecli.models import catalogue

    specs = [catalogue.load(model_id) for model_id in catalogue.model_ids()]
    stated = {file.path.name: file for spec in specs for file in spec.files if file.path}
    with zipfile.ZipFile(wheel) as archive:
        embedded = [i for i in archive.infolist() if "/embedded/" in i.filename and i.filename.endswith(".onnx")]
        shipped = {Path(i.filename).name: i.file_size for i in embedded}
    assert shipped == {name: file.size for name, file in stated.items()}


def test_wheel_works_where_the_repository_is_not(wheel, tmp_path, cli_env):
    install = ["pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "site", wheel]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True)
    environment = cli_env | {"PYTHONPATH": os.fspath(tmp_path / "site")}
    names = "facecli, facecli.models.store, facecli.plugins.crop_model, facecli.export.run"
    probe = f"import {names}; print(facecli.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", probe], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(where.stdout.strip()) == tmp_path / "site" / "facecli" / "__init__.py"
    listed = subprocess.run(
        [sys.executable, "-m", "facecli", "plugins", "list", "--json"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    plugins = json.loads(listed.stdout)["plugins"]
    ours = [plugin for plugin in plugins if plugin["distribution"] == "facecli"]
    assert len(ours) >= 6
    assert [plugin for plugin in ours if plugin["problem"]] == []
