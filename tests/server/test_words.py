"""Every word of the page is in one file, which a translation replaces; codes of the server have their words there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="a server needs facecli[serve]")

from facecli.labels import LABELS
from facecli.server.caller import SCOPES

WEB = Path(__file__).parents[2] / "facecli" / "server" / "web"
TEXTS = (WEB / "texts.js").read_text("utf-8")
SCRIPTS = {path.name: path.read_text("utf-8") for path in WEB.glob("*.js") if path.name != "texts.js"}


def group(name: str) -> set[str]:
    """The names in a group of texts."""
    found = re.search(rf"^  {name}: \{{(.*?)\}},$", TEXTS, re.MULTILINE | re.DOTALL)
    assert found, name
    return set(re.findall(r"(\w+): \"", found[1]))


def test_each_text_that_is_used_is_there_and_each_that_is_there_is_used():
    names = set(re.findall(r"(?:^  |(?<=[\"`], ))(\w+): ", TEXTS, re.MULTILINE))
    inner = group("emotions") | group("scopes") | group("errors")
    pages = set(re.findall(r"\{(\w+)\}", (WEB / "index.html").read_text("utf-8")))
    menu = {"home", "signup", "login", "live", "people", "review", "settings"}
    used = {name for script in SCRIPTS.values() for name in re.findall(r"[^/]\btexts\.(\w+)", script)}
    assert used | pages | menu <= names
    assert names - inner - used - pages - menu == set()


def test_codes_of_the_server_have_words():
    assert group("emotions") == set(LABELS["emotion"])
    assert group("scopes") == set(SCOPES)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_other_file_has_words(name):
    script = re.sub(r"^import .*$|//.*$", "", SCRIPTS[name], flags=re.MULTILINE)
    texts = re.findall(r'"([^"\n]*)"', script)
    classes = r'class: "[^"]*"'
    for one in re.findall(classes, script):
        texts.remove(one.split('"')[1])
    words = [text for text in texts if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", text)]
    assert words == []


def test_the_document_has_its_words_without_scripts(server):
    page = server.get("/").text
    assert '<html lang="en">' in page
    assert "<noscript>This page needs JavaScript.</noscript>" in page
