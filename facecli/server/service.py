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
from facecli.server.pins import Pins
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
        self.pins = Pins(settings.gallery.with_name(f"{settings.gallery.name}.pins.json"))
        self.pins.forget({one.uid for one in self.people.store.people()})  # of a sign-up that was killed halfway
        self.accounts = Accounts(self.looks, self.people, self.pins)
        self.downloads = Downloads(settings.downloads)
        self.earlier = Earlier(self.looks, self.remote, self.downloads)

    def forget(self, uid: str) -> Record:
        """Forget a person, who is logged out; return the receipt."""
        receipt = self.people.remove(uid)
        self.forgotten()
        return receipt

    def forgotten(self) -> None:
        """Let go what sessions, PINs and jobs know of people who are not there any more."""
        here = {person.uid for person in self.people.store.people()}
        self.access.sessions.keep(here)
        self.pins.forget(here)
        self.jobs.clear()

    def close(self) -> None:
        """Let nothing more begin, and close the gallery's file."""
        self.queue.close()
        self.jobs.close()
        if self.watch is not None:
            self.watch.close()
        self.looks.gallery.close()
        self.downloads.close()
