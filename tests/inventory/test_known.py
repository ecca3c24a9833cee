"""Models are found by id, by the name of their archive, and among those that a third party's plugin states."""

from __future__ import annotations

import pytest

from facecli.cli.main import run
from facecli.errors import ModelError
from facecli.hosting.registry import Registry
from facecli.inventory.known import all_models, find_model, find_models, size_of
from facecli.models import catalogue


@pytest.fixture
def registry() -> Registry:
    return Registry(third_party=False)


def test_without_plugins_all_models_are_those_of_the_catalogue(registry: Registry) -> None:
    assert [spec.id for spec in all_models(registry)] == catalogue.model_ids()


def test_an_archive_stands_for_its_models_each_once(registry: Registry) -> None:
    packed = find_models(["buffalo_l"], registry)
    assert len(packed) > 1
    assert find_models(["buffalo_l.zip", packed[0].id, "buffalo_l"], registry) == packed


def test_an_unknown_name_is_told(registry: Registry) -> None:
    with pytest.raises(ModelError, match="unknown model 'nothing'"):
        find_models(["mtcnn", "nothing"], registry)


@pytest.mark.parametrize("verb", ["pull", "verify", "rm", "export-bundle"])
def test_all_unknown_names_are_told_before_anything_is_done(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    target = ["new.zip"] if verb == "export-bundle" else []
    assert run(["models", verb, *target, "nothing", "yunet", "sfaze"]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "unknown model 'nothing', unknown model 'sfaze'; " in line
    assert "there is sface" in line


def test_the_size_of_a_model_is_that_of_its_files_if_all_are_known(registry: Registry) -> None:
    mtcnn = find_model("mtcnn", registry)
    assert size_of(mtcnn) == sum(file.size or 0 for file in mtcnn.files) > 0
    assert size_of(find_model("arcface-iresnet100", registry)) is None


def test_a_plugin_stands_for_the_models_that_it_runs_by_default(registry: Registry) -> None:
    assert find_model("yunet", registry).id == "yunet/2023mar"
    assert [spec.id for spec in find_models(["yunet", "sface", "yunet/2023mar"], registry)] == [
        "yunet/2023mar",
        "sface",
    ]


def test_an_unknown_model_is_told_what_it_is_close_to(registry: Registry) -> None:
    with pytest.raises(ModelError) as failure:
        find_model("arcface", registry)
    assert failure.value.hint is not None and "arcface-w600k-r50" in failure.value.hint
    with pytest.raises(ModelError, match="models list"):
        find_model("nothing", registry)
