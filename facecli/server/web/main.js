// The frame of all pages: the menu, who is logged in, and the page that the address names.
import { texts } from "/web/texts.js";
import { ask, closeCamera, element, say } from "/web/tools.js";
import { home, login, signup } from "/web/accounts.js";
import { live } from "/web/live.js";
import { people, person } from "/web/people.js";
import { review } from "/web/review.js";
import { settings } from "/web/settings.js";

const PAGES = { "": home, signup, login, live, people, review, settings };
const main = document.getElementById("main");
let leave = null;

export let me = { person: null, scope: null, checks_life: false, has_keys: false };

export async function refresh() {
  try {
    me = await ask("GET", "/v1/me");
  } catch {
    me = { person: null, scope: null, checks_life: false, has_keys: false };
  }
  const here = location.pathname.split("/")[1];
  const menu = document.getElementById("menu");
  menu.setAttribute("aria-label", texts.menu);
  menu.replaceChildren(
    ...Object.keys(PAGES).map((name) =>
      element("a", { href: `/${name}`, "aria-current": name === here ? "page" : null }, texts[name || "home"])),
    element("span", { class: "who", id: "who" }, me.person ? me.person.person : texts.nobody),
  );
}

export async function go(path) {
  history.pushState(null, "", path);
  await show();
}

async function show() {
  if (leave) leave();
  leave = null;
  closeCamera();
  say("");
  await refresh();
  const [, name, uid] = location.pathname.split("/");
  const page = name === "people" && uid ? person : PAGES[name] || home;
  const content = element("div");
  main.replaceChildren(content);
  try {
    leave = (await page(content, uid)) || null;
  } catch (failure) {
    say(failure.message, true);
  }
  const title = content.querySelector("h1");
  document.title = title ? `${title.textContent} – facecli` : "facecli";
  main.dataset.shown = location.pathname;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || link.hasAttribute("download") || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href")).then(() => main.focus());
});
addEventListener("popstate", show);
const skip = document.getElementById("skip");
skip.textContent = texts.skip;
skip.addEventListener("click", (event) => {
  event.preventDefault(); // to follow it would be another address, for which the page is drawn anew
  main.focus();
});
show();
