"""FER2013 with FER+'s votes is read as it is, and its rules are those of its authors."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from facecli.errors import InputError
from facecli.models.training import fer2013


def faces(votes, others):
    count = len(votes)
    pixels = np.arange(count, dtype=np.uint8)[:, None, None] * np.ones((48, 48), np.uint8)
    return fer2013.Faces(pixels, np.zeros(count, np.int64), np.array(votes), np.array(others))


def test_both_label_sets_are_read_in_one_order(data):
    splits = fer2013.read(data)
    assert {name: len(found) for name, found in splits.items()} == {"Training": 200, "PublicTest": 40}
    found = fer2013.examples(splits["Training"])
    assert found.targets["fer2013"].argmax(1).tolist() == found.targets["ferplus"].argmax(1).tolist()
    assert np.allclose(found.targets["ferplus"].sum(1), 1)
    assert (splits["Training"].others == [0, 2, 0]).all()


def test_no_vote_for_the_seven_is_even():
    found = fer2013.shares(faces([[0] * 7, [2, 2, 0, 0, 0, 0, 0]], [[10, 0, 0], [0, 6, 0]]))
    assert np.allclose(found, [[1 / 7] * 7, [0.5, 0.5] + [0] * 5])


def test_what_votes_make_likely():
    votes = np.eye(7, dtype=np.int64)[np.repeat([0, 1], 100)] * 10
    pictures = fer2013.Faces(
        np.zeros((200, 48, 48), np.uint8),
        np.where(np.arange(200) % 10 < 7, np.repeat([0, 1], 100), 6),  # 30 % of the labels are not what was voted
        votes,
        np.zeros((200, 3), np.int64),
    )
    likely = fer2013.likely_labels(pictures)
    wanted = [[0.7, 0, 0, 0, 0, 0, 0.3], [0, 0.7, 0, 0, 0, 0, 0.3]]
    assert np.allclose(likely, np.repeat(wanted, 100, axis=0), atol=0.02)
    mixed = fer2013.examples(pictures, 0.5).targets["fer2013"]
    assert np.allclose(mixed, likely / 2 + np.eye(7)[pictures.label] / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("votes", "others", "majority", "plurality"),
    [
        ([6, 0, 0, 4, 0, 0, 0], [0, 0, 0], True, True),
        ([5, 0, 0, 4, 0, 0, 0], [1, 0, 0], True, True),  # the one other vote is an outlier
        ([5, 0, 0, 3, 0, 0, 0], [0, 2, 0], False, True),  # half is not more than half
        ([5, 0, 0, 3, 0, 0, 0], [1, 1, 0], True, True),  # two single votes are two outliers
        ([4, 0, 0, 4, 0, 0, 0], [2, 0, 0], False, False),
        ([3, 0, 0, 1, 0, 0, 0], [0, 0, 6], False, False),
        ([0, 0, 0, 0, 0, 0, 0], [0, 0, 10], False, False),
    ],
)
def test_the_rules_of_the_votes(votes, others, majority, plurality):
    found = faces([votes], [others])
    assert fer2013.majority(found).tolist() == [majority]
    assert fer2013.plurality(found).tolist() == [plurality]


def test_what_is_no_such_file_is_refused(tmp_path, data):
    with pytest.raises(InputError, match=r"no\.npz can not be read"):
        fer2013.read(tmp_path / "no.npz")
    (tmp_path / "text.npz").write_text("text", "utf-8")
    with pytest.raises(InputError, match=r"text\.npz is no FER2013 \.npz"):
        fer2013.read(tmp_path / "text.npz")
    with np.load(data) as file:
        arrays = dict(file)
    np.savez(tmp_path / "less.npz", **{key: arrays[key] for key in arrays if key != "votes"})
    with pytest.raises(InputError, match=r"less\.npz is no FER2013 \.npz.*it needs pixels"):
        fer2013.read(tmp_path / "less.npz")
    np.savez(tmp_path / "small.npz", **arrays | {"pixels": arrays["pixels"][:, ::2]})
    with pytest.raises(InputError, match=r"pixels must be \(N, 48, 48\) uint8"):
        fer2013.read(tmp_path / "small.npz")
    np.savez(tmp_path / "other.npz", **arrays | {"label_names": arrays["label_names"][::-1]})
    with pytest.raises(InputError, match="has other classes than angry"):
        fer2013.read(tmp_path / "other.npz")
    np.savez(tmp_path / "split.npz", **arrays | {"split_names": np.array(["Training", "Test"])})
    with pytest.raises(InputError, match="has not the splits Training, PublicTest"):
        fer2013.read(tmp_path / "split.npz")
    np.savez(tmp_path / "label.npz", **arrays | {"label": arrays["label"] + 3})
    with pytest.raises(InputError, match="a label is 9, the last is 6"):
        fer2013.read(tmp_path / "label.npz")
    np.savez(tmp_path / "pickled.npz", **arrays | {"votes": arrays["votes"].astype(object)})
    with pytest.raises(InputError, match=r"pickled\.npz is no FER2013 \.npz"):
        fer2013.read(tmp_path / "pickled.npz")
