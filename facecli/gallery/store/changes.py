"""Changes of people that a user makes by hand."""

from __future__ import annotations

from facecli.errors import UsageError
from facecli.gallery import names
from facecli.gallery.store.records import Person
from facecli.gallery.store.store import GalleryStore


def rename(store: GalleryStore, person: Person, name: str) -> Person:
    """Give a person another name, and return the person. Raises UsageError for a name that somebody else has."""
    with store.database.transaction():
        query = "SELECT name FROM person WHERE key = ? AND id != ?"
        if taken := store.database.rows(query, (names.key(name), person.id)):
            hint = "choose another name"
            raise UsageError(f"somebody else is called {taken[0][0]}", hint=hint)
        sql = "UPDATE person SET name = ?, key = ? WHERE id = ?"
        store.database.change(sql, (names.clean(name), names.key(name), person.id))
    return store.person(name)
