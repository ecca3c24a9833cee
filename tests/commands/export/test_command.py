"""`facecli export` through the real command line."""

import json
from pathlib import Path

import pytest

from facecli.cli.main import run


def test_list_needs_no_torch_and_names_every_recipe(run_cli):
    done = run_cli("export", "--list", "--json")
    assert done.returncode == 0
    assert {row["recipe"] for row in done.json["recipes"]} >= {"dlib-resnet", "emotion", "mini-xception", "mtcnn"}
    assert [row["summary"] for row in done.json["recipes"] if row["summary"].startswith("broken")] == []


def test_a_list_on_a_terminal_is_short_unless_all_is_asked_for(capsys):
    assert run(["export", "--list", "--format", "table"]) == 0
    head = capsys.readouterr().out.splitlines()[1]
    assert ("recipe" in head, "summary" in head, "model" in head) == (True, True, False)
    assert run(["export", "--list", "--long", "--format", "table"]) == 0
    assert "facecli 0" in capsys.readouterr().out
    assert run(["export", "sface", "--long"]) == 2
    assert "--long is for a list; add --list" in capsys.readouterr().err


def test_the_table_in_the_docs_names_every_recipe_and_no_other():
    import re

    from facecli.hosting.registry import Registry

    page = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text("utf-8")
    rows = [row.split("|") for row in page.splitlines() if row.startswith("| `")]
    assert all(len(row) == 6 and all(cell.strip() for cell in row[1:5]) for row in rows)
    named = [name for row in rows for name in re.findall("`([^`]+)`", row[1])]
    assert sorted(named) == sorted(entry.name for entry in Registry(third_party=False).entries("recipes"))


def test_recipes_import_no_torch(cli_env, tmp_path):
    import subprocess
    import sys

    code = (
        "import sys; from facecli.hosting.registry import Registry; r = Registry();"
        "[r.load_entry(e) for e in r.entries('recipes')];"
        "print([m for m in ('torch', 'onnx', 'h5py') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=cli_env, cwd=tmp_path, check=False)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "no recipe"),
        (["nonsense"], 2, "there is no export recipe 'nonsense'"),
        (["mtcnn", "--no-register"], 2, "would leave nothing"),
        (["mtcnn", "--weights", "nowhere.pt"], 2, "nowhere.pt"),
    ],
)
def test_bad_requests_are_one_line(run_cli, arguments, status, message):
    done = run_cli("export", *arguments)
    assert done.returncode == status
    assert done.stdout == b""
    assert len(done.errors) == 1
    assert message in done.errors[0]


def test_export_registers_what_the_emotion_model_needs(run_cli, torch, shared, tmp_path):
    weights = shared / "models" / "fer2013_mini_xception.hdf5"
    home = {"FACECLI_HOME": str(tmp_path / "home")}
    done = run_cli("export", "mini-xception", "--weights", weights, "--output", tmp_path / "out", "--json", env=home)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    (file,) = done.json["files"]
    assert (tmp_path / "out" / file["file"]).stat().st_size == file["size"]
    assert json.loads((tmp_path / "out" / "mini_xception.report.json").read_text())["sha256"] == file["sha256"]

    record = json.loads((tmp_path / "home" / "registered" / "emotion" / "mini-xception.json").read_text())
    assert record["files"] == [{"sha256": file["sha256"], "size": file["size"], "name": "mini_xception.onnx"}]
    assert str(tmp_path) not in json.dumps(record)


def test_foreign_weights_end_in_one_line_and_no_file(run_cli, torch, tmp_path):
    (tmp_path / "words.dat").write_text("no network")
    done = run_cli("export", "dlib-resnet", "--weights", tmp_path / "words.dat", "--output", tmp_path / "out")
    assert done.returncode == 1
    assert len(done.errors) == 1
    assert "this is not dlib's face recognition network" in done.errors[0]
    assert not (tmp_path / "out").exists()


def test_a_list_of_recipes_makes_no_files(run_cli, tmp_path):
    done = run_cli("export", "--list", "-o", tmp_path / "list")
    assert done.returncode == 2
    assert "--output is for the files of an export" in done.errors[0]
    assert not (tmp_path / "list").exists()


def test_the_float32_sface_is_registered_with_its_publishers_threshold(run_cli, shared, examples):
    pytest.importorskip("onnx", reason="an export needs onnx")
    weights = shared / "models" / "face_recognition_sface_2021dec_int8bq.onnx"
    done = run_cli("export", "sface-unpacked", "--weights", weights)
    assert done.returncode == 0, done.stderr
    portraits = [examples / name for name in ("collins.jpg", "collins_variant.jpg")]
    answer = run_cli("verify", *portraits, "--recognizer", "sface-unpacked", "--json").json
    assert (answer["verified"], answer["threshold"], answer["fmr"]) == (
        True,
        0.637,
        None,
    )  # of OpenCV
