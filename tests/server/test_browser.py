"""The web page in Chromium before a fake camera: sign-up, log-in, live names, people, and erasing, end to end."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from pages import said, shot, shown

pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(start_server):
    return start_server("--live-fps", "10")


def make_dataset(folder: Path, picture: bytes) -> None:
    """Make a folder of one person, whose name is as macOS writes it, of more bytes than one request may have."""
    person = folder / "Trained_data" / "Grace  Ho\u0308pper"
    for place in (person, folder / "RecycleBin" / "Old Name", folder / "Trained_data"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "thrown.jpg").write_bytes(picture)
    for number in range(3):
        (person / f"{number}.jpg").write_bytes(picture + bytes(3_000_000 + number))
    (person / "broken.jpg").write_bytes(b"no picture")


def review_three_faces(server, page) -> None:
    """Answer for a live face that nobody knew, one of whom nobody is suggested, and one that may be Grace's."""
    (uid,) = [one["uid"] for one in server.get("/v1/people").json()["people"] if one["person"].startswith("Grace")]
    face = server.get(f"/v1/people/{uid}").json()["faces"][-1]["face"]
    for way in ("assign", "reject"):
        assert server.post(f"/v1/faces/{face}/{way}", json={"person": "Eileen Collins"}).status_code == 200
    cards, undo = page.locator(".cards li:not(.empty)"), page.get_by_role("button", name="Undo the latest answer")

    def left(count: int) -> None:
        cards.nth(count).wait_for(state="detached")
        assert cards.count() == count

    page.goto("/review")
    shown(page, "/review")
    left(3)
    page.get_by_role("img", name="A face of Grace").wait_for()
    assert page.locator("svg.scale").count() == 1
    assert undo.count() == 0  # what was changed on other pages is not an answer given here
    shot(page, "review")
    page.get_by_label("Who is this?").first.fill("Grace H\u00f6pper")
    with page.expect_response("**/v1/review/seen-*") as answered:
        page.get_by_role("button", name="Keep").first.click()
    said(page, "The face is Grace H\u00f6pper's.")
    left(2)
    assert undo.count() == int(answered.value.json().get("undoable", False))  # nothing older is offered instead
    page.get_by_role("button", name="This is Grace").click()
    left(1)
    undo.click()
    page.get_by_role("button", name="This is not Grace").wait_for()
    left(2)
    page.get_by_role("button", name="Ignore").first.click()
    left(1)
    page.get_by_role("button", name="Ignore").click()
    page.get_by_text("There is nothing to review.").wait_for()


