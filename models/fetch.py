"""Bringing a model file in: from a mirror folder, a mirror URL, or the publisher's URLs, checked by sha256."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from facecli.contract import ModelFile, ModelSpec
from facecli.errors import ModelError


def fetch(spec: ModelSpec, file: ModelFile, target: Path, *, mirror: str | None, offline: bool) -> None:
    """Write the file to `target`, or raise ModelError telling every place that was tried and why it failed."""
    failures = []
    for place in _places(file, mirror):
        remote = place.startswith(("http://", "https://"))
        if remote and offline:
            failures.append(f"{place}: offline")
            continue
        try:
            _download(place, target) if remote else shutil.copyfile(place, target)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            failures.append(f"{place}: {_first_line(error)}")
            continue
        with target.open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
        if actual == file.sha256:
            return
        failures.append(f"{place}: sha256 is {actual}, not {file.sha256}")
    tried = "; ".join(failures) or "no place to fetch it from is known"
    hint = spec.hint or f"put {file.name} in a folder and name it in FACECLI_MODELS_MIRROR"
    raise ModelError(f"model {spec.id} is not installed and could not be fetched ({tried})", hint=hint)


def _places(file: ModelFile, mirror: str | None) -> list[str]:
    if mirror is None:
        return list(file.urls)
    own = f"{mirror.rstrip('/')}/{file.name}" if "://" in mirror else str(Path(mirror) / file.name)
    return [own, *file.urls]


def _download(url: str, target: Path) -> None:
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=False, timeout=30)
    downloader(url, str(target), None)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
