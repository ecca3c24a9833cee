// Keys, thresholds, a picture to try, and what is kept of whoever is logged in.
import { texts } from "/web/texts.js";
import { ask, doing, element, field, picture, say } from "/web/tools.js";
import { go, me } from "/web/main.js";
import { save } from "/web/people.js";
import { scale } from "/web/scale.js";

export async function settings(content) {
  const own = field(texts.key, { type: "password", autocomplete: "off" });
  content.append(
    element("h1", {}, texts.settingsTitle),
    element("form", { onsubmit: doing(async () => {
      sessionStorage.setItem("key", own.lastChild.value);
      await go("/settings");
      say(texts.mayDo(texts.scopes[me.scope]));
    }) }, own, element("p", { class: "small" }, texts.keyText), element("button", { type: "submit" }, texts.keep)),
    me.has_keys && me.scope === "admin" ? await keys() : "",
    trying(),
    await thresholds(),
    mine(),
  );
}

// The keys of the server, for who may make and revoke them.
async function keys() {
  const list = element("ul", {});
  const label = field(texts.keyLabel, { required: true, maxlength: 100 });
  const scope = element("select", {}, ...["read", "identify", "enroll", "admin"].map((name) => element("option", { value: name }, texts.scopes[name])));
  const made = element("p", { role: "status" });
  const fill = async () => {
    const { keys: found } = await ask("GET", "/v1/keys");
    list.replaceChildren(...found.map((one) => element("li", {}, texts.keyOf(one.label, texts.scopes[one.scope] || one.scope),
      element("button", { class: "bad", "aria-label": texts.revokes(one.label), onclick: doing(async () => {
        if (!confirm(texts.revokeSure(one.label))) return;
        await ask("DELETE", `/v1/keys/${encodeURIComponent(one.label)}`);
        await fill();
      }) }, texts.revoke))));
  };
  await fill();
  return element("section", {}, element("h2", {}, texts.keys), list,
    element("form", { onsubmit: doing(async () => {
      const answer = await ask("POST", "/v1/keys", { label: label.lastChild.value, scope: scope.value });
      made.replaceChildren(texts.keyMade, element("code", {}, answer.key));
      label.lastChild.value = "";
      await fill();
    }) }, label, element("label", {}, texts.keyScope, scope), element("button", { type: "submit" }, texts.keyMake)), made);
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
          element("details", {}, element("summary", { class: "small" }, one.threshold === null ? texts.why : texts.measured), element("p", { class: "small" }, one.threshold_source))))))));
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
      const { images: [image], threshold } = await ask("POST", "/v1/identify?top=2&faces=true&face=largest&require_face=true", data);
      const face = image.faces[0];
      const [first, second] = face.candidates;
      const matched = first.face === null ? null : `/v1/faces/${first.face}/crop`;
      result.replaceChildren(
        element("p", { class: "name" }, face.person || texts.unknown),
        element("div", { class: "pair" },
          element("figure", {}, await cutOut(sent, face.bbox), element("figcaption", {}, texts.sentFace)),
          element("figure", {}, picture(matched, texts.faceOf(first.person)),
            element("figcaption", {}, texts.matchedFace(first.person)))),
        scale(first, second, threshold, face.margin));
    }) }, file, element("button", { type: "submit" }, texts.whois)), result);
}

// The face of a picture that was sent, with what is around it; a blank where the browser does not know the picture.
async function cutOut(sent, [left, top, right, bottom]) {
  const side = 2 * Math.max(right - left, bottom - top);
  const canvas = element("canvas", { width: 224, height: 224, role: "img", "aria-label": texts.sentFace });
  try {
    const bitmap = await createImageBitmap(sent);
    canvas.getContext("2d").drawImage(bitmap, (left + right - side) / 2, (top + bottom - side) / 2, side, side, 0, 0, 224, 224);
  } catch {
    return picture(null, texts.sentFace);
  }
  return canvas;
}