def test_a_day_on_the_page(server, browser, examples, tmp_path):
    page = browser("collins.jpg")
    page.goto("/")
    shown(page, "/")
    shot(page, "home")

    page.get_by_role("link", name="Sign up").first.click()
    shown(page, "/signup")
    page.get_by_label("First name").fill("Eileen")
    page.get_by_label("Last name").fill("Collins")
    page.get_by_label("I agree").check()
    shot(page, "signup")
    page.get_by_role("button", name="Take five pictures").click()
    said(page, "You are signed up and logged in, Eileen Collins.")
    assert page.locator("#who").inner_text() == "Eileen Collins"
    shot(page, "home-logged-in")

    page.goto("/live")
    page.get_by_role("button", name="Start").click()
    face = page.locator("ul.faces li[data-person='Eileen Collins']")
    face.and_(page.locator(":not([data-emotion=''])")).wait_for()  # some looks later
    assert face.get_attribute("data-emotion")
    shot(page, "live")
    page.get_by_role("button", name="Stop").click()

    page.goto("/")
    page.get_by_role("button", name="Log out").click()
    said(page, "You are logged out.")
    page.goto("/login")
    page.get_by_role("button", name="Log in").click()
    said(page, "You are logged in, Eileen Collins.")

    other = browser("hopper.jpg")
    other.goto("/login")
    other.get_by_role("button", name="Log in").click()
    said(other, "Nobody was recognised")
    state = "document.querySelector('video').srcObject.getTracks()[0].readyState"
    for _ in range(100):
        if other.evaluate(state) == "ended":
            break
        other.wait_for_timeout(100)
    assert other.evaluate(state) == "ended"
    shot(other, "login-refused")
    nothing = '{"images": [{"faces": []}]}'
    other.route("**/v1/detect", lambda route: route.fulfill(body=nothing, content_type="application/json"))
    other.on("request", lambda request: pytest.fail("an empty log-in") if request.url.endswith("/v1/login") else None)
    other.get_by_role("button", name="Log in").click()
    said(other, "nothing was sent. No face is seen")
    other.goto("/live")
    other.get_by_role("button", name="Start").click()
    other.get_by_role("link", name="Who is this?").wait_for()
    other.get_by_role("button", name="Stop").click()

    make_dataset(tmp_path / "people", (examples / "hopper.jpg").read_bytes())
    page.goto("/people")
    shown(page, "/people")
    page.locator("input[name=folder]").set_input_files(str(tmp_path / "people"))
    page.locator("form:has(input[name=folder]) button").click()
    said(page, "4 added, 1 could not be used")
    assert "/broken.jpg: " in page.get_by_label("Pictures that could not be used").inner_text()
    page.get_by_text("Grace H\u00f6pper").first.wait_for()
    shot(page, "people")
    page.goto("/people")
    shown(page, "/people")
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        archive.writestr("Grace H\u00f6pper/zipped.jpg", (examples / "hopper.jpg").read_bytes() + bytes(100))
    page.locator("input[accept*=zip]").set_input_files(str(tmp_path / "people.zip"))
    page.locator("form:has(input[name=folder]) button").click()
    said(page, "1 added")
    page.get_by_text("Eileen Collins").last.click()
    page.get_by_role("heading", name="Eileen Collins").wait_for()
    shot(page, "person")
    kept = page.locator("#main .cards li").count()  # equal frames of the camera are one picture
    page.get_by_role("button", name="Not this person").first.click()
    page.wait_for_function("n => document.querySelectorAll('#main .cards li').length === n - 1", arg=kept)

    review_three_faces(server, page)

    page.goto("/settings")
    shown(page, "/settings")
    page.locator("section input[type=file]").set_input_files(str(examples / "collins_variant.jpg"))
    page.get_by_role("button", name="Try a picture").click()
    page.locator("#tried svg").wait_for()
    shot(page, "settings")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Erase me").click()
    said(page, "No byte of them was found afterwards.")
    names = [one["person"] for one in server.get("/v1/people").json()["people"] if one["kind"] != "ignored"]
    assert names == ["Grace H\u00f6pper"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(browser, server, collins, scheme):
    uid = server.post("/v1/people", data={"name": f"Ada {scheme}"}, files={"images": collins}).json()["person"]["uid"]
    page = browser("hopper.jpg", 360, 740, scheme)

    def check(name: str) -> None:
        shot(page, f"phone-{scheme}-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("h1").count() == 1

    for path in ("/", "/signup", "/login", "/people", f"/people/{uid}", "/review", "/settings", "/live"):
        page.goto(path)
        shown(page, path)
        check(path.strip("/").replace(uid, "one").replace("/", "-") or "home")
    page.get_by_role("button", name="Start").click()
    page.locator("ul.faces li[data-emotion]:not([data-emotion=''])").wait_for()
    check("live-with-a-face")
    page.goto("/settings")
    page.locator("section input[type=file]").set_input_files({"name": "a.jpg", "mimeType": "", "buffer": collins})
    page.get_by_role("button", name="Try a picture").click()
    page.locator("#tried svg").wait_for()
    check("settings-tried")
    server("DELETE", f"/v1/people/{uid}")


def test_keys_are_made_and_revoked_on_the_page(browser, start_server, collins, tmp_path):
    from facecli.server.keys import Keys

    path = tmp_path / "keys.json"
    key = Keys.add(path, "the first", "admin")
    server = start_server("--keys", str(path))
    sent = {"headers": {"Authorization": f"Bearer {key}"}, "data": {"name": "Ada"}, "files": {"images": collins}}
    uid = server.post("/v1/people", **sent).json()["person"]["uid"]
    page = browser("collins.jpg", address=server.address)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/signup")
    page.get_by_text("Signing up needs a key").wait_for()
    page.goto("/login")
    page.get_by_role("button", name="Log in").click()
    said(page, "You are logged in, Ada.")
    page.goto(f"/people/{uid}")
    page.get_by_role("heading", name="Ada").wait_for()
    assert "null" not in page.locator("#main").inner_text()
    page.goto("/settings")
    shown(page, "/settings")
    page.get_by_label("Key of the server").fill(key)
    page.get_by_role("button", name="Keep").click()
    said(page, "admin")
    page.get_by_label("Label of a new key").fill("a door")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_text("This key is shown once").wait_for()
    page.get_by_text("a door, read").wait_for()
    shot(page, "settings-keys")
    page.get_by_role("button", name="Revoke a door").click()
    page.get_by_text("a door, read").wait_for(state="detached")
    assert [one["label"] for one in Keys(path).listed()] == ["the first"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, start_server, axe, collins, scheme):
    server = start_server("--live-fps", "10")
    server.post("/v1/people", data={"name": "Ada"}, files={"images": collins})
    (person,) = server.get("/v1/people").json()["people"]
    face = server.get(f"/v1/people/{person['uid']}").json()["faces"][0]["face"]
    page = browser("hopper.jpg", 1100, 800, scheme, server.address)

    def check(place: str) -> None:
        page.evaluate(axe)  # by the browser's debugger: the page itself may not run it
        found = page.evaluate("axe.run()")["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in serious]
        assert not told, f"{place}: {told}"

    for path in ("/", "/signup", "/login", "/live", "/people", f"/people/{person['uid']}", "/settings"):
        page.goto(path)
        shown(page, path)
        check(path)
    page.goto("/live")
    page.get_by_role("button", name="Start").click()
    page.locator("ul.faces li").first.wait_for()
    check("/live with a face")
    server.post(f"/v1/faces/{face}/reject", json={"person": "Ada"})
    page.goto("/review")
    page.get_by_label("Ignore this face").first.wait_for()
    check("/review with a face")
    server.post("/v1/people", data={"name": "Grace"}, files={"images": collins + bytes(1)})
    page.goto("/review")
    page.get_by_role("button", name="Yes, this is Grace").wait_for()
    check("/review with a question")
