"""The place of a gallery file: in which folder, with which rights, and on which kind of file system it may lie."""

from __future__ import annotations

import os
from pathlib import Path

from facecli.errors import GalleryError, OutputError
from facecli.system import home
from facecli.system.files import is_folder

DEFAULT_NAME = "gallery.db"
OWNER_ONLY = 0o600  # embeddings are protected as pictures of faces are
# SQLite's write-ahead log needs memory that all readers of the file share: over a network there is none.
NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ncpfs", "fuse.glusterfs", "fuse.s3fs")


def default_path() -> Path:
    """Return the gallery of a user who names none: gallery.db in FACECLI_HOME or the user's data folder."""
    return home.folder() / DEFAULT_NAME


def prepare(path: Path) -> None:
    """Make an empty file for a new gallery that its owner alone may read. Nothing happens to one that has content.

    Raises OutputError where the file system refuses, GalleryError on a network file system.
    """
    if is_folder(path):
        raise GalleryError(f"{path} is a folder", hint="name a file for the gallery")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        check_local(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        try:
            if not os.fstat(descriptor).st_size:
                path.chmod(OWNER_ONLY)
        finally:
            os.close(descriptor)
    except OSError as error:
        hint = "choose another place with {gallery}"
        raise OutputError(f"can not write {path}: {error.strerror}", hint=hint, about="gallery") from error


def check_local(path: Path, mounts: str = "/proc/self/mounts") -> None:
    """Raise GalleryError for a file on a network file system. mounts: the kernel's list; without one all pass."""
    try:
        lines = Path(mounts).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    kinds = {fields[1].replace("\\040", " "): fields[2] for fields in map(str.split, lines)}
    folder = path.resolve().parent
    kind = next((kinds[str(one)] for one in (folder, *folder.parents) if str(one) in kinds), "")
    if kind in NETWORK:
        message = f"{path} lies on a network file system ({kind}), where a gallery could be damaged"
        raise GalleryError(message, hint="keep it on a disk of this machine")
