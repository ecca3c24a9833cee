"""The page in Chromium by the keyboard alone, and what people change there: names, merges, searches, exports, keys."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from pages import said, shot, shown

pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.browser
MOST_STEPS = 80  # of Tab, until the focus is where it is wanted
FOCUSED = """() => {
    const own = document.activeElement;
    const label = own.closest('label') || own;
    return (own.getAttribute('aria-label') || label.textContent || '').trim();
}"""


@pytest.fixture
def server(start_server):
    return start_server("--live-fps", "10")


def opened(page, path: str) -> None:
    page.goto(path)
    shown(page, path)


def tab_to(page, text: str) -> None:
    """Press Tab until what has the focus begins with a text, and is seen to have it."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED).startswith(text):
            style = "(({outlineStyle, boxShadow}) => outlineStyle !== 'none' || boxShadow !== 'none')"
            assert page.evaluate(f"{style}(getComputedStyle(document.activeElement))"), f"{text}: the focus is not seen"
            return
    raise AssertionError(f"Tab does not lead to {text!r}")


def cards(page, count: int) -> None:
    page.wait_for_function("n => document.querySelectorAll('#main .cards li:not(.empty)').length === n", arg=count)


def test_a_keyboard_is_enough(server, browser, collins):
    page = browser("hopper.jpg", address=server.address)
    opened(page, "/")
    tab_to(page, "Sign up")
    page.keyboard.press("Enter")
    shown(page, "/signup")
    for label, text in (("First name", "Grace"), ("Last name", "Hopper")):
        tab_to(page, label)
        page.keyboard.type(text)
    tab_to(page, "I agree")
    page.keyboard.press("Space")
    tab_to(page, "Take five pictures")
    page.keyboard.press("Space")
    said(page, "You are signed up and logged in, Grace Hopper.")
    assert page.evaluate("document.querySelectorAll('.strip img').length") in (0, 5)

    server.post("/v1/people", data={"name": "Eileen"}, files={"images": collins})
    opened(page, "/people")
    cards(page, 2)
    tab_to(page, "Search by name")
    page.keyboard.type("eil")
    cards(page, 1)
    tab_to(page, "Eileen")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Eileen").wait_for()
    tab_to(page, "Not this person")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Not this person").wait_for(state="detached")

    opened(page, "/review")
    page.get_by_label("Who is this?").wait_for()
    tab_to(page, "Who is this?")
    page.keyboard.type("Eileen Collins")
    page.keyboard.press("Enter")
    said(page, "The face is Eileen Collins's.")
    names = [one["person"] for one in server.get("/v1/people").json()["people"] if one["pictures"]]
    assert sorted(names) == ["Eileen Collins", "Grace Hopper"]


def test_the_skip_link_moves_the_focus_and_leaves_the_page_as_it_is(server, browser):
    page = browser("hopper.jpg", address=server.address)
    opened(page, "/signup")
    page.get_by_label("First name").fill("Ada")
    page.evaluate("document.activeElement.blur()")
    page.locator("#skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.wait_for_timeout(300)  # it would be drawn anew by then
    assert page.get_by_label("First name").input_value() == "Ada"
    assert page.url.endswith("/signup")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED).startswith("First name")


def test_people_are_renamed_merged_and_found(server, browser, collins, examples):
    hopper = (examples / "hopper.jpg").read_bytes()
    for name, picture in (("Ada", collins), ("Adele", collins + bytes(1)), ("Grace", hopper)):
        assert server.post("/v1/people", data={"name": name}, files={"images": picture}).status_code == 201
    page = browser("collins.jpg", address=server.address)
    opened(page, "/people")
    cards(page, 3)
    page.get_by_label("Search by name").fill("ad")
    cards(page, 2)
    page.get_by_label("Search by name").fill("nobody of this name")
    page.get_by_text("Nobody is called so.").wait_for()
    page.get_by_label("Search by name").fill("")
    cards(page, 3)

    page.get_by_role("link", name="Ada").click()
    page.get_by_role("heading", name="Ada").wait_for()
    page.get_by_label("New name").fill("Eileen Collins")
    page.get_by_role("button", name="Rename").click()
    said(page, "Ada is called Eileen Collins now.")
    page.get_by_role("heading", name="Eileen Collins").wait_for()
    page.get_by_label("New name").fill("Grace")
    page.get_by_role("button", name="Rename").click()
    page.wait_for_function("() => document.getElementById('message').classList.contains('bad')")  # she is there already

    page.get_by_label("Another person").select_option(label="Adele")
    page.get_by_role("button", name="Merge into").click()
    said(page, "Eileen Collins is Adele now: 1 face.")
    page.get_by_role("heading", name="Adele").wait_for()
    cards(page, 2)
    opened(page, "/people")
    cards(page, 2)
    page.get_by_role("button", name="Undo the latest rename").click()
    said(page, "The latest change is taken back: Eileen Collins")
    cards(page, 3)
    assert {one["person"] for one in server.get("/v1/people").json()["people"]} == {"Eileen Collins", "Adele", "Grace"}


def test_whoever_logs_in_with_a_pin_exports_what_is_kept_of_them(browser, start_server, tmp_path, examples):
    from facecli.server.keys import Keys

    path = tmp_path / "keys.json"
    key = {"Authorization": f"Bearer {Keys.add(path, 'the first', 'admin')}"}
    server = start_server("--keys", str(path))
    picture = np.asarray(cv2.imread(str(examples / "collins.jpg")))
    pictures = [cv2.imencode(".jpg", np.roll(picture, 2 * shift, axis=1))[1].tobytes() for shift in range(3)]
    sent = [("images", (f"{number}.jpg", data)) for number, data in enumerate(pictures)]
    names = {"name": "Ada", "consent": "yes", "pin": "zebra 7"}
    assert server.post("/v1/signup", data=names, files=sent, headers=key).status_code == 201
    page = browser("collins.jpg", address=server.address)
    opened(page, "/login")
    page.get_by_label("PIN, if you have one").fill("zebra 7")
    page.get_by_role("button", name="Log in").click()
    said(page, "You are logged in, Ada.")
    opened(page, "/settings")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export what is kept of me").click()
    content = Path(download.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert any(name.endswith(".jpg") for name in archive.namelist())
        assert any(b"Ada" in archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_where_keys_are_made(browser, start_server, axe, tmp_path, scheme):
    from facecli.server.keys import Keys

    path = tmp_path / "keys.json"
    key = Keys.add(path, "the first", "admin")
    server = start_server("--keys", str(path))
    page = browser("collins.jpg", 1100, 800, scheme, server.address)
    opened(page, "/settings")
    page.get_by_label("Key of the server").fill(key)
    page.get_by_role("button", name="Keep").click()
    said(page, "admin")
    page.get_by_label("Label of a new key").fill("a door")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_text("This key is shown once").wait_for()
    page.get_by_role("button", name="Revoke a door").wait_for()
    page.evaluate(axe)
    serious = [one for one in page.evaluate("axe.run()")["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
    shot(page, f"settings-keys-{scheme}")
