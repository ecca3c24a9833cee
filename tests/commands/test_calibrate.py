from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from facecli.models import catalogue

COLLINS, HOPPER = [f"collins_{n}.jpg" for n in range(6)], [f"hopper_{n}.jpg" for n in range(10)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    """The portraits, and copies of them: sixty comparisons of the same two people, none of them twice."""
    folder = tmp_path_factory.mktemp("copies")
    for name in ("collins", "collins_variant", "hopper"):
        shutil.copy(examples / f"{name}.jpg", folder)
    for name in (*COLLINS, *HOPPER):
        shutil.copy(examples / f"{name.partition('_')[0]}.jpg", folder / name)
    return folder


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Mated and non-mated pairs of the copies."""
    path = tmp_path / "pairs.csv"
    mated = [f"{a},collins_variant.jpg,1" for a in COLLINS]
    other = [f"{a},{b},0" for a in COLLINS for b in HOPPER]
    path.write_text("\n".join(["file_a,file_b,same", *mated, *other]) + "\n")
    return path


@pytest.fixture
def run(run_cli: Callable, folder: Path, tmp_path: Path) -> Callable:
    """The command line in the folder of the portraits, with a store of this test's own."""
    return lambda *args, **more: run_cli(*args, cwd=folder, env={"FACECLI_HOME": str(tmp_path / "home")}, **more)


def test_verify_uses_what_was_calibrated_and_says_so(run: Callable, pairs: Path) -> None:
    made = run("calibrate", pairs, "--fmr", "0.05", "--json")
    assert made.returncode == 0
    kept = made.json
    assert (kept["name"], kept["metric"], kept["target_fmr"]) == ("sface@0.05", "cosine", 0.05)
    assert kept["threshold"] == pytest.approx(0.045, abs=0.01)  # all of the same person pass, nobody else
    assert kept["fmr"] == {"value": 0, "count": 0, "total": 60, "interval": kept["fmr"]["interval"]}
    assert kept["fnmr"]["value"] == 0
    assert "rests on 0 false matches" in kept["note"]
    used = run("verify", "collins.jpg", "hopper.jpg", "--json").json
    assert used["threshold"] == kept["threshold"]
    assert "your operating point sface@0.05" in used["threshold_source"]
    assert used["fmr"] == 0
    evaluated = run("evaluate", pairs, "--root", ".", "--json").json
    assert evaluated["threshold"] == kept["threshold"]


def test_a_point_for_a_preset_holds_for_the_preset_alone(run: Callable, pairs: Path) -> None:
    words = ("--preset", "deepface", "--recognizer", "dlib-resnet")
    kept = run("calibrate", pairs, "--fmr", "0.05", "--name", "theirs", *words, "--json").json
    assert (kept["preset"], kept["metric"], kept["detector"]["plugin"]) == ("deepface", "cosine", "haar")
    pair = ("collins.jpg", "hopper.jpg")
    named = run("verify", *pair, *words, "--operating-point", "theirs", "--json").json
    assert named["threshold"] == kept["threshold"]
    assert run("verify", *pair, *words, "--json").json["threshold"] == 0.07  # deepface's own, unless it is named
    evaluated = run("evaluate", pairs, "--root", ".", *words, "--json").json
    assert (evaluated["preset"], evaluated["threshold"]) == ("deepface", 0.07)
    other = run("verify", *pair, "--detector", "haar", "--recognizer", "dlib-resnet", "--operating-point", "theirs")
    assert other.returncode == 2
    assert "the operating point 'theirs' does not hold here: crop differ" in other.errors[-1]
    assert run("verify", *pair, "--operating-point", "theirs").returncode == 2


def test_list_and_remove(run: Callable, pairs: Path) -> None:
    assert run("calibrate", "--list", "--json").json["operating_points"] == []
    run("calibrate", pairs, "--fmr", "0.05", "--name", "mine")
    (listed,) = run("calibrate", "--list", "--json").json["operating_points"]
    assert (listed["name"], listed["recognizer"], listed["detector"]) == ("mine", "sface", "yunet")
    gone = run("calibrate", "--remove", "mine", "--json").json
    assert (gone["removed"], gone["operating_points"]) == ("mine", [])
    again = run("calibrate", "--remove", "mine")
    assert again.returncode == 2
    back = run("verify", "collins.jpg", "hopper.jpg", "--json").json["threshold"]
    assert back == catalogue.load("sface").operating_point.threshold


def test_a_point_of_the_old_defaults_is_refused_with_the_way_out(run: Callable, pairs: Path) -> None:
    old, pair = ("--detector", "mtcnn", "--recognizer", "dlib-resnet"), ("collins.jpg", "hopper.jpg")
    kept = run("calibrate", pairs, "--fmr", "0.05", "--name", "old", *old, "--json").json
    assert run("verify", *pair, "--json").json["threshold"] != kept["threshold"]
    refused = run("verify", *pair, "--operating-point", "old")
    assert (refused.returncode, len(refused.errors)) == (2, 1)
    assert "it is for --recognizer dlib-resnet --detector mtcnn" in refused.errors[0]
    named = run("verify", *pair, "--operating-point", "old", "--preset", "facecli-0.1", "--json").json
    assert named["threshold"] == kept["threshold"]


def test_too_few_pairs_are_refused_before_any_work(run: Callable, pairs: Path) -> None:
    done = run("calibrate", pairs, "--root", "/", "--json")  # where the pictures are not
    assert done.returncode == 2
    assert "takes 3000 at least" in done.json["error"]["message"]
    assert "--fmr 0.05" in done.json["error"]["hint"]
    assert run("calibrate", "--list", "--json").json["operating_points"] == []


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """Fifteen pairs of pictures that are all the same, called different people."""
    path = tmp_path / "copies.csv"
    rows = [f"{a},{b},0" for a, b in combinations(COLLINS, 2)]
    path.write_text("\n".join(["file_a,file_b,same", *rows, "collins.jpg,collins_variant.jpg,1"]) + "\n")
    return path


@pytest.mark.parametrize("metric", ["euclidean", "angular"])  # of copies rounding leaves an angle above 0
def test_a_threshold_of_nothing_is_refused_and_not_kept(run: Callable, copies: Path, metric: str) -> None:
    done = run("calibrate", copies, "--fmr", "0.4", "--metric", metric)
    assert (done.returncode, len(done.errors), done.stdout) == (2, 1, b"")
    assert "no threshold keeps an FMR of 0.4: 15 of 15 non-mated comparisons have no distance" in done.errors[0]
    assert run("calibrate", "--list", "--json").json["operating_points"] == []
    told = run("evaluate", copies, "--metric", metric, "--threshold", "0.1", "--json").json
    assert told["best_threshold"] is None
    assert [(at["threshold"], at["match_rate"]) for at in told["at_fmr"]] == [(None, None)] * 2


def test_the_note_is_beside_the_rate_that_it_is_about(run: Callable, pairs: Path) -> None:
    made = run("calibrate", pairs, "--fmr", "0.05", "--format", "csv").stdout.decode()
    rows = {row["measure"]: row for row in csv.DictReader(io.StringIO(made))}
    assert "rests on 0 false matches" in rows["FMR"]["note"]
    assert rows["FNMR"]["note"] == ""
    kept = rows["cosine threshold"]
    assert float(kept["low"]) <= float(kept["value"]) <= float(kept["high"])


@pytest.mark.parametrize("args", [(), ("--list", "--remove", "x"), ("PAIRS", "--list"), ("PAIRS", "--name", "../x")])
def test_one_thing_at_a_time_and_a_name_that_is_no_path(run: Callable, pairs: Path, args: tuple[str, ...]) -> None:
    done = run("calibrate", *(str(pairs) if word == "PAIRS" else word for word in args), "--fmr", "0.05")
    assert done.returncode == 2
    assert len(done.errors) == 1


def test_a_picture_that_fails_is_told_and_left_out(run: Callable, pairs: Path, folder: Path) -> None:
    (folder / "empty.jpg").touch()
    with pairs.open("a") as file:
        file.write("collins.jpg,empty.jpg,0\n")
    done = run("calibrate", pairs, "--fmr", "0.05", "--json")
    assert done.returncode == 1
    assert done.json["fmr"]["total"] == 60
    assert [failed["source"] for failed in done.json["failed_pictures"]] == ["empty.jpg"]


def test_a_pair_counts_once_however_often_it_is_listed(run: Callable, pairs: Path) -> None:
    lines = pairs.read_text().splitlines()
    turned = [",".join((b, a, same)) for a, b, same in (line.split(",") for line in lines[1:])]
    pairs.write_text("\n".join([*lines, *lines[1:], *turned]) + "\n")
    done = run("calibrate", pairs, "--fmr", "0.01")
    assert done.returncode == 2
    assert "60" in done.errors[0]


def test_a_name_is_not_given_to_another_recognizer(run: Callable, pairs: Path) -> None:
    assert run("calibrate", pairs, "--fmr", "0.05").returncode == 0
    assert run("calibrate", pairs, "--fmr", "0.05").returncode == 0  # anew, that is no other one
    done = run("calibrate", pairs, "--fmr", "0.05", "--flip")
    assert done.returncode == 2
    assert "sface@0.05 is of another recognizer, detector or parameters; choose another --name" in done.errors[0]


def test_a_damaged_point_stops_verify(run: Callable, pairs: Path) -> None:
    kept = Path(run("calibrate", pairs, "--fmr", "0.05", "--json").json["path"])
    kept.write_text("{}")
    done = run("verify", "collins.jpg", "hopper.jpg", "--json")
    assert (done.returncode, done.json["error"]["code"]) == (4, "model")
    assert run("verify", "collins.jpg", "hopper.jpg", "--operating-point", "catalogue").returncode == 0


@pytest.fixture
def grouped_pairs(folder: Path, tmp_path: Path) -> Path:
    """Sixty comparisons in group A, and twelve of the closer group B."""
    for number in range(2):
        shutil.copy(folder / "collins_variant.jpg", folder / f"variant_{number}.jpg")
    path = tmp_path / "grouped.csv"
    rows = [f"{a},{b},0,A" for a in COLLINS for b in HOPPER] + [f"{a},collins_variant.jpg,1," for a in COLLINS]
    rows += [f"variant_{n % 2}.jpg,{HOPPER[n // 2]},0,B" for n in range(12)]
    path.write_text("\n".join(["file_a,file_b,same,people", *rows]) + "\n")
    return path


def test_the_worst_group_decides_where_it_is_asked_for(run: Callable, grouped_pairs: Path) -> None:
    words = ("calibrate", grouped_pairs, "--by", "people", "--fmr", "0.25", "--json")
    overall = run(*words).json
    assert (overall["name"], overall["fmr"]["count"]) == ("sface@0.25", 12)
    assert (overall["groups"]["fmr"]["worst"], overall["groups"]["rates"][0]["fmr"]["value"]) == ("B", 1)
    worst = run(*words, "--worst").json
    assert (worst["name"], worst["groups"]["fmr"]["mean"]) == ("sface@0.25-worst", 0)
    assert worst["threshold"] < overall["threshold"]
    used = run("verify", "collins.jpg", "hopper.jpg", "--operating-point", "sface@0.25", "--json").json
    assert (used["fmr"], used["fmr_worst_group"]) == (12 / 72, 1)
    assert run("verify", "collins.jpg", "hopper.jpg", "--json").json["fmr_worst_group"] == 0
    listed = run("calibrate", "--list", "--json").json["operating_points"]
    assert [(point["worst_group"], point["fmr_worst_group"]) for point in listed] == [("A", 0), ("B", 1)]
    assert "--by people --worst" in listed[0]["protocol"]


def test_a_rate_is_not_kept_in_groups_that_can_not_show_it(run: Callable, grouped_pairs: Path) -> None:
    done = run("calibrate", grouped_pairs, "--by", "people", "--worst", "--fmr", "0.1", "--root", "/")
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert "12 non-mated comparisons of the group B can not show an FMR of 0.1" in done.errors[0]
    assert "--by" in run("calibrate", grouped_pairs, "--worst", "--fmr", "0.1").errors[0]
