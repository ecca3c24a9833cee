"""Pictures sorted by people: a folder for each person, of copies or links, or a list of who is where.

A new folder appears whole or not at all. In one that is there already, even an empty one, each file does, and nothing
is deleted.
"""

from __future__ import annotations

import filecmp
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, get_args

from facecli.clustering.clusters import Cluster, Clustering
from facecli.errors import InputError, UsageError
from facecli.output import clusterings
from facecli.output.records import Record
from facecli.output.sink import dumps
from facecli.system.files import make_folder, staged, write_bytes
from facecli.system.folders import check_writable, is_used, staged_folder
from facecli.system.portable_names import PortableNames, portable, shortened
from facecli.system.spreadsheet import Writer

Mode = Literal["copy", "link", "csv"]
MODES = get_args(Mode)
RESULT, LIST = "cluster.json", "people.csv"  # what stands beside the folders of people


def earlier_ids(folder: Path, max_bytes: int, *, update: bool) -> dict[str, str]:
    """Return the ids that people have in a folder of an earlier run, none for a new folder.

    update: whether pictures may be added to what is there. Raises UsageError for a folder that is not empty without
    `update`, and for one that is no result of ours; InputError for a damaged result; OutputError for a folder that can
    not be written, before any work is done for it.
    """
    if not is_used(folder):
        check_writable(folder)
        return {}
    if not update:
        message = f"{folder} is not empty"
        hint = "name another folder, or give {update} to add to what an earlier run has written there"
        raise UsageError(message, hint=hint, about="update")
    if not (folder / RESULT).is_file():
        raise UsageError(f"{folder} is not empty, and no earlier run has written it", hint="name another folder")
    check_writable(folder)
    return clusterings.read_ids(folder / RESULT, max_bytes)


def write(folder: Path, clustering: Clustering, document: Record, mode: Mode) -> Record:
    """Write the pictures of each person, and the document; return what was written, as the document tells it.

    Raises InputError, before anything is written, for a picture that is no file here; OutputError.
    """
    people = [] if mode == "csv" else list(_pictures(clustering.clusters))
    written: Record = {"folder": str(folder), "mode": mode, "people": len(clustering.clusters), "files": 0}
    if not folder.exists():
        with staged_folder(folder) as temporary:
            written["files"] = sum(_put(temporary / name, sources, _into(mode)) for name, sources in people)
            _finish(temporary, document | {"written": written}, mode)
        return written
    for name, _ in people:
        make_folder(folder / name)
    written["files"] = sum(_put(folder / name, sources, _whole(_into(mode))) for name, sources in people)
    _finish(folder, document | {"written": written}, mode)
    return written


Put = Callable[[str, Path], object]


def _finish(folder: Path, document: Record, mode: Mode) -> None:
    if mode == "csv":
        text = io.StringIO()
        writer = Writer(text, clusterings.CSV_COLUMNS)
        writer.header()
        for row in clusterings.csv_rows(document):
            writer.row(row)
        write_bytes(folder / LIST, text.getvalue().encode("utf-8", "surrogateescape"))
    write_bytes(folder / RESULT, (dumps(document, indent=2) + "\n").encode())


def _pictures(clusters: Iterable[Cluster]) -> Iterable[tuple[str, list[str]]]:
    """Yield the name of each person's folder and the pictures that go there. Raises InputError for what is no file."""
    names = PortableNames(RESULT, LIST)
    for one in clusters:
        name = names.of(portable(one.person or "") or f"person-{one.id}", one.id)
        sources = list(dict.fromkeys(member.source for member in one.members if member.source is not None))
        for source in sources:
            if not os.path.isfile(source):  # noqa: PTH113 # a Path of a URL is another name
                message = f"{source} is no file here, so that it can not be copied"
                hint = "run this where the pictures are, or give {mode} csv"
                raise InputError(message, hint=hint, about="mode")
        yield name, sources


def _put(folder: Path, sources: Iterable[str], put: Put) -> int:
    """Put pictures into a folder, each once, under its own name or, where another has that, a name with a hash."""
    folder.mkdir(exist_ok=True)
    count = 0
    for source in sources:
        name = Path(source)
        digest = hashlib.sha256(os.fsencode(source)).hexdigest()[:8]
        for target in (folder / name.name, folder / f"{shortened(name.stem)}-{digest}{name.suffix}"):
            if not os.path.lexists(target):
                put(source, target)
                count += 1
                break
            if _same(source, target):
                break
    return count


def _same(source: str, target: Path) -> bool:
    return target.is_file() and filecmp.cmp(source, target, shallow=False)


def _into(mode: Mode) -> Put:
    if mode == "link":
        return lambda source, target: target.symlink_to(Path(source).resolve())
    return shutil.copy2  # with the time: photographs are sorted by it


def _whole(put: Put) -> Put:
    """Return a way to put a file that appears whole or not at all."""

    def staging(source: str, target: Path) -> None:
        with staged(target) as temporary:
            temporary.unlink()
            put(source, temporary)

    return staging
