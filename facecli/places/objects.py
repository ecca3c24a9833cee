"""Object stores, such as s3:// and gs://, through fsspec: its file systems, and its failures as errors of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from facecli.errors import DeviceError, FacecliError, UsageError, class_and_first_line
from facecli.redaction import without_secrets

SMALL = 2**23  # bytes of an object that is fetched at once
# The distribution behind a scheme, for the hint where it is missing.
DISTRIBUTIONS = {
    "s3": "facecli[s3]",
    "s3a": "facecli[s3]",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
}


def opened(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the URL's path in it. Credentials are found as its library finds them.

    Raises DeviceError if fsspec or the scheme's library is not installed, UsageError for a scheme that nobody opens.
    """
    scheme = url.partition("://")[0].lower()
    try:
        import fsspec
    except ImportError as error:
        raise _missing(scheme) from error
    try:
        files, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise _missing(scheme) from error
    except ValueError as error:
        hint = "use s3://, gs://, or what else fsspec opens"
        raise UsageError(f"can not open {without_secrets(url)}: nothing knows {scheme}://", hint=hint) from error
    return files, str(path)


def fetched(files: Any, path: str, most: int, large: Callable[[], None]) -> bytes:
    """Return the bytes of an object, of a longer one no more than most + 1; a small one is one request.

    large: called before more than SMALL bytes are fetched. Raises what the file system raises.
    """
    first = min(SMALL, most + 1)
    head: bytes = files.cat_file(path, start=0, end=first)
    if len(head) < first or first > most:
        return head
    large()
    rest: bytes = files.cat_file(path, start=first - 1, end=most + 1)  # a range that begins at the end is an error
    return head[:-1] + rest


@contextmanager
def told(what: str, kind: type[FacecliError], *, keep: tuple[type[OSError], ...] = ()) -> Iterator[None]:
    """Turn what an object store raises into an error of a kind of ours. what: the beginning of its message.

    keep: what stays as it is.
    """
    try:
        yield
    except (FacecliError, KeyboardInterrupt):
        raise
    except keep:
        raise
    except Exception as error:  # each library has its own
        hint = "check the name, the credentials in the environment, and the network"
        raise kind(f"{what}: {without_secrets(class_and_first_line(error))}", hint=hint) from error


def _missing(scheme: str) -> DeviceError:
    package = DISTRIBUTIONS.get(scheme, "fsspec")
    return DeviceError(f"{scheme}:// is opened by a package that is not installed", hint=f'pip install "{package}"')
