"""The folders of a dataset: what is put into unTrained_data is enrolled and moved, and what is erased is gone."""

from __future__ import annotations

import shutil
import time

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("datasets")


@pytest.fixture(scope="module")
def server(start_server, folder):
    return start_server("--dataset", str(folder))


def put(folder, examples, name, person, as_name="image.jpg"):
    """Let a picture appear whole, as `mv` does, and return the place."""
    place = folder / "unTrained_data" / person / as_name
    place.parent.mkdir(exist_ok=True)
    shutil.copy(examples / name, folder / "copy")
    (folder / "copy").rename(place)
    return place


def wait_until(true):
    for _ in range(600):  # two minutes: the bound keeps a broken server from hanging the tests
        if true():
            return
        time.sleep(0.2)
    raise AssertionError("it does not come true")


def person(server, name):
    found = [one for one in server.get("/v1/people").json()["people"] if one["person"] == name]
    return found[0] if found else None


def test_the_folders_are_made(server, folder):
    names = {path.name for path in folder.iterdir()}
    assert names >= {"Embeddings", "RecycleBin", "Trained_data", "unTrained_data"}
    assert (folder / "Embeddings" / "gallery.db").is_file()


def test_what_is_put_into_the_folder_is_enrolled_and_moved(server, folder, examples):
    place = put(folder, examples, "collins.jpg", "Eileen Collins")
    wait_until(lambda: not place.exists())
    assert (folder / "Trained_data" / "Eileen Collins" / "image.jpg").read_bytes() == (
        examples / "collins.jpg"
    ).read_bytes()
    assert person(server, "Eileen Collins")["pictures"] == 1
    again = put(folder, examples, "collins_variant.jpg", "Eileen Collins")
    wait_until(lambda: not again.exists())
    assert (folder / "Trained_data" / "Eileen Collins" / "image-2.jpg").is_file()
    assert person(server, "Eileen Collins")["pictures"] == 2


def test_what_can_not_be_used_stays_and_is_told_once(server, folder, examples):
    bad = folder / "unTrained_data" / "Ada" / "a.jpg"
    bad.parent.mkdir()
    bad.write_bytes(b"no picture")
    (bad.parent / "link.jpg").symlink_to(examples / "hopper.jpg")
    wait_until(lambda: "a.jpg is not enrolled" in server.errors.read_text())
    good = put(folder, examples, "hopper.jpg", "Grace")
    wait_until(lambda: not good.exists())
    assert bad.exists()
    assert (bad.parent / "link.jpg").is_symlink()
    assert server.errors.read_text().count("is not enrolled") == 1
    assert person(server, "Ada") is None


def test_a_removed_face_is_recycled_and_an_erased_person_is_gone(server, folder):
    uid = person(server, "Eileen Collins")["uid"]
    first = server.get(f"/v1/people/{uid}").json()["faces"][0]["face"]
    assert server("DELETE", f"/v1/people/{uid}/faces/{first}").status_code == 204
    assert [path.name for path in (folder / "RecycleBin" / "Eileen Collins").iterdir()] == ["image.jpg"]
    assert [path.name for path in (folder / "Trained_data" / "Eileen Collins").iterdir()] == ["image-2.jpg"]
    assert server("DELETE", f"/v1/people/{uid}").status_code == 200
    kept = [path for path in folder.rglob("*") if path.is_file() and "Eileen" in str(path)]
    assert kept == []
    assert (folder / "Trained_data" / "Grace" / "image.jpg").is_file()


def test_an_erased_person_is_nowhere_in_the_folders(server, folder, examples):
    """Also what was put there twice, under another spelling, or could not be used, and the folders with the name."""
    for number, name in enumerate(("Ada", "ADA")):
        place = put(folder, examples, "collins.jpg", name, f"{number}.jpg")
        wait_until(lambda place=place: not place.exists())
    (folder / "unTrained_data" / "Ada" / "b.jpg").write_bytes(b"no picture")
    (folder / "Trained_data" / "Other").mkdir()
    (folder / "Trained_data" / "Other" / "same.jpg").write_bytes((examples / "collins.jpg").read_bytes())
    (folder / "Trained_data" / "Other" / "note.txt").write_text("stays")
    assert person(server, "Ada")["pictures"] == 1
    assert server("DELETE", f"/v1/people/{person(server, 'Ada')['uid']}").status_code == 200
    assert [path for path in folder.rglob("*") if path.name.casefold() in ("ada", "0.jpg", "1.jpg", "same.jpg")] == []
    assert (folder / "Trained_data" / "Other" / "note.txt").is_file()
    assert (folder / "Trained_data" / "Grace" / "image.jpg").is_file()


def test_a_killed_server_goes_on_where_it_was(start_server, folder, examples, run_cli, tmp_path):
    """A picture that was enrolled and not moved is known, and is moved by the next server."""
    dataset = tmp_path / "datasets"
    gallery = dataset / "Embeddings" / "gallery.db"
    gallery.parent.mkdir(parents=True)
    run_cli("enroll", examples / "collins.jpg", "--name", "Eileen", "--gallery", gallery)
    place = dataset / "unTrained_data" / "Eileen" / "image.jpg"
    place.parent.mkdir(parents=True)
    shutil.copy(examples / "collins.jpg", place)
    server = start_server("--dataset", str(dataset))
    wait_until(lambda: not place.exists())
    assert person(server, "Eileen")["pictures"] == 1


def test_a_dataset_has_its_own_gallery(run_cli, tmp_path):
    done = run_cli("serve", "--dataset", tmp_path, "--gallery", tmp_path / "a.db")
    assert done.returncode == 2
    assert "--gallery" in done.errors[-1]
