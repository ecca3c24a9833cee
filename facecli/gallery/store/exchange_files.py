"""A gallery as a file for other programs and other galleries: .npz, .parquet, or .zip with the crops that were kept.

.npz: the arrays of exchange, without pickles. .parquet: a row for each face, the rest in the schema's metadata; names
of pictures are bytes. .zip: gallery.npz, and people/NAME/ROW.jpg, a folder for each person, which `facecli enroll`
takes as well; faces of nobody lie in `unnamed`.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from facecli.errors import GalleryError, UsageError
from facecli.gallery.store import exchange
from facecli.gallery.store.exchange import Arrays, Contents
from facecli.gallery.store.place import OWNER_ONLY
from facecli.gallery.store.store import GalleryStore
from facecli.system.files import require_file, staged
from facecli.system.parquet import import_pyarrow

DENSEST = 50  # times that a part may be larger than its part of the file: names and boxes repeat, embeddings do not
SLACK = 10_000  # bytes that a part may have in any case
ARRAYS, CROP = "gallery.npz", re.compile(r"(?:people/[^/]+|unnamed)/(\d{1,9})\.jpg")  # members of a .zip
MOST_CROP = 200_000  # bytes; the pixels of a crop have fewer
BOX, POINTS = 4, 10  # numbers of a bbox, and of landmarks
FACTS = ("form", "identity", "dim", "rejection_face", "rejection_person")  # of the whole gallery, not of a face


def export(store: GalleryStore, target: Path) -> int:
    """Write a gallery into a file, which its owner alone may read; return how many faces.

    Raises UsageError for another suffix, an empty gallery, a .zip where no crops were kept, and a .parquet without
    pyarrow; OutputError.
    """
    write = {".npz": _write_npz, ".parquet": _write_parquet, ".zip": _write_zip}.get(target.suffix.lower())
    if write is None:
        hint = "choose a name that ends in .npz, .parquet or .zip"
        raise UsageError(f"{target} can not be written: its kind is not known", hint=hint)
    contents = exchange.contents(store)
    with staged(target, parents=False) as temporary:
        temporary.chmod(OWNER_ONLY)
        write(temporary, contents)
    return len(contents.arrays["person"])


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """Give what an exported file has. Raises GalleryError, also within the block, for one that is none or damaged."""
    try:
        require_file(path)
        if path.suffix.lower() == ".parquet":
            arrays = _read_parquet(path)
            exchange.check(arrays)
            yield Contents(arrays, lambda _row: None)
            return
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive)
            crops = {int(match[1]): name for name in archive.namelist() if (match := CROP.fullmatch(name))}
            with archive.open(ARRAYS) if ARRAYS in archive.namelist() else path.open("rb") as stream:
                arrays = _read_npz(stream)
            exchange.check(arrays)
            yield Contents(arrays, _crops(archive, crops))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        message = f"{path} is no exported gallery, or is damaged: {str(error) or type(error).__name__}"
        raise GalleryError(message, hint="name a file that `facecli gallery export` wrote") from error


def _write_npz(path: Path, contents: Contents) -> None:
    with path.open("wb") as stream:
        np.savez(stream, **contents.arrays)  # type: ignore[arg-type] # no name of an array is an option


def _write_zip(path: Path, contents: Contents) -> None:
    kept = 0
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(ARRAYS, "w", force_zip64=True) as stream:
            np.savez(stream, **contents.arrays)  # type: ignore[arg-type]
        for row, person in enumerate(contents.arrays["person"].tolist()):
            crop = contents.crop(row)
            if crop is not None:
                archive.writestr(f"{_folder(person)}/{row}.jpg", crop)
                kept += 1
    if not kept:
        hint = "enroll with {crops}, or choose a name that ends in .npz"
        raise UsageError("no crops of faces were kept in the gallery", hint=hint, about="crops")


def _write_parquet(path: Path, contents: Contents) -> None:
    arrow, files = import_pyarrow()
    arrays = contents.arrays
    facts = {name: arrays[name].tolist() for name in FACTS}
    columns = {name: arrow.array(arrays[name].tolist()) for name in ("person", "kind", "score", "how")}
    columns["sha256"] = arrow.array([row.tobytes() for row in arrays["sha256"]], arrow.binary(32))
    columns["source"] = arrow.array([os.fsencode(name) for name in arrays["source"].tolist()], arrow.binary())
    columns["width"], columns["height"] = (arrow.array(side) for side in arrays["size"].T.copy())
    for name in ("bbox", "landmarks", "embedding"):
        rows = arrays[name].reshape(len(arrays[name]), -1)
        columns[name] = arrow.FixedSizeListArray.from_arrays(rows.reshape(-1), rows.shape[1])
    table = arrow.table(columns).replace_schema_metadata({"facecli": json.dumps(facts)})
    files.write_table(table, path)


def _read_npz(stream: IO[bytes]) -> Arrays:
    with zipfile.ZipFile(stream) as archive:
        _check_sizes(archive)
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as file:
        return dict(file)


def _read_parquet(path: Path) -> Arrays:
    arrow, files = import_pyarrow("reading .parquet")
    try:
        with files.ParquetFile(path) as file:
            groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
            if sum(one.total_byte_size for one in groups) > DENSEST * path.stat().st_size + SLACK:
                raise ValueError("its columns are far larger than the file")
            table = file.read()
    except arrow.ArrowException as error:
        raise ValueError(str(error)) from error
    facts = json.loads((table.schema.metadata or {})[b"facecli"])
    if any(column.null_count for column in table.columns):
        raise ValueError("a value is missing")

    def numbers(name: str, count: int) -> Any:
        return np.array(table[name].to_pylist(), np.float32).reshape(-1, count)

    sha256 = b"".join(table["sha256"].to_pylist())
    return {
        **{name: np.array(facts[name]) for name in ("form", "identity", "dim")},
        "rejection_face": np.array(facts["rejection_face"], np.int64),
        "rejection_person": np.array(facts["rejection_person"], np.str_),
        **{name: np.array(table[name].to_pylist(), np.str_) for name in ("person", "kind", "how")},
        "source": np.array([os.fsdecode(name) for name in table["source"].to_pylist()], np.str_),
        "sha256": np.frombuffer(sha256, np.uint8).reshape(-1, 32),
        "size": np.array([table[side].to_pylist() for side in ("width", "height")], np.int64).T,
        "score": np.array(table["score"].to_pylist(), np.float64),
        "bbox": numbers("bbox", BOX),
        "landmarks": numbers("landmarks", POINTS).reshape(-1, 5, 2),
        "embedding": numbers("embedding", int(facts["dim"])),
    }


def _crops(archive: zipfile.ZipFile, members: dict[int, str]) -> Callable[[int], bytes | None]:
    """Return what returns the crop of a row; it raises ValueError for one that is none."""

    def crop(row: int) -> bytes | None:
        if row not in members:
            return None
        if archive.getinfo(members[row]).file_size > MOST_CROP:
            raise ValueError(f"{members[row]} is too large for a crop")
        content = archive.read(members[row])
        if not content.startswith(b"\xff\xd8\xff"):
            raise ValueError(f"{members[row]} is no JPEG")
        return content

    return crop


def _folder(person: str) -> str:
    """Return the folder of a person's crops in a .zip."""
    plain = re.sub(r'[/\\:*?"<>|\x00-\x1f]', "_", person).strip(" .")[:100]
    return f"people/{plain or '_'}" if person else "unnamed"


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Raise ValueError for a file whose parts would fill the memory, before any is read."""
    if any(one.file_size > DENSEST * one.compress_size + SLACK for one in archive.infolist()):
        raise ValueError("an array is far larger than its part of the file")
