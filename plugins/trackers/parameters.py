"""The parameters of trackers, checked for what they mean."""

from __future__ import annotations

from facecli.contract import Parameters
from facecli.errors import UsageError
from facecli.plugins.trackers.tracks import Life


def life_of(plugin: str, parameters: Parameters) -> Life:
    """Return the bounds of a track's life. Raises UsageError for numbers that can not be."""
    max_age, min_hits = float(parameters["max_age"]), parameters["min_hits"]
    if max_age <= 0:
        raise UsageError(f"{plugin}.max_age must be seconds, more than 0, got {max_age:g}")
    if min_hits < 0 or min_hits != int(min_hits):
        raise UsageError(f"{plugin}.min_hits must be a whole number of detections, got {min_hits}")
    return Life(max_age, int(min_hits))


def part_of(plugin: str, parameters: Parameters, name: str) -> float:
    """Return a parameter that is a share, of an overlap or a score. Raises UsageError unless it is within 0 and 1."""
    value = float(parameters[name])
    if not 0 <= value <= 1:
        raise UsageError(f"{plugin}.{name} must lie within 0 and 1, got {value:g}")
    return value
