"""`facecli export --precision int8 --calibration --evaluate --ort` through the real command line."""

import json

import pytest

NET = """
import torch

def build():
    torch.manual_seed(1)
    layers = [torch.nn.Conv2d(3, 16, 5, 4), torch.nn.ReLU(), torch.nn.Conv2d(16, 16, 3, 2), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(16 * 169, 32)).eval()
"""
MODULE = ("export", "--module", "tiny_net:build", "--input", "1x3x112x112", "--name", "tiny")
DESCRIBED = ("--kind", "recognizer", "--crop", "arcface", "--colour", "RGB", "--mean", "127.5", "--std", "128")
POINT = ("--dim", "32", "--metric", "cosine", "--threshold", "0.05", "--licence", "MIT")


@pytest.fixture
def folder(torch, group_picture, examples, tmp_path):
    """A folder with a network, 36 faces in 6 pictures, and a list of pairs."""
    import cv2

    (tmp_path / "tiny_net.py").write_text(NET)
    (tmp_path / "faces").mkdir()
    picture = cv2.imread(str(group_picture))
    for step in range(6):
        cv2.imwrite(str(tmp_path / "faces" / f"{step}.png"), cv2.convertScaleAbs(picture, alpha=1 - 0.05 * step))
    rows = ["collins.jpg,collins_variant.jpg,1", "collins.jpg,hopper.jpg,0", "hopper.jpg,nobody.jpg,0"]
    (tmp_path / "pairs.csv").write_text("\n".join(["file_a,file_b,same", *rows]))
    return tmp_path


def test_int8_is_calibrated_judged_installed_and_used(run_cli, folder, examples):
    home = {"FACECLI_HOME": str(folder / "home")}
    wish = ("--precision", "int8", "--calibration", "faces", "--ort", "--output", "out")
    judged = ("--evaluate", "pairs.csv", "--root", examples)
    done = run_cli(*MODULE, *DESCRIBED, *POINT, *wish, *judged, "--json", env=home, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.errors if "nobody.jpg" not in line] == []
    assert done.json["model"] == "tiny-int8"
    int8, ort = done.json["files"]
    assert (int8["kind"], ort["kind"]) == ("int8", "ort")
    assert "36 faces" in int8["steps"][-1]
    assert int8["outputs"][0]["meaning"] >= 0.98
    figures = int8["accuracy"]
    assert (figures["pairs"], figures["pictures"]) == (3, 3)
    assert set(figures["files"]) == {"fp32", "int8"}
    assert 0 <= figures["files"]["int8"]["accuracy"] < 1  # the pair without a second face can not be right
    report = json.loads((folder / "out" / "tiny.int8.report.json").read_text())
    assert report["accuracy"] == figures
    pair = (examples / "collins.jpg", examples / "collins_variant.jpg")
    verified = run_cli("verify", *pair, "--recognizer", "tiny-int8", "--json", env=home)
    assert verified.returncode == 0, verified.stderr
    assert verified.json["recognizer"]["models"][0]["files"][0]["sha256"] == int8["sha256"]
    assert "stated for fp32" in verified.json["threshold_source"]


def test_the_proof_is_on_the_user_s_pictures(run_cli, folder, examples):
    home = {"FACECLI_HOME": str(folder / "home")}
    (folder / "faces" / "notes.txt").write_text("no picture")
    wish = ("--samples", "faces", "--no-register", "--output", "out")
    done = run_cli(*MODULE, *DESCRIBED, *POINT, *wish, "--json", env=home, cwd=folder)
    assert done.returncode == 0, done.stderr
    (file,) = done.json["files"]
    assert file["proved_on"] == "samples"
    report = json.loads((folder / "out" / "tiny.report.json").read_text())
    assert report["proved_on"] == "samples"
    real = [figures["inputs"][0] for figures in report["parity"] if figures["data"] == "samples"]
    assert sorted(shape[0] for shape in real) == [1, 3, 4, 8, 8, 8, 8]  # 36 faces in eights, and the first ones
    assert {figures["data"] for figures in report["parity"]} == {"random", "samples"}

    (folder / "nothing").mkdir()
    (folder / "nothing" / "blank.png").write_bytes((folder / "faces" / "0.png").read_bytes()[:50])
    done = run_cli(*MODULE, *DESCRIBED, *POINT, "--samples", "nothing", cwd=folder)
    assert done.returncode == 1
    assert "tiny.onnx: no faces were found to prove it on" in done.errors[-1]


def test_samples_of_no_use_are_refused(run_cli, folder):
    done = run_cli(*MODULE, "--samples", "faces", "--no-register", "--output", "out", cwd=folder)
    assert done.returncode == 1
    assert "no pictures can prove it; leave --samples out" in done.errors[-1]
    assert list((folder / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("mtcnn", "--precision", "int8"), 2, "int8 and a calibration belong together"),
        (("mtcnn", "--ort"), 2, "--ort writes a file for others"),
        (("mtcnn", "--evaluate", "pairs.csv"), 2, "--evaluate is for recognizers"),
        (("dlib-resnet", "--evaluate", "tiny_net.py"), 2, "tiny_net.py"),
        (("dlib-resnet", "--precision", "int4"), 2, "int4"),
    ],
)
def test_what_can_not_be_done_is_told_before_any_work(run_cli, folder, arguments, status, message):
    done = run_cli("export", *arguments, cwd=folder)
    assert done.returncode == status
    assert message in done.errors[-1]
