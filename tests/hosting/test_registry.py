"""Broken plugins become errors that name whose fault they are, and everything else works.

tests/fakes is laid out like a site-packages folder: distributions with their metadata, each wrong in its own way.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from facecli.contract import DetectorPlugin
from facecli.errors import PluginError
from facecli.hosting.registry import Registry
from facecli.kinds import KINDS

FAKES = Path(__file__).parents[1] / "fakes"

# entry point of kind detectors: (whose, a part of the reason)
BROKEN = {
    "fake-missing-dependency": ("fake-missing-dependency 1.0", "No module named 'no_such_package'"),
    "fake-misspelled-hook": ("fake-misspelled-hook 1.0", "unknown hook 'facecli_detector'"),
    "fake-wrong-argument": (
        "fake-wrong-argument 1.0",
        "Argument(s) {'config'} are declared in the hookimpl",
    ),
    "fake-raising-hook": ("fake-raising-hook 1.0", "RuntimeError: no weather today"),
    "fake-wrong-api": ("fake-wrong-api 1.0", "it is written for plugin API 99, this facecli has 1"),
    "fake-twice": ("fake-twice-one 1.0 and fake-twice-two 2.0", "is offered twice"),
    "fake-wrong-type": ("fake-wrong-type 1.0", "facecli_detectors must give DetectorPlugin, got dict"),
    "fake-no-list": ("fake-no-list 1.0", "TypeError"),
    "fake-other-name": ("fake-other-name 1.0", "does not give 'fake-other-name' but 'another'"),
    "fake-exit": ("fake-exit 1.0", "SystemExit: I am a script"),
    "fake-absent": ("fake-absent 1.0", "No module named 'fake_absent'"),
}


@pytest.fixture
def registry(monkeypatch):
    """A registry that sees the fakes beside what is installed."""
    monkeypatch.syspath_prepend(FAKES)
    yield Registry()
    for name in [name for name in sys.modules if name.startswith("fake_")]:
        del sys.modules[name]


@pytest.fixture
def with_fakes():
    """The environment in which a command line sees the fakes."""
    return {"PYTHONPATH": str(FAKES)}


@pytest.mark.parametrize(("name", "owner", "reason"), [(name, *told) for name, told in BROKEN.items()], ids=BROKEN)
def test_broken_plugin_says_whose_fault_it_is_and_why(registry, name, owner, reason):
    with pytest.raises(PluginError) as caught:
        registry.load("detectors", name, DetectorPlugin)
    message = caught.value.message
    assert owner in message
    assert reason in message
    assert "\n" not in message
    assert caught.value.hint


def test_stolen_name_stays_ours_and_the_thief_is_told(registry):
    assert registry.load("detectors", "mtcnn", DetectorPlugin).models[0].id == "mtcnn"
    thief = next(e for e in registry.entries("detectors") if e.distribution == "fake-stolen-name")
    with pytest.raises(PluginError, match=r"'mtcnn' of fake-stolen-name 1\.0 is broken: the name .* belongs to"):
        registry.load_entry(thief)


def test_each_of_two_that_offer_one_name_is_told(registry):
    twice = [entry for entry in registry.entries("detectors") if entry.name == "fake-twice"]
    assert len(twice) == 2
    for entry in twice:
        with pytest.raises(PluginError, match="offered twice"):
            registry.load_entry(entry)


def test_good_plugin_works_beside_the_broken(registry):
    assert registry.load("detectors", "fake-good", DetectorPlugin).summary == "Sees nobody"


def test_unknown_name_is_told_with_those_that_exist(registry):
    with pytest.raises(PluginError, match=r"there is no detector 'nobody'.*fake-good.*mtcnn"):
        registry.load("detectors", "nobody", DetectorPlugin)


def test_listing_names_imports_no_plugin(registry):
    names = set(registry.names("detectors"))
    assert {"fake-good", *BROKEN} <= names
    assert "fake-nameless" not in names  # its folder has no METADATA: half uninstalled
    assert [name for name in sys.modules if name.startswith("fake_")] == []


def test_distribution_that_can_not_be_listed_is_told(registry):
    assert [str(error) for error in registry.unreadable] == [
        "fake-damaged has a damaged entry_points.txt; reinstall fake-damaged"
    ]


def test_distribution_that_is_on_the_path_twice_counts_once(registry, monkeypatch, tmp_path):
    copy = tmp_path / "fake_good-0.9.dist-info"
    copy.mkdir()
    for file in (FAKES / "fake_good-1.0.dist-info").iterdir():
        (copy / file.name).write_text(file.read_text().replace("Version: 1.0", "Version: 0.9"))
    monkeypatch.syspath_prepend(tmp_path)
    assert [e.version for e in Registry().entries("detectors") if e.name == "fake-good"] == ["0.9"]


def test_printing_plugin_does_not_reach_stdout(registry, capsys):
    assert registry.load("detectors", "fake-printing", DetectorPlugin).name == "fake-printing"
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "imported\ncalled\n"


def test_third_parties_can_be_left_out(registry, monkeypatch):
    ours = [[entry for entry in registry.entries(kind) if entry.built_in] for kind in KINDS]
    assert [Registry(third_party=False).entries(kind) for kind in KINDS] == ours
    monkeypatch.setenv("FACECLI_NO_PLUGINS", "1")
    assert [Registry().entries(kind) for kind in KINDS] == ours
    monkeypatch.setenv("FACECLI_NO_PLUGINS", "0")
    assert "fake-good" in Registry().names("detectors")


# The same through the command line


def test_plugins_list_tells_what_is_broken_and_whose_fault_it_is(run_cli, with_fakes):
    done = run_cli("plugins", "list", "--json", env=with_fakes)
    assert done.returncode == 0
    rows = done.json["plugins"]  # so the plugin that prints has not reached stdout
    problems = {(row["name"], row["distribution"]): row["problem"] for row in rows if row["kind"] == "detectors"}
    for name, (owner, reason) in BROKEN.items():
        told = next(problem for (n, _), problem in problems.items() if n == name)
        assert owner in told
        assert reason in told
    assert "belongs to facecli" in problems["mtcnn", "fake-stolen-name"]
    ours = {name for name, owner in problems if owner == "facecli"}
    assert {"mtcnn", "haar"} <= ours
    working = {name for (name, _), problem in problems.items() if problem is None}
    assert working == ours | {"fake-good", "fake-heavy", "fake-printing"}
    assert "fake-damaged" in done.stdout.decode() + done.stderr.decode()


def test_plugins_list_tells_a_command_that_takes_our_name(run_cli, with_fakes):
    rows = run_cli("plugins", "list", "--json", env=with_fakes).json["plugins"]
    problems = {row["name"]: row["problem"] for row in rows if row["kind"] == "commands"}
    assert problems["fake-hello"] is None
    assert "belongs to facecli" in problems["verify"]
    assert "does not add the command" in problems["fake-nothing"]


def test_who_names_no_broken_plugin_does_not_notice_them(run_cli, with_fakes, examples):
    plain = run_cli("detect", examples / "collins.jpg", "--json")
    beside = run_cli("detect", examples / "collins.jpg", "--json", env=with_fakes)
    assert beside.returncode == 0
    assert beside.errors == plain.errors
    assert beside.json["images"] == plain.json["images"]
    assert len(beside.json["images"][0]["faces"]) == 1


@pytest.mark.parametrize("name", ["fake-missing-dependency", "fake-exit", "fake-wrong-api", "fake-twice"])
def test_naming_a_broken_plugin_is_one_line_and_exit_2(run_cli, with_fakes, examples, name):
    done = run_cli("detect", examples / "collins.jpg", "--detector", name, env=with_fakes)
    owner, reason = BROKEN[name]
    assert done.returncode == 2
    assert done.stdout == b""
    (line,) = done.errors
    assert line.startswith("facecli: error: ")
    assert owner in line
    assert reason in line


@pytest.mark.parametrize("verb", ["info", "check"])
def test_a_broken_plugin_can_be_asked_about(run_cli, with_fakes, verb):
    done = run_cli("plugins", verb, "fake-exit", env=with_fakes)
    assert done.returncode == (2 if verb == "check" else 0)
    assert "SystemExit: I am a script" in (done.stdout + done.stderr).decode()
    assert "Traceback" not in done.stderr.decode()


def test_command_of_a_plugin_runs_and_can_be_left_out(run_cli, with_fakes):
    assert run_cli("fake-hello", env=with_fakes).stdout == b"hello\n"
    assert b"fake-hello" in run_cli("--help", env=with_fakes).stdout
    for left_out in (run_cli("--no-plugins", "fake-hello", env=with_fakes), run_cli("fake-hello")):
        assert left_out.returncode == 2
    assert run_cli("fake-hello", env=with_fakes | {"FACECLI_NO_PLUGINS": "1"}).returncode == 2
    assert b"fake-hello" not in run_cli("--no-plugins", "--help", env=with_fakes).stdout


def test_command_of_a_plugin_can_not_replace_ours(run_cli, with_fakes):
    assert b"Hijack" not in run_cli("verify", "--help", env=with_fakes).stdout


def test_broken_model_of_an_attribute_does_not_stop_the_attribute(run_cli, with_fakes, examples):
    plain = run_cli("emotion", examples / "collins.jpg")
    beside = run_cli("emotion", examples / "collins.jpg", env=with_fakes)
    assert beside.returncode == plain.returncode
    assert "no_such_package" not in beside.stderr.decode()


def test_checking_ours_does_not_check_it_again_for_a_thief(run_cli, with_fakes):
    checks = run_cli("plugins", "check", "mtcnn", "--json", env=with_fakes).json["checks"]
    assert [row["check"] for row in checks].count("descriptor") == 1


@pytest.mark.parametrize(("value", "third_party"), [("1", False), ("yes", False), ("false", True), ("0", True)])
def test_the_variable_is_read_as_options_are(monkeypatch, value, third_party):
    monkeypatch.setenv("FACECLI_NO_PLUGINS", value)
    assert Registry().third_party is third_party
