"""Work that takes longer than a request: begun by one request, asked about by others, and done one after the other.

Jobs and their results are in memory. A server that ends has forgotten them, and the oldest makes room for the newest.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from facecli.errors import FacecliError
from facecli.output.records import Record
from facecli.server import refusals
from facecli.server.job import Job, StoppedError
from facecli.server.refusals import RefusalError

MOST, MOST_UNDONE = 20, 4  # jobs that are remembered; jobs that wait or run

log = logging.getLogger("facecli.server")


class Jobs:
    """The jobs of a server, which run in one thread beside the requests."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="job")

    def begin(self, kind: str, total: int, work: Callable[[Job], Record]) -> Job:
        """Return a new job, which does a piece of work as soon as those before it are done.

        Raises RefusalError if too many wait.
        """
        job = Job(kind, total)
        with self._lock:
            if sum(one.state in ("waiting", "running") for one in self._held.values()) >= MOST_UNDONE:
                message = f"{MOST_UNDONE} jobs are not done yet"
                raise RefusalError(429, "busy", message, hint="wait for one", headers={"Retry-After": "10"})
            self._held[job.id] = job
            while len(self._held) > MOST:
                self._held.popitem(last=False)
        self._pool.submit(_done, job, work)
        return job

    def get(self, number: str) -> Job:
        """Return a job by its id. Raises RefusalError if there is none."""
        found = self._held.get(number)
        if found is None:
            raise refusals.missing("job")
        return found

    def drop(self, number: str) -> None:
        """End a job, if it is not done, and forget it. Raises RefusalError if there is none."""
        self.get(number).stop.set()
        with self._lock:
            self._held.pop(number, None)

    def clear(self) -> None:
        """End and forget all jobs: their results may tell of somebody who is erased."""
        with self._lock:
            for job in self._held.values():
                job.stop.set()
            self._held.clear()

    def close(self) -> None:
        """Let nothing more begin, and end what runs."""
        self.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _done(job: Job, work: Callable[[Job], Record]) -> None:
    """Do the work of a job; a failure is told in it."""
    try:
        job.check()
        job.state = "running"
        job.result = work(job)
    except StoppedError:
        job.state = "cancelled"
    except (FacecliError, RefusalError) as error:
        job.error, job.state = error.as_dict(), "failed"
    except Exception:
        log.exception("a job of %s failed", job.kind)
        job.error, job.state = refusals.failed().as_dict(), "failed"
    else:
        job.state = "done"
