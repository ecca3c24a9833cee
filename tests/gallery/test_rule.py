from __future__ import annotations

import pytest

from facecli.contract import CropSpec, OperatingPoint, RecognizerPlugin
from facecli.errors import UsageError
from facecli.gallery.calibration import leave_one_out
from facecli.gallery.index import Index
from facecli.gallery.rule import MARGIN, Wish, near_rate, rule_for
from tests.gallery.conftest import templates_of

RATES = ((0.01, 0.5), (0.001, 0.4), (0.0001, 0.3))


def plugin(by_fmr=RATES):
    point = OperatingPoint("cosine", 0.637, "a test", by_fmr=by_fmr)
    return RecognizerPlugin("made-up", "", lambda *_: None, CropSpec.arcface(112), 16, True, point)  # type: ignore[arg-type,return-value]


@pytest.fixture
def gallery(crowd):
    def make(people, each=1):
        return Index(templates_of(*crowd(people, each)))

    return make


def test_users_threshold_comes_first(gallery):
    rule = rule_for(Wish(threshold=0.2), gallery(3), plugin(), ())
    assert (rule.threshold, rule.source, rule.fpir, rule.near) == (0.2, "given by the user", None, None)
    assert rule.margin == pytest.approx(MARGIN * 0.2)
    assert rule_for(Wish(threshold=0.2, margin=0.0), gallery(3), plugin(), ()).margin == 0.0
    with pytest.raises(UsageError, match="exclude each other"):
        rule_for(Wish(threshold=0.2, fpir=0.1), gallery(3), plugin(), ())


def test_small_gallery_takes_the_fmr_of_its_size(gallery):
    five = rule_for(Wish(), gallery(5), plugin(), ())  # 0.01 / 5 = 0.002
    assert (five.threshold, five.fpir, five.near) == (0.4, 0.01, 0.5)
    assert "FMR 0.001" in five.source
    assert rule_for(Wish(), gallery(15), plugin(), ()).threshold == 0.3
    assert rule_for(Wish(fpir=0.1), gallery(5), plugin(), ()).threshold == 0.5
    assert rule_for(Wish(), gallery(1), plugin(), ()).threshold == 0.5


def test_threshold_of_verify_is_never_taken(gallery):
    for wish in (Wish(), Wish(fpir=0.1), Wish(fpir=0.001)):
        with pytest.raises(UsageError, match=r"too small to calibrate.*was not measured at an FMR") as told:
            rule_for(wish, gallery(5), plugin(by_fmr=()), ())
        assert "facecli calibrate" in str(told.value)
    with pytest.raises(UsageError, match="FMR of 5e-05"):
        rule_for(Wish(fpir=0.00025), gallery(5), plugin(), ())


def test_points_of_the_user_come_before_the_catalogue(gallery):
    own = OperatingPoint("cosine", 0.45, "mine", by_fmr=((0.002, 0.42),))
    assert rule_for(Wish(), gallery(5), plugin(), (own,)).threshold == 0.42
    assert rule_for(Wish(), gallery(7), plugin(), (own,)).threshold == 0.4  # the user's rate is too high for 7 people


def test_large_gallery_measures_itself(gallery):
    index = gallery(60, 5)
    rule = rule_for(Wish(), index, plugin(), ())
    assert rule.source == "leaving one person out: 300 searches among 60 people"
    assert (index.without_own(list(range(300))) <= rule.threshold).sum() == 3
    assert rule.near is not None
    assert rule.near > rule.threshold


def test_kept_points_give_the_rule_that_the_gallery_measures(gallery):
    index = gallery(60, 5)
    measured = rule_for(Wish(), index, plugin(), ())
    kept = leave_one_out(index, (0.01, near_rate(0.01)))
    assert rule_for(Wish(), index, plugin(), (), kept) == measured
