// Faces that somebody should say something about.
import { texts } from "/web/texts.js";
import { ask, doing, element, field, picture, say } from "/web/tools.js";

export async function review(content) {
  const list = element("ul", { class: "cards" });
  const undo = element("button", { onclick: doing(async () => {
    say((await ask("POST", "/v1/undo")).text);
    await fill(list);
  }) }, texts.undo);
  content.append(element("h1", {}, texts.reviewTitle), element("p", {}, texts.reviewText), list, undo);
  await fill(list);
}

async function fill(list) {
  const { items } = await ask("GET", "/v1/review");
  list.replaceChildren(...items.map((item) => card(item, list)));
  if (!items.length) list.append(element("li", { class: "empty" }, texts.nothing));
}

function card(item, list) {
  const suggested = item.suggestion ? item.suggestion.person : null;
  const answer = (said, person) => doing(async () => {
    await ask("POST", `/v1/review/${item.id}`, person ? { answer: said, person } : { answer: said });
    await fill(list);
  });
  const name = field(texts.whoIsThis, { required: true, maxlength: 200 });
  const say_ = (said, words, label) => element("button", { onclick: answer(said), "aria-label": label }, words);
  return element("li", {},
    picture(item.crop, texts.faceUnknown),
    ...(suggested
      ? [
        element("span", { class: "name" }, texts.isIt(suggested)),
        element("p", { class: "small" }, texts.distance(item.suggestion.distance.toFixed(3))),
        say_("yes", texts.yes, texts.saysYes(suggested)),
        say_("no", texts.no, texts.saysNo(suggested)),
      ]
      : []),
    say_("ignore", texts.ignore, texts.saysIgnore),
    element("form", { onsubmit: (event) => answer("yes", name.lastChild.value)(event) }, name,
      element("button", { type: "submit" }, texts.keep)));
}
