"""A configuration that is wrong is refused in one line that names the key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch")

from facecli.errors import UsageError
from facecli.models.training import architectures, emotion, fairface
from facecli.models.training import config as configuration
from facecli.models.training import recipe as recipes


def changed(path: Path, old: str, new: str) -> str:
    text = path.read_text("utf-8")
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize("task", [emotion.TASK, fairface.TASK], ids=lambda task: task.name)
def test_the_shipped_recipe_reads(task):
    config = recipes.read(task.recipe)
    assert config.student.network in architectures.NETWORKS
    assert config.teacher is None or config.teacher.network in architectures.NETWORKS


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 2", "epoch = 2", r"unknown key student\.schedule\.epoch; student\.schedule has epochs"),
        ("seed = 1", "", "seed is missing"),
        ("seed = 1", "seed = 'x'", "seed must be int, is 'x'"),
        ("seed = 1", "seed = true", "seed must be int, is True"),
        ("rate = 0.05", "rate = -1", r"student\.schedule\.rate must be from 1e-08 to 100\.0, is -1\.0"),
        ("rate = 0.05", "rate = nan", r"student\.schedule\.rate must be from 1e-08"),
        ("epochs = 2", "epochs = 0", r"student\.schedule\.epochs must be from 1"),
        ("bf16 = false", "bf16 = 0", r"student\.schedule\.bf16 must be bool, is 0"),
        ("bf16 = false", "optimizer = 'lion'", r"optimizer must be one of sgd, adamw, is 'lion'"),
        ("batch = 32", "batch = 33", r"student\.schedule\.batch must be even for mixup, is 33"),
        ("holdout = 0.2", "holdout = 0.9", "holdout must be from 0.001 to 0.5"),
        ("fer2013 = 0.5", "fer2013 = 0", "heads must have a weight for each head, a number above 0"),
        ("heads = {", "heads = 3 # {", "heads must be a table, is 3"),
        ("holdout = 0.2", "holdout = 0.2\ndistillation = { weight = 0.5 }", r"distillation needs a \[teacher\]"),
        ("share = 0.5", "share = 0.5\nfrom_votes = 2", r"from_votes must be from 0\.0 to 1\.0, is 2\.0"),
        ("[student]", "[distillation]\nweight = 1\nearlier = true\n[student]", "earlier must be a list, is True"),
        ("[student]", "[distillation]\nweight = 1\nearlier = ['me']\n[student]", "one of teacher, student, is 'me'"),
        (
            "[student]",
            "[distillation]\nweight = 1\nearlier = ['student', 'student']\n[student]",
            "earlier names one twice: student, student",
        ),
        ("[student]", "[distillation]\nweight = 1\nearlier = [[]]\n[student]", r"one of teacher, student, is \[\]"),
        ("seed = 1", "seed = 1\nafter = 3", "after must be the name of a file beside it, is 3"),
        ("seed = 1", "seed = 1\nafter = ''", "after must be the name of a file beside it, is ''"),
        ("seed = 1", "seed = 1\nafter = '../tiny.toml'", "after must be the name of a file beside it"),
        ("share = 0.5", "share = 0.5\nanswer = 'none'", "answer must be one of probabilities, mean, is 'none'"),
        ("seed = 1", "seed = 1\nafter = 'tiny.toml'", r"tiny\.toml comes after itself"),
        ("holdout = 0.2", "holdout = ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(config, old, new, message):
    config.write_text(changed(config, old, new), "utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        recipes.read(config)
    assert "\n" not in str(caught.value)
    assert "tiny.toml" in str(caught.value)


def test_what_one_round_holds_out_the_one_before_has_not_learned(config):
    text = config.read_text("utf-8")
    (config.parent / "later.toml").write_text('after = "tiny.toml"\n' + text.replace("0.2", "0.3", 1), "utf-8")
    with pytest.raises(UsageError, match=r"later\.toml: holdout must be as in tiny\.toml, 0\.2, is 0\.3"):
        recipes.read(config.parent / "later.toml")


def test_a_teacher_that_teaches_nobody_is_told(config_with_teacher):
    text = config_with_teacher.read_text("utf-8")
    config_with_teacher.write_text(text.replace("[distillation]\nweight = 0.5\n", ""), "utf-8")
    with pytest.raises(UsageError, match=r"a \[teacher\] needs \[distillation\]"):
        recipes.read(config_with_teacher)


def test_the_rounds_of_the_shipped_recipe_are_of_the_same_networks():
    rounds = [recipes.read(emotion.TASK.recipe)]
    while rounds[-1].after:
        rounds.append(rounds[-1].after)
    assert [config.seed for config in rounds] == [7, 6, 5]
    for stage in ("teacher", "student"):
        assert all(getattr(config, stage).options == getattr(rounds[0], stage).options for config in rounds)


def test_the_recipe_in_the_docs_reads(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text("utf-8")
    (recipe,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "age.toml").write_text(recipe, "utf-8")
    assert recipes.read(tmp_path / "age.toml").answer == "mean"


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"no\.toml can not be read: No such file"):
        recipes.read(tmp_path / "no.toml")


def test_a_digest_tells_configurations_apart(config):
    table = tomllib.loads(config.read_text("utf-8"))
    first = recipes.parse(table, "x").student
    table["student"]["schedule"]["rate"] = 0.06
    second = recipes.parse(table, "x").student
    assert configuration.digest(first, 1) == configuration.digest(first, 1)
    assert len({configuration.digest(first, 1), configuration.digest(second, 1), configuration.digest(first, 2)}) == 3
