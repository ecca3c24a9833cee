"""facecli.Faces on the portraits, with the models of the wheel: each method, and each setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import facecli
from facecli import Attribute, Comparison, Face, Faces, Picture, Verification
from facecli.errors import AmbiguousFaceError, DeviceError, ModelError, NoFaceError, PluginError, UsageError
from facecli.models import catalogue

THRESHOLD = catalogue.load("sface").operating_point.threshold
HOPPER = [153.39, 105.36, 302.67, 283.8]


def test_detect(faces: Faces, examples: Path) -> None:
    picture = faces.detect(examples / "hopper.jpg")
    assert isinstance(picture, Picture)
    assert (picture.source, picture.width, picture.height) == (str(examples / "hopper.jpg"), 437, 512)
    assert (picture.detected, picture.faces_found, picture.error) == (True, 1, None)
    (face,) = picture.faces
    assert isinstance(face, Face)
    assert face.bbox is not None and face.landmarks is not None and face.score is not None
    assert face.bbox == pytest.approx(HOPPER, abs=0.05)
    assert (face.bbox.dtype, face.landmarks.shape, face.landmarks.dtype) == (np.float32, (5, 2), np.float32)
    assert face.index == 0 and 0.9 < face.score <= 1
    assert (face.embedding, face.attributes, face.measures) == (None, {}, {})


def test_one_face_has_all_that_was_asked_for(faces: Faces, examples: Path) -> None:
    embedded = faces.embed(examples / "hopper.jpg").faces[0].embedding
    (face,) = faces.analyze(examples / "hopper.jpg", ("emotion", "pose", "quality"), embed=True).faces
    assert face.bbox is not None and face.embedding is not None and embedded is not None
    assert (face.embedding.shape, face.embedding.dtype) == ((128,), np.float32)
    assert np.array_equal(face.embedding, embedded)
    emotion = face.attributes["emotion"]
    assert isinstance(emotion, Attribute)
    assert (emotion.label, emotion.value) == ("neutral", None)
    assert sum(emotion.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert list(face.measures) == ["pose", "quality"]
    assert list(face.measures["pose"]) == ["yaw", "pitch", "roll"]


def test_attributes_of_the_constructor_are_the_default_of_analyze(examples: Path) -> None:
    with Faces(attributes="pose") as faces:
        (face,) = faces.analyze(examples / "hopper.jpg").faces
        assert (list(face.attributes), list(face.measures)) == ([], ["pose"])
        (picture,) = faces.run(examples / "hopper.jpg", attributes=None)
        assert list(picture.faces[0].measures) == ["pose"]
        (picture,) = faces.run(examples / "hopper.jpg")
        assert picture.faces[0].measures == {}


def test_verify_many(faces: Faces, examples: Path) -> None:
    pictures = [examples / "hopper.jpg", b"no picture", np.zeros((64, 64, 3), np.uint8)]
    found = list(faces.verify_many(examples / "collins.jpg", pictures))
    assert all(isinstance(one, Comparison) for one in found)
    assert [one.source for one in found] == [str(examples / "hopper.jpg"), "bytes", "array"]
    hopper, broken, empty = found
    pair = faces.verify(examples / "collins.jpg", examples / "hopper.jpg")
    assert hopper.verification is not None
    assert (hopper.verification.verified, hopper.verification.threshold) == (False, THRESHOLD)
    assert hopper.verification.distance == pytest.approx(pair.distance, abs=1e-5)
    assert (broken.verification, empty.verification, empty.error) == (None, None, None)
    assert broken.error is not None
    with pytest.raises(NoFaceError):
        faces.verify_many(np.zeros((64, 64, 3), np.uint8), pictures)


def test_verify(faces: Faces, examples: Path) -> None:
    same = faces.verify(examples / "collins.jpg", examples / "collins_variant.jpg")
    assert isinstance(same, Verification)
    assert (same.verified, same.metric, same.threshold) == (True, "cosine", THRESHOLD)
    assert same.distance == pytest.approx(0.05, abs=0.01)
    assert same.margin == pytest.approx(same.threshold - same.distance)
    assert [face.index for face in same.faces] == [0, 0]
    assert all(face.embedding is not None for face in same.faces)
    other = faces.verify(examples / "collins.jpg", examples / "hopper.jpg")
    assert other.verified is False and other.margin < 0
    angular = faces.verify(examples / "collins.jpg", examples / "hopper.jpg", metric="angular", threshold=0.9)
    assert (angular.verified, angular.metric, angular.threshold) == (True, "angular", 0.9)


def test_verify_gives_the_numbers_of_the_command(faces: Faces, examples: Path, run_cli: Callable) -> None:
    pair = examples / "collins.jpg", examples / "hopper.jpg"
    told = run_cli("verify", *pair, "--threads", "1", "--json").json
    ours = faces.verify(*pair)
    assert (ours.verified, ours.metric, ours.threshold) == (told["verified"], told["metric"], told["threshold"])
    assert [round(ours.distance, 6), round(ours.similarity or 0, 6)] == [told["distance"], told["similarity"]]
    assert ours.threshold_source == told["threshold_source"]


def test_several_recognizers_decide_together(shared: Path, examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACECLI_MODELS_MIRROR", str(shared / "models"))
    with Faces(recognizer=("dlib-resnet", "mobilefacenet")) as faces:
        answer = faces.verify(examples / "collins.jpg", examples / "collins_variant.jpg")
        assert (answer.verified, answer.metric, answer.threshold) == (True, "fused", 1)
        assert [own.recognizer for own in answer.decisions] == ["dlib-resnet", "mobilefacenet"]
        parts = [own.distance / own.threshold for own in answer.decisions]
        assert answer.distance == pytest.approx(sum(parts) / 2)
        embedding = faces.embed(examples / "collins.jpg").faces[0].embedding
        assert embedding is not None and embedding.shape == (128,)  # dlib-resnet's, the first


def test_run(faces: Faces, examples: Path, tmp_path: Path) -> None:
    names = [examples / "hopper.jpg", str(tmp_path / "none.jpg"), examples / "collins.jpg"]
    pictures = list(faces.run(names, embed=True, attributes=("emotion",)))
    assert [picture.source for picture in pictures] == list(map(str, names))
    assert [len(picture.faces) for picture in pictures] == [1, 0, 1]
    assert [picture.error and picture.error.code for picture in pictures] == [None, "input", None]
    assert pictures[0].faces[0].attributes["emotion"].label == "neutral"
    assert pictures[2].faces[0].embedding is not None
    json.dumps([picture.record() for picture in pictures])


def test_run_takes_folders_globs_and_one_picture(faces: Faces, examples: Path) -> None:
    portraits = [str(examples / name) for name in ("collins.jpg", "collins_variant.jpg", "hopper.jpg")]
    by_glob = [picture.source for picture in faces.run(str(examples / "*.jpg"))]
    assert by_glob == portraits
    folder, one = faces.run([examples / "*_variant.jpg", examples / "hopper.jpg"])
    assert (folder.source, one.source) == (portraits[1], portraits[2])
    assert [picture.width for picture in faces.run((examples / "hopper.jpg").read_bytes())] == [437]


def test_no_face_is_an_error_where_something_is_asked_of_the_face(faces: Faces) -> None:
    grey = np.full((100, 100, 3), 127, np.uint8)
    assert faces.detect(grey).faces == ()
    assert [picture.error for picture in faces.run(grey)] == [None]
    (picture,) = faces.run(grey, need_face=True)
    assert isinstance(picture.error, NoFaceError)
    assert (picture.detected, picture.detector_ran, picture.faces_found) == (False, True, 0)
    (picture,) = faces.run(grey, embed=True)
    assert (picture.error, picture.faces) == (None, ())
    for call in (faces.embed, faces.analyze, lambda grey: faces.verify(grey, grey)):
        with pytest.raises(NoFaceError, match="no face found in array"):
            call(grey)


def test_face_chooses_among_the_faces(faces: Faces, group_picture: Path) -> None:
    every = faces.detect(group_picture)
    assert (every.faces_found, len(every.faces)) == (6, 6)
    chosen = [faces.detect(group_picture, face=choice).faces for choice in ("1", 0, "largest")]
    ((second,), (first,), (largest,)) = chosen
    assert (second.index, first.index) == (1, 0)
    sides = [face.bbox[2:] - face.bbox[:2] for face in every.faces if face.bbox is not None]
    assert largest.index == int(np.argmax([width * height for width, height in sides]))
    with pytest.raises(AmbiguousFaceError):
        faces.detect(group_picture, face="only")
    with Faces(face=1) as own:
        assert [face.index for face in own.detect(group_picture).faces] == [1]
        assert len(own.detect(group_picture, face="all").faces) == 6


def test_least_score_and_least_size_leave_faces_out(faces: Faces, group_picture: Path) -> None:
    every = faces.detect(group_picture).faces
    scores = sorted((face.score or 0 for face in every), reverse=True)
    between = (scores[2] + scores[3]) / 2
    with Faces(min_score=between) as sure:
        picture = sure.detect(group_picture)
    assert (picture.faces_found, len(picture.faces)) == (3, 3)
    with Faces(min_face_size=300) as large:
        assert large.detect(group_picture).faces == ()
    with Faces(detector="haar", min_score=0.5) as other:
        assert all((face.score or 0) >= 0.5 for face in other.detect(group_picture).faces)


def test_pictures_that_are_crops_already(examples: Path) -> None:
    with Faces(no_detect=True) as faces:
        picture = faces.embed(examples / "hopper.jpg")
    (face,) = picture.faces
    assert (picture.detected, face.bbox, face.score, face.landmarks) == (False, None, None, None)
    assert face.embedding is not None


def test_parameters_of_plugins(faces: Faces, examples: Path) -> None:
    settings = {"yunet": {"score_threshold": 0.9999}, "sface": {"flip": True}}
    with Faces(parameters=settings) as sure:
        assert sure.detect(examples / "hopper.jpg").faces == ()  # where the recognizer's parameters do not count
    with Faces(flip=True) as flipped, Faces(parameters={"sface": {"flip": True}}) as named:
        pair = [own.embed(examples / "hopper.jpg").faces[0].embedding for own in (flipped, named)]
        plain = faces.embed(examples / "hopper.jpg").faces[0].embedding
    assert pair[0] is not None and plain is not None
    assert np.array_equal(*pair) and not np.array_equal(pair[0], plain)
    for wrong, message in (
        ({"no-such": {"flip": True}}, "no-such is given a parameter and is not in use"),
        ({"yunet": {"colour": 1}}, "yunet has no parameter colour"),
        ({"yunet": {"size": "x"}}, "must be a number"),
    ):
        with Faces(parameters=wrong) as own, pytest.raises(UsageError, match=message):
            own.detect(examples / "hopper.jpg")


def test_presets(examples: Path) -> None:
    pair = examples / "collins.jpg", examples / "hopper.jpg"
    with Faces(preset="face_recognition") as faces:
        answer = faces.verify(*pair)
        assert answer.threshold_source == "preset face_recognition: face_recognition's tolerance"
        assert answer.distance == pytest.approx(0.697956, abs=0.002)
    with Faces(preset="facecli-0.1") as faces:
        answer = faces.verify(examples / "collins.jpg", examples / "collins_variant.jpg")
        assert (answer.metric, answer.threshold) == ("euclidean", 0.6)
        assert answer.distance == pytest.approx(0.162367, abs=0.002)
        assert list(faces.analyze(pair[0]).faces[0].attributes) == ["emotion"]
    with Faces(preset="deepface", recognizer="dlib-resnet", offline=True) as faces:
        answer = faces.verify(*pair)  # haar finds the faces, and deepface cuts the crops
        assert (answer.metric, answer.threshold) == ("cosine", 0.07)
        assert answer.distance == pytest.approx(0.14141, abs=0.001)
        with pytest.raises(ModelError):
            faces.analyze(examples / "collins.jpg")


def test_offline_never_asks_the_network(examples: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACECLI_MODELS_MIRROR", server)
    with Faces(recognizer="mobilefacenet", offline=True) as faces, pytest.raises(ModelError) as raised:
        faces.embed(examples / "hopper.jpg")
    assert "offline" in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"preset": "openface"}, UsageError),
        ({"device": "tpu"}, DeviceError),
        ({"min_score": 2}, UsageError),
        ({"min_face_size": 40, "no_detect": True}, UsageError),
        ({"detector": "haar", "no_detect": True}, UsageError),
        ({"jobs": 0}, UsageError),
        ({"batch_size": 0}, UsageError),
        ({"threads": 0}, UsageError),
        ({"max_pixels": 0}, UsageError),
        ({"timeout": -1.0}, UsageError),
    ],
)
def test_settings_that_can_not_be_are_refused_at_once(settings: dict, error: type) -> None:
    with pytest.raises(error, match=next(iter(settings))):
        Faces(**settings)


def test_requests_that_can_not_be_are_refused_before_the_first_picture(faces: Faces, examples: Path) -> None:
    nobody = examples / "nobody.jpg"
    with pytest.raises(UsageError, match="there is no attribute 'mood', there is no attribute 'humour'"):
        faces.run(nobody, attributes=("mood", "humour"))
    with pytest.raises(UsageError, match="unknown face 'best'"):
        faces.run(nobody, face="best")
    with pytest.raises(UsageError, match="errors must be keep or raise"):
        faces.run(nobody, errors="ignore")  # type: ignore[arg-type]
    with Faces(recognizer="no-such") as own, pytest.raises(PluginError, match="there is no recognizer 'no-such'"):
        own.run(nobody, embed=True)


def test_a_metric_that_does_not_exist_is_refused(faces: Faces, examples: Path) -> None:
    unknown: Any = "manhattan"
    with pytest.raises(UsageError, match="there is no metric 'manhattan'; use cosine, euclidean"):
        faces.verify(examples / "hopper.jpg", examples / "collins.jpg", metric=unknown)


def test_the_names_of_the_door() -> None:
    assert {"Attribute", "Face", "Faces", "Picture", "Verification", "read"} <= {*dir(facecli)}
    with pytest.raises(AttributeError):
        _ = facecli.Nobody
