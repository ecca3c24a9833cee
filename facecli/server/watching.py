"""The thread that enrolls what is put into a dataset's unTrained_data."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from facecli.errors import FacecliError, InputError, OutputError
from facecli.gallery import names
from facecli.gallery.labelling import Labelled
from facecli.pictures.sources import Source, read_file
from facecli.server.dataset import Dataset, Waiting
from facecli.server.people import People
from facecli.types import Limits

SECONDS = 1.0  # between two looks; a file that changes between them is still being written

log = logging.getLogger("facecli.server")


class Watch:
    """Looks after a dataset until it is told to end."""

    def __init__(self, dataset: Dataset, people: People) -> None:
        self._dataset, self._people = dataset, people
        self._seen: dict[Path, tuple[int, int]] = {}  # files with their marks when they were looked at last
        self._refused: dict[Path, tuple[int, int]] = {}  # those that could not be used, and are not tried again
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dataset", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after the picture that is at work."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Enroll the pictures that have not changed since the last look. Raises OutputError, GalleryError."""
        waiting = list(self._dataset.waiting())
        for picture in waiting:
            if self._end.is_set():
                return
            if self._seen.get(picture.path) == picture.mark != self._refused.get(picture.path):
                self._take(picture)
        self._seen = {picture.path: picture.mark for picture in waiting}

    def _take(self, picture: Waiting) -> None:
        path = picture.path

        def read(_name: str, limits: Limits, large: Callable[[], None]) -> bytes:
            return read_file(str(path), limits, large)

        try:
            labelled = Labelled(Source(picture.target, read), names.clean(picture.person))
            (outcome,) = self._people.enrolled([labelled])
        except OutputError:
            raise
        except FacecliError as error:
            failure: FacecliError | None = error
        else:
            failure = outcome.error
            if outcome.status == "not_this_person":
                failure = InputError(f"somebody said that it does not show {picture.person}")
        if failure is None:
            self._dataset.trained(picture)
        else:
            self._refused[path] = picture.mark
            log.warning("%s is not enrolled: %s", path, failure)

    def _run(self) -> None:
        told = ""
        while not self._end.wait(SECONDS):
            try:
                self.look()
            except FacecliError as error:
                if str(error) != told:  # once, not every second
                    told = str(error)
                    log.error("the dataset can not be looked after: %s", error)  # noqa: TRY400 # it is told in words
            except Exception:
                log.exception("the dataset is not looked after any more")
                return
