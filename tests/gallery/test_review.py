from __future__ import annotations

import numpy as np
import pytest

from facecli.gallery import review as module
from facecli.gallery.review import Review, Reviewer
from facecli.pipeline.results import ImageResult
from tests.gallery.conftest import DIM, SPACE, face_of

AXES = np.eye(DIM, dtype=np.float32)


def result(embedding, score=0.9):
    quality = {"score": score, "size": 40.0, "sharpness": 12.3, "frontality": None}
    return ImageResult("a.jpg", 9, 9, 1, (0,), embeddings=embedding[None], measures=({"quality": quality},))


def test_nothing_is_asked_for(store):
    assert Reviewer(Review(), store).fault("Ada", result(AXES[0], 0.0)) is None


def test_quality(store):
    reviewer = Reviewer(Review(min_quality=0.5), store)
    assert reviewer.fault("Ada", result(AXES[0], 0.5)) is None
    fault = reviewer.fault("Ada", result(AXES[0], 0.4))
    assert fault.code == "low_quality"
    assert "(score 0.4, size 40, sharpness 12.3); lower min_quality" in str(fault)


def test_templates_of_the_gallery_and_of_this_run_count(store):
    store.add("Ada", face_of(AXES[0], "0.jpg"), SPACE)
    reviewer = Reviewer(Review(max_templates=2), store)
    assert reviewer.fault("ADA", result(AXES[1])) is None
    reviewer.enrolled("ADA", result(AXES[1]))
    assert reviewer.fault("Ada", result(AXES[2])).code == "enough"
    assert reviewer.fault("Grace", result(AXES[2])) is None


@pytest.mark.parametrize("recent", [0, 2, 2048])
def test_face_that_is_nearer_to_somebody_else(store, monkeypatch, recent):
    """People who are stored before and in this run, whether or not the index is made anew meanwhile."""
    monkeypatch.setattr(module, "RECENT", recent)
    store.add("Ada", face_of(AXES[0], "0.jpg"), SPACE)
    reviewer = Reviewer(Review(strict=True), store)

    def enroll(name, embedding, picture):
        fault = reviewer.fault(name, result(embedding))
        if fault is None:
            store.add(name, face_of(embedding, picture), SPACE)
            reviewer.enrolled(name, result(embedding))
        return None if fault is None else fault.code

    assert enroll("Grace", AXES[0], "1.jpg") is None  # her first: nothing tells what she looks like
    assert enroll("Grace", AXES[1], "2.jpg") is None  # as far from Ada as from Grace
    assert enroll("Ada", AXES[1] + 0.1 * AXES[0], "3.jpg") == "conflict"
    assert enroll("Ada", AXES[0] + 0.1 * AXES[2], "4.jpg") is None
    assert enroll("Grace", AXES[0] + 0.3 * AXES[2], "5.jpg") == "conflict"
    assert enroll("Emmy", AXES[2], "6.jpg") is None
    assert enroll("ada", AXES[2] + 0.1 * AXES[0], "7.jpg") == "conflict"
    fault = reviewer.fault("ada", result(AXES[2] + 0.1 * AXES[0]))
    assert "nearer to Emmy (0.005) than to ada" in str(fault)
