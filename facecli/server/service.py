"""The parts of one running server: pictures, people, keys, queue. Everything that answers requests works with it."""

from __future__ import annotations

from facecli.api.faces import Faces
from facecli.output.records import Record
from facecli.server.access import Access
from facecli.server.accounts import Accounts
from facecli.server.dataset import Dataset
from facecli.server.downloads import Downloads
from facecli.server.earlier import Earlier
from facecli.server.jobs import Jobs
from facecli.server.keys import Keys
from facecli.server.looks import Looks
from facecli.server.people import People
from facecli.server.remote import Remote
from facecli.server.settings import Settings
from facecli.server.watching import Watch
from facecli.server.work import WorkQueue
from facecli.system.cores import available_cores


class Service:
    """The parts of one running server.

    faces: made for as many jobs as there are workers. Raises UsageError for a file of keys that is damaged,
    GalleryError for a gallery that can not be used, OutputError for folders of a dataset that can not be made.
    """

    def __init__(self, settings: Settings, faces: Faces, workers: int | None = None) -> None:
        self.settings = settings
        self.access = Access(None if settings.keys is None else Keys(settings.keys))
        self.queue = WorkQueue(workers or available_cores(), settings.queue, settings.seconds)
        self.remote = Remote(settings.allow_url)
        dataset = None if settings.dataset is None else Dataset(settings.dataset)
        gallery = faces.gallery(settings.gallery)
        gallery.store(create=True)
        self.looks = Looks(faces, gallery)
        self.people, self.jobs = People(self.looks, dataset), Jobs()
        self.watch = None if dataset is None else Watch(dataset, self.people)
        self.accounts = Accounts(self.looks, self.people)
        self.downloads = Downloads(settings.downloads)
        self.earlier = Earlier(self.looks, self.remote, self.downloads)

    def forget(self, uid: str) -> Record:
        """Forget a person, who is logged out, with what jobs may tell of them; return the receipt."""
        receipt = self.people.remove(uid)
        self.access.sessions.forget((uid,))
        self.jobs.clear()
        return receipt

    def close(self) -> None:
        """Let nothing more begin, and close the gallery's file."""
        self.queue.close()
        self.jobs.close()
        if self.watch is not None:
            self.watch.close()
        self.looks.gallery.close()
        self.downloads.close()
