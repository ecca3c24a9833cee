"""A job in its folder: begun once, when its list of pictures is frozen, and taken up again by the same command."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from facecli.errors import UsageError
from facecli.output.records import header
from facecli.output.sink import dumps
from facecli.pictures.sources import URL
from facecli.places.place import Place
from facecli.scale import listing
from facecli.scale.differences import differences
from facecli.scale.query import Query
from facecli.scale.sources import named
from facecli.system.files import sha256_of

FILE = "job.json"
AGAIN = "repeat its command, name another {output}, or remove the folder"
STREAM = "a stream"  # in the place of a list's hash: it can be read once


@dataclass(frozen=True, slots=True)
class Inputs:
    """The names that a user gave: files, folders, globs, URLs, and lists of further names; "-" is a list on stdin."""

    names: Sequence[str] = ()
    files_from: str | None = None
    files_from0: str | None = None

    def listed(self) -> Iterator[str]:
        """Yield the name of each picture and archive; see scale.sources.named."""
        return named(self.names, files_from=self.files_from, files_from0=self.files_from0)

    def identity(self) -> dict[str, Any]:
        """Return the inputs as another command can be compared with; of a list the hash of what is in it."""
        names = [name if URL.match(name) else os.path.abspath(name) for name in self.names]  # noqa: PTH100
        return {
            "inputs": names,
            **{f"{name}": _hash(getattr(self, name)) for name in ("files_from", "files_from0")},
        }


@dataclass(frozen=True, slots=True)
class Job:
    """A job whose list is frozen.

    query: with the folder that the list's names start from. listing: name of the list in the folder. shards, pictures:
    how many; an archive counts as one picture here. archives: how many of them. resumed: the job was in the folder.
    """

    query: Query
    listing: str
    shards: int
    pictures: int
    archives: int
    resumed: bool


def opened(place: Place, query: Query, inputs: Inputs, size: int | None) -> Job:
    """Return the job of a place: the one that is there, or a new one. size: names in a shard; None: any.

    The list is frozen first and job.json is written last: a command that was killed before begins anew. Raises
    UsageError if another job is there, naming what differs, and what Query.identity and `named` raise.
    """
    asked = query.identity() | inputs.identity() | {"shard": size}
    if (there := _there(place)) is not None:
        return _resumed(place, there, asked, query, inputs)
    if place.names("pictures") or place.names("faces"):
        message = "the folder holds shards and no job.json"
        raise UsageError(message, hint="name another {output}", about="output")
    frozen = listing.freeze(inputs.listed(), place, size)
    folder = os.getcwd()  # noqa: PTH109
    document = header("job", asked=asked, listing=asdict(frozen), folder=folder)
    if not place.create(FILE, dumps(document, indent=2).encode()):  # another command was first
        there = _there(place)
        assert there is not None
        listing.keep(place, str(there["listing"]["name"]))
        return _resumed(place, there, asked, query, inputs)
    listing.keep(place, frozen.name)
    return Job(replace(query, folder=folder), frozen.name, frozen.shards, frozen.names, frozen.archives, resumed=False)


def _there(place: Place) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(place.read(FILE))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise UsageError("job.json is damaged", hint="name another {output}", about="output") from error
    return content


def _resumed(place: Place, there: dict[str, Any], asked: dict[str, Any], query: Query, inputs: Inputs) -> Job:
    try:
        if there["schema"] != (own := header("job")["schema"]):
            message = f"job.json is a {str(there['schema'])[:60]}, not a {own}: another version of facecli has begun it"
            raise UsageError(message, hint="go on with that version, or name another {output}", about="output")
        theirs, about, folder = dict(there["asked"]), there["listing"], str(there["folder"])
        shards, names, archives = (int(about[name]) for name in ("shards", "names", "archives"))
        name, sha256 = str(about["name"]), str(about["sha256"])
        job = Job(replace(query, folder=folder), name, shards, names, archives, resumed=True)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError("job.json is of no job of facecli", hint="name another {output}", about="output") from error
    if asked["shard"] is None:
        asked = asked | {"shard": theirs.get("shard")}
    found = differences(json.loads(json.dumps(asked)), theirs)
    if STREAM in (asked["files_from"], asked["files_from0"]) and not found:
        found = [] if listing.hashed(inputs.listed()) == sha256 else ["the list of names is another one"]
    if found:
        more = f", and {len(found) - 3} more" if len(found) > 3 else ""
        message = f"another job is in the folder: {'; '.join(found[:3])}{more}"
        raise UsageError(
            message, hint="repeat its command, name another {output}, or remove the folder", about="output"
        )
    listing.check(place, job.listing, job.shards, sha256)
    return job


def _hash(name: str | None) -> str | None:
    """Return the sha256 of a list, STREAM for one that can be read once, None where none is named."""
    if name is None:
        return None
    try:
        regular = name != "-" and stat.S_ISREG(Path(name).stat().st_mode)
        return sha256_of(Path(name)) if regular else STREAM
    except OSError:  # which opening it tells
        return STREAM
