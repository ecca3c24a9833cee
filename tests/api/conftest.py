"""One Faces for the tests that do not change it: its models are loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from facecli import Faces


@pytest.fixture(scope="session")
def faces() -> Iterator[Faces]:
    """The usual models, which are in the wheel, on one thread."""
    with Faces(threads=1, offline=True) as own:
        yield own
