// How near a decision is.
import { texts } from "/web/texts.js";
import { element } from "/web/tools.js";

const LETTER = 9; // units of the drawing that a letter takes at most

// Return the distances to the first and, if there is one, the second person on a line, with the threshold.
export function scale(first, second, threshold, margin) {
  const space = "http://www.w3.org/2000/svg";
  const most = Math.max(1.5 * threshold, 1.1 * first.distance, second ? 1.1 * second.distance : 0);
  const at = (value) => 10 + (value / most) * 380;
  const svg = (name, attributes, text) => {
    const made = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  };
  const words = texts.scale(first.distance.toFixed(3), threshold.toFixed(3), margin === null ? null : margin.toFixed(3));
  const drawn = svg("svg", { class: "scale", viewBox: "0 0 400 84", role: "img", "aria-label": words });
  // A text begins, or ends, at its place, so that it stays on the picture.
  const label = (value, y, text) => svg("text", { x: at(value), y, "text-anchor": at(value) > 200 ? "end" : "start" }, text);
  // A person, with a long name cut to what fits; the whole of it is shown where the pointer rests.
  const person = ({ person: name, distance }, y) => {
    const fits = Math.floor(Math.max(at(distance), 400 - at(distance)) / LETTER) - 6;
    const letters = [...name];
    const made = label(distance, y, `${letters.length > fits ? `${letters.slice(0, fits - 1).join("")}…` : name} ${distance.toFixed(3)}`);
    made.append(svg("title", {}, name));
    return made;
  };
  drawn.append(
    svg("line", { class: "axis", x1: 10, x2: 390, y1: 46, y2: 46 }),
    svg("line", { class: "limit", x1: at(threshold), x2: at(threshold), y1: 34, y2: 58 }),
    label(threshold, 78, `${texts.limit} ${threshold.toFixed(3)}`),
    svg("circle", { cx: at(first.distance), cy: 46, r: 7 }),
    person(first, second ? 12 : 28),
  );
  if (second) {
    drawn.append(svg("circle", { cx: at(second.distance), cy: 46, r: 4 }), person(second, 28));
  }
  return element("div", {}, drawn, element("p", { class: "small" }, words));
}
