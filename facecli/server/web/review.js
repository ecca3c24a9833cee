// Faces that somebody should say something about.
import { texts } from "/web/texts.js";
import { ask, doing, element, field, picture, say } from "/web/tools.js";
import { named } from "/web/folders.js";
import { scale } from "/web/scale.js";

const FPIR = 0.01; // the rate of strangers who are named, where nobody asks for another

export async function review(content) {
  const place = { list: element("ul", { class: "cards wide" }), undo: element("button", { hidden: true }, texts.undoAnswer), undoable: [] };
  place.undo.addEventListener("click", doing(async () => {
    const { people } = await ask("POST", "/v1/undo");
    place.undoable.pop();
    await fill(place);
    say(texts.undone(people));
  }));
  content.append(element("h1", {}, texts.reviewTitle), element("p", {}, texts.reviewText), place.list, place.undo);
  await fill(place);
}

// place: the list, the button, and of each answer that was given here whether it can be undone. The button takes back
// the latest of all changes, so it is there only where that is the latest answer.
async function fill(place) {
  const { items } = await ask("GET", "/v1/review");
  const suggested = items.map((item) => item.suggestion && item.suggestion.person).filter(Boolean);
  const known = new Map();
  for (const name of new Set(suggested)) known.set(name, await named(name));
  const threshold = suggested.length ? await usual() : null;
  place.list.replaceChildren(...items.map((item) => card(item, place, known, threshold)));
  if (!items.length) place.list.append(element("li", { class: "empty" }, texts.nothing));
  place.undo.hidden = !place.undoable.at(-1);
}

// Return the distance at which a face is named, null where the server has measured none.
async function usual() {
  const { points } = await ask("GET", "/v1/thresholds");
  const point = points.find((one) => one.fpir === FPIR);
  return point ? point.threshold : null;
}

function card(item, place, known, threshold) {
  const answer = (said, person) => doing(async () => {
    const answered = await ask("POST", `/v1/review/${item.id}`, person ? { answer: said, person } : { answer: said });
    const stored = item.id.startsWith("face-") && said !== "ignore"; // the server may say so itself
    const undoable = answered.undoable ?? stored;
    place.undoable.push(undoable);
    await fill(place);
    say(texts.answered(said, answered.person, undoable));
  });
  const name = field(texts.whoIsThis, { required: true, maxlength: 200 });
  const button = (said, words, label) => element("button", { onclick: answer(said), "aria-label": label }, words);
  return element("li", {},
    ...(item.suggestion ? question(item, known.get(item.suggestion.person), threshold) : [picture(item.crop, texts.faceUnknown)]),
    ...(item.suggestion
      ? [
        button("yes", texts.yes, texts.saysYes(item.suggestion.person)),
        button("no", texts.no, texts.saysNo(item.suggestion.person)),
      ]
      : []),
    button("ignore", texts.ignore, texts.saysIgnore),
    element("form", { onsubmit: (event) => answer("yes", name.lastChild.value)(event) }, name,
      element("button", { type: "submit" }, texts.keep)));
}

// The face that was seen beside one of whom it may be, and how near they are.
function question(item, person, threshold) {
  const { person: name, distance } = item.suggestion;
  return [
    element("div", { class: "pair" },
      element("figure", {}, picture(item.crop, texts.faceUnknown), element("figcaption", {}, texts.seenFace)),
      element("figure", {}, picture(person && person.portrait, texts.faceOf(name)), element("figcaption", {}, texts.matchedFace(name)))),
    element("span", { class: "name" }, texts.isIt(name)),
    threshold === null
      ? element("p", { class: "small" }, texts.distance(distance.toFixed(3)))
      : scale(item.suggestion, undefined, threshold, null),
  ];
}
