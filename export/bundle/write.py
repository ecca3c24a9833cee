"""Write a bundle: all of it into a folder beside its place, where it is proved, and then moved there in one step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.errors import ExportError, UsageError
from facecli.export.bundle import manifest
from facecli.export.bundle.licences import write_licences
from facecli.export.bundle.manifest import Member
from facecli.export.publish import output_staging

HERE = Path(__file__).parent
FILES = HERE / "files"  # copied unchanged into every bundle, beside the runner
RUNNER = HERE / "runner.py"
NPM = "onnxruntime-web"
# In the package's dist/; the first loads the second.
WEB_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
MANIFEST, LICENCES = "manifest.json", "licences"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on the disk.

    files: path in the bundle -> size in bytes. web: True if it has ONNX Runtime for browsers inside. proof: the worst
    figures of the comparison with facecli.
    """

    folder: Path
    manifest: dict[str, Any]
    files: dict[str, int]
    web: bool
    proof: dict[str, Any]


def check_target(folder: Path) -> None:
    """Raise UsageError for a path that exists and is no empty folder; to be called before any work."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} is there already", hint="name a new folder, or remove it first")


def write(
    folder: Path,
    members: Sequence[Member],
    *,
    web_runtime: Path | None,
    prove: Callable[[Path], dict[str, Any]],
) -> Bundle:
    """Write a bundle of a detector, a recognizer and attribute models, in this order.

    prove: compares the staged folder with facecli, and raises ExportError if they disagree. Returns the figures.
    web_runtime: a node_modules folder, or the package onnxruntime-web in it, whose files are copied.
    Raises ExportError for two models with one file name, UsageError for a `web_runtime` without the package, and
    OutputError where the file system refuses.
    """
    check_target(folder)
    with output_staging(folder.parent, f"can not write {folder}") as temporary:
        staged = temporary / "bundle"
        shutil.copytree(FILES, staged)
        shutil.copy(RUNNER, staged)
        _copy_models(members, staged / "models")
        texts = write_licences([member.spec for member in members], staged / LICENCES)
        web = _web(staged, web_runtime)
        described = manifest.describe(members, web, texts)
        (staged / MANIFEST).write_text(json.dumps(described, indent=2, allow_nan=False) + "\n", "utf-8")
        proof = prove(staged)
        files = {path.relative_to(staged).as_posix(): path.stat().st_size for path in _all_files(staged)}
        if folder.is_dir():
            folder.rmdir()  # empty, as check_target has made sure
        staged.rename(folder)
    return Bundle(folder, described, files, web_runtime is not None, proof)


def _copy_models(members: Sequence[Member], folder: Path) -> None:
    folder.mkdir()
    for member in members:
        for path, name in zip(member.files, member.names, strict=True):
            if (folder / name).exists():
                raise ExportError(f"two models of this bundle have a file called {name}")
            shutil.copyfile(path, folder / name)


def _web(staged: Path, source: Path | None) -> dict[str, str]:
    """Copy ONNX Runtime for browsers, if there is a source, and return where the page finds it.

    Without a source it is found where `npm install` puts it.
    """
    tested = json.loads((FILES / "package.json").read_text("utf-8"))["dependencies"][NPM]
    if source is None:
        return {"npm": NPM, "version": tested, "folder": f"node_modules/{NPM}/dist"}
    package = _package(source)
    if package is None:
        message = f"{source} has no {NPM} with dist/{' and dist/'.join(WEB_FILES)}"
        raise UsageError(message, hint=f"npm install {NPM}@{tested}, then name its node_modules")
    (staged / NPM).mkdir()
    for name in WEB_FILES:
        shutil.copyfile(package / "dist" / name, staged / NPM / name)
    version = json.loads((package / "package.json").read_text("utf-8"))["version"]
    return {"npm": NPM, "version": str(version), "folder": NPM}


def _package(source: Path) -> Path | None:
    """Return the folder of onnxruntime-web in a folder, or the folder itself; None if there is none."""
    for folder in (source, source / NPM, source / "node_modules" / NPM):
        if all((folder / "dist" / name).is_file() for name in WEB_FILES) and (folder / "package.json").is_file():
            return folder
    return None


def _all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
