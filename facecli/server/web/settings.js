// Keys, thresholds, a picture to try, and what is kept of whoever is logged in.
import { texts } from "/web/texts.js";
import { ask, doing, element, field, picture, say } from "/web/tools.js";
import { go, me, refresh } from "/web/main.js";
import { save } from "/web/people.js";

export async function settings(content) {
  const own = field(texts.key, { type: "password", autocomplete: "off" });
  content.append(
    element("h1", {}, texts.settingsTitle),
    element("form", { onsubmit: doing(async () => {
      sessionStorage.setItem("key", own.lastChild.value);
      await refresh();
      say(texts.mayDo(me.scope));
    }) }, own, element("p", { class: "small" }, texts.keyText), element("button", { type: "submit" }, texts.keep)),
    trying(),
    await thresholds(),
    mine(),
  );
}

function mine() {
  if (!me.person) return element("p", { class: "small" }, texts.needLogin);
  return element("p", {},
    element("button", { onclick: doing(async () => { await save(`/v1/people/${me.person.uid}/export`); }) }, texts.exportMe),
    element("button", { class: "bad", id: "erase-me", onclick: doing(async () => {
      if (!confirm(texts.eraseSure)) return;
      const receipt = await ask("DELETE", "/v1/me");
      await go("/");
      say(texts.removed(receipt.faces));
    }) }, texts.eraseMe));
}

async function thresholds() {
  const place = element("section", {}, element("h2", {}, texts.thresholds), element("p", { class: "small" }, texts.thresholdText));
  try {
    const { points } = await ask("GET", "/v1/thresholds");
    place.append(element("table", {},
      element("thead", {}, element("tr", {}, ...[texts.fpir, texts.threshold].map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...points.map((one) => element("tr", {},
        element("td", {}, `${one.fpir * 100} %`),
        element("td", {}, one.threshold === null ? "–" : one.threshold.toFixed(3),
          element("p", { class: "small" }, one.threshold_source)))))));
  } catch (failure) {
    place.append(element("p", {}, failure.message));
  }
  return place;
}

function trying() {
  const file = field(texts.picture, { type: "file", accept: "image/*", required: true });
  const result = element("div", { id: "tried" });
  return element("section", {}, element("h2", {}, texts.whois), element("p", { class: "small" }, texts.whoisText),
    element("form", { onsubmit: doing(async () => {
      const data = new FormData();
      const sent = file.lastChild.files[0];
      data.append("image", sent);
      const [{ images: [image], threshold }, { people }] = await Promise.all([
        ask("POST", "/v1/identify?top=2&face=largest&require_face=true", data), ask("GET", "/v1/people?limit=500"),
      ]);
      const face = image.faces[0];
      const first = face.candidates[0];
      const enrolled = people.find((one) => one.person === first.person);
      result.replaceChildren(
        element("div", { class: "pair" },
          element("figure", {}, element("img", { src: URL.createObjectURL(sent), alt: texts.sentFace }), element("figcaption", {}, texts.sentFace)),
          element("figure", {}, picture(enrolled && enrolled.portrait, texts.faceOf(first.person)),
            element("figcaption", {}, texts.matchedFace(first.person)))),
        element("p", { class: "name" }, face.person || texts.unknown),
        scale(first.distance, threshold, face.margin));
    }) }, file, element("button", { type: "submit" }, texts.whois)), result);
}

// The distance on a line from 0 to twice the threshold, with the threshold and the second person on it.
function scale(distance, threshold, margin) {
  const space = "http://www.w3.org/2000/svg";
  const most = Math.max(2 * threshold, distance * 1.1, margin === null ? 0 : (distance + margin) * 1.1);
  const at = (value) => 10 + (value / most) * 380;
  const svg = (name, attributes, text) => {
    const made = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  };
  const words = texts.scale(distance.toFixed(3), threshold.toFixed(3), margin === null ? null : margin.toFixed(3));
  const drawn = svg("svg", { class: "scale", viewBox: "0 0 400 54", role: "img", "aria-label": words });
  drawn.append(
    svg("line", { class: "axis", x1: 10, x2: 390, y1: 24, y2: 24 }),
    svg("line", { class: "limit", x1: at(threshold), x2: at(threshold), y1: 6, y2: 42 }),
    svg("circle", { cx: at(distance), cy: 24, r: 7 }),
    svg("text", { x: Math.min(at(threshold) + 4, 300), y: 52 }, `${texts.limit} ${threshold.toFixed(3)}`),
  );
  if (margin !== null) drawn.append(svg("circle", { cx: at(distance + margin), cy: 24, r: 4 }));
  return element("div", {}, drawn, element("p", { class: "small" }, words));
}
