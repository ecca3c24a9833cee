"""The values of the options that commands share, as frozen values; a command names those that it wants as arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.kinds import Rotation

if TYPE_CHECKING:
    from facecli.types import Limits


@dataclass(frozen=True, slots=True)
class InputSettings:
    """The pictures to read, and the limits of one of them.

    inputs: files, folders, globs, URLs, or - for a picture on stdin. files_from, files_from0: a file with more names,
    one per line or separated by NUL bytes. max_pixels, max_bytes, timeout: see facecli.types.Limits.
    """

    inputs: tuple[str, ...] = ()
    files_from: str | None = None
    files_from0: str | None = None
    max_pixels: int = 100_000_000
    max_bytes: int = 256 * 2**20
    timeout: float = 30.0

    @property
    def limits(self) -> Limits:
        """The three limits as the readers take them."""
        from facecli.types import Limits

        return Limits(self.max_pixels, self.max_bytes, self.timeout)


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """The plugins to use, their parameters, and the choice of faces.

    recognizer: one name, or several with commas between. parameter: texts PLUGIN.NAME=VALUE. face: only, largest,
    center, score, all, or an index. no_detect: each picture is a crop already. flip: average with the mirrored crop.
    min_score: least score of a face, 0 to 1. min_face_size: px. require_face: a picture without a face is a failure.
    rotate: whether to look at the four turns of each picture. preset: a project whose settings hold where nothing else
    was typed.
    """

    detector: str | None = None
    recognizer: str | None = None
    parameter: tuple[str, ...] = ()
    preset: str | None = None
    face: str = "all"
    no_detect: bool = False
    flip: bool = False
    min_score: float | None = None
    min_face_size: float | None = None
    require_face: bool = False
    rotate: Rotation = "never"

    @property
    def looks_around(self) -> bool:
        """True if each picture is looked at in its four turns."""
        return self.rotate == "auto"

    @property
    def named_preset(self) -> dict[str, str]:
        """The part of a document that names the preset; nothing without one."""
        return {} if self.preset is None else {"preset": self.preset}


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The device that models run on, and the amount of work at once.

    provider_option: texts DEVICE.NAME=VALUE. session_option: texts NAME=VALUE. threads: per model run; None divides the
    cores by the jobs. jobs: batches at work at once; None takes all cores. batch_size: pictures in a batch.
    """

    device: str = "auto"
    provider_option: tuple[str, ...] = ()
    session_option: tuple[str, ...] = ()
    engine_cache: Path | None = None
    threads: int | None = None
    jobs: int | None = None
    batch_size: int = 1


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """The form of the results, and their place.

    path: a file; None is stdout. folder: a folder or a URL for the files of a job, in the place of a file. format: None
    is a table on a terminal, else JSON. json: short for that format.
    """

    path: Path | None = None
    folder: str | None = None
    format: str | None = None
    json: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class FilmSettings:
    """The part of a film to read, and the files that it leaves.

    start, duration: seconds. max_fps: frames per second at most. max_frames: frames at most. retry: how often a live
    source is tried again, None for ever. frames: tell each frame. embeddings: tell each track's embedding. annotate: a
    file, or a folder for several films. codec: of it. audio: "copy" or "none". crops: a folder. mot: a file.
    """

    start: float = 0.0
    duration: float | None = None
    max_fps: float | None = None
    max_frames: int | None = None
    retry: int | None = None
    frames: bool = False
    embeddings: bool = False
    annotate: Path | None = None
    codec: str | None = None
    audio: str = "copy"
    crops: Path | None = None
    mot: Path | None = None


@dataclass(frozen=True, slots=True)
class JobSettings:
    """The way in which a job's shards are run; for commands whose output may be a folder.

    engine: name of an engine. engine_option: texts ENGINE.NAME=VALUE. workers: processes; None leaves it to the engine.
    shard: pictures that become one file; None
    makes fewer where the list is short. retry_failed: try the pictures that failed again.
    """

    engine: str = "local"
    engine_option: tuple[str, ...] = ()
    workers: int | None = None
    shard: int | None = None
    retry_failed: bool = False


# The names of a command's arguments, and the value that each of them receives.
GROUPS: dict[str, type] = {
    "reading": InputSettings,
    "plugins": PluginSettings,
    "running": RunSettings,
    "output": OutputSettings,
    "job": JobSettings,
}


def gathered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command have its shared options as the values of GROUPS that it names as arguments; see gathering."""
    return gathering()(command)


def gathering(**more: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that lets a command have its options as values: those of GROUPS, and `more` of its own.

    more: argument's name -> a dataclass whose fields are names of options. The options themselves are added by the
    decorators above this one, such as those of cli/options.py. A field whose option the command lacks keeps its
    default.
    """
    known = GROUPS | more

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        groups = {name: known[name] for name in inspect.signature(command).parameters if name in known}

        @functools.wraps(command)
        def called(**given: Any) -> Any:
            values = {
                name: group(**{own.name: given.pop(own.name) for own in fields(group) if own.name in given})
                for name, group in groups.items()
            }
            return command(**given, **values)

        return called

    return decorate
