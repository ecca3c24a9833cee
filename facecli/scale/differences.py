"""The differences between two jobs, in words: what a command asks beside what the job in its folder was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Return where two identities differ, each as "recognizer.plugin is sface there, dlib-resnet here".

    ours: of this command. theirs: of the job in the folder.
    """
    found = []
    for key in dict.fromkeys((*theirs, *ours)):
        here, there = ours.get(key), theirs.get(key)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found += [f"{key}.{one}" for one in differences(here, there)]
        elif here != there:
            found.append(f"{key} is {_shown(there)} there, {_shown(here)} here")
    return found


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and "plugin" in value:
        value = value["plugin"]
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = ", ".join(map(str, value))
    return str(value)[:60] or "nothing"
