from __future__ import annotations

import pytest

from facecli.gallery.store import cache, changes
from facecli.gallery.store.cache_check import fault


def test_fault_of_a_cache(staffed):
    assert fault(staffed) is None  # there is none
    cache.open_index(staffed, least=1)
    assert fault(staffed) is None
    file = staffed.path.with_name("staff.db.index")
    whole = file.read_bytes()
    place = cache.HEADER + 400
    file.write_bytes(whole[:place] + b"\x55" * 16 + whole[place + 16 :])
    assert "is damaged" in fault(staffed)
    file.write_bytes(b"[]")
    assert fault(staffed) is None  # of no state
    file.write_bytes(whole)
    changes.rename(staffed, staffed.person("Ada"), "Augusta")
    assert fault(staffed) is None  # of another state


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE template SET embedding = (SELECT embedding FROM template WHERE face = 3) WHERE face = 2",
        "UPDATE person SET name = 'Eda' WHERE name = 'Ada'",
        "UPDATE person SET kind = 'ignored' WHERE name = 'Ada'",
        "UPDATE face SET person = 2 WHERE id = 2",
        "DELETE FROM face WHERE id = 6",
    ],
)
def test_cache_that_differs_from_the_gallery(staffed, change):
    """Which another program has changed without leaving a new state."""
    cache.open_index(staffed, least=1)
    staffed.database.change("PRAGMA foreign_keys = OFF")
    staffed.database.change(change)
    assert "differs from the gallery" in fault(staffed)
