"""The options of a request of CompreFace's clients."""

from __future__ import annotations

from dataclasses import dataclass

from facecli.errors import UsageError

PLUGINS = {"landmarks": None, "calculator": None, "age": "age", "gender": "gender"}  # slug -> attribute


@dataclass(frozen=True, slots=True)
class Options:
    """The wishes of a request. limit: most faces, the largest first; 0 is all of them. predictions: subjects a face."""

    limit: int = 0
    predictions: int = 1
    min_score: float = 0.0
    plugins: tuple[str, ...] = ()
    status: bool = False

    def __post_init__(self) -> None:
        for name in self.plugins:
            if name not in PLUGINS:
                raise UsageError(f"there is no plugin {name!r:.40}", hint=f"there is {', '.join(PLUGINS)}")
