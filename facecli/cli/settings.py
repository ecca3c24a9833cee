"""TODO: facecli.cli.settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click


def _root_flag(name: str) -> bool:
    return bool(click.get_current_context().find_root().params.get(name))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the shared options said; a command that lacks an option has its default here."""

    format: str | None = None
    json: bool = False
    quiet: bool = False
    files_from: str | None = None
    files_from0: str | None = None
    detector: str | None = None
    min_face_size: float | None = None
    parameter: tuple[str, ...] = ()
    face: str = "all"
    no_detect: bool = False
    recognizer: str | None = None
    preset: str | None = None
    flip: bool = False
    device: str = "auto"
    provider_option: tuple[str, ...] = ()
    session_option: tuple[str, ...] = ()
    engine_cache: Path | None = None
    threads: int | None = None
    jobs: int | None = None
    batch_size: int = 1
    max_pixels: int = 0
    max_bytes: int = 0
    timeout: float = 0.0
