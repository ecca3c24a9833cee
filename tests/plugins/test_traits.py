"""Our network of age, gender and race: one file, one run per face, four attributes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facecli.labels import LABELS
from facecli.pipeline.estimate import estimate
from facecli.plugins.attributes.facecli_traits import AGES, FLOORS, HEADS, sorted_into

ALL = ("age", "gender", "race", "race7")


def test_four_attributes_of_one_file(run_cli: Callable, examples: Path) -> None:
    done = run_cli("analyze", examples / "collins.jpg", "--attributes", ",".join(ALL), "--json")
    assert done.returncode == 0, done.errors
    (face,) = done.json["images"][0]["faces"]
    assert list(face)[-4:] == list(ALL)
    assert 0 < face["age"]["low"] < face["age"]["value"] < face["age"]["high"] < 90
    assert face["age"]["spread"] > 0
    for name in ALL[1:]:
        assert list(face[name]["probabilities"]) == list(LABELS[name])
        assert sum(face[name]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    seven = face["race7"]["probabilities"]
    both = seven["east asian"] + seven["southeast asian"]
    assert face["race"]["probabilities"]["asian"] == pytest.approx(both, abs=1e-3)
    plugins = done.json["attributes"]
    assert {name: own["models"][0]["id"] for name, own in plugins.items()} == dict.fromkeys(ALL, "facecli-traits")


def test_two_pictures_of_one_person_and_an_older_one(run_cli: Callable, examples: Path) -> None:
    pictures = [examples / name for name in ("collins.jpg", "collins_variant.jpg", "hopper.jpg")]
    done = run_cli("analyze", *pictures, "--json")
    assert list(done.json["attributes"]) == ["age", "gender", "emotion"]
    first, again, older = (image["faces"][0] for image in done.json["images"])
    assert first["gender"]["label"] == again["gender"]["label"] == "woman"
    assert abs(first["age"]["value"] - again["age"]["value"]) < 8
    assert older["age"]["low"] > first["age"]["value"]


def test_a_table_and_a_csv_have_the_interval(run_cli: Callable, examples: Path) -> None:
    words = ("analyze", examples / "collins.jpg", "--attributes", "age,gender", "--format")
    header, row = run_cli(*words, "csv").stdout.decode().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    value, spread, low, high = (float(cells[f"age{part}"]) for part in ("", " spread", " low", " high"))
    assert low < value - spread / 2 and value + spread / 2 < high
    assert f"{value:.0f} ({low:.0f} to {high:.0f})" in run_cli(*words, "table", env={"COLUMNS": "200"}).stdout.decode()


def test_race_is_not_answered_unless_it_is_named(run_cli: Callable, examples: Path) -> None:
    face = run_cli("analyze", examples / "hopper.jpg", "--json").json["images"][0]["faces"][0]
    assert not {"race", "race7"} & face.keys()


def test_a_label_needs_more_than_its_floor() -> None:
    assert {name: floor for name, floor in FLOORS.items() if floor <= 1 / len(LABELS[name])} == {}


def test_an_age_is_a_mean_of_its_ranges_with_a_spread() -> None:
    sure = np.eye(len(AGES), dtype=np.float32)
    values = [estimate(AGES, row).value for row in sure]
    assert values == sorted(values) and all(0 <= value <= 90 for value in values)
    between = estimate(AGES, (sure[3] + sure[4]) / 2)
    assert (between.low, between.high) == (22.0, 38.0)
    assert between.value == pytest.approx((values[3] + values[4]) / 2)


def test_boxes_with_one_word_are_added_up() -> None:
    races = np.float32([[0.25, 0.125, 0.0625, 0.0625, 0.125, 0.125, 0.25]])
    rows = sorted_into(LABELS["race"], races)
    assert dict(zip(LABELS["race"], rows[0].tolist(), strict=True)) == {
        "asian": 0.375,
        "indian": 0.25,
        "black": 0.0625,
        "white": 0.0625,
        "middle eastern": 0.125,
        "latino hispanic": 0.125,
    }
    assert len(AGES) == HEADS["age"]
