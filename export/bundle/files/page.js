/** The page: two pictures in, the answer out. All computing is in face.js. */
import { Bundle, largest } from "./face.js";

const SIDES = ["a", "b"];
const MAX_PIXELS = 50e6; // more than a browser's memory is made for
const element = (id) => document.getElementById(id);
const chosen = {}; // side -> {embedding} of the picture that is shown
const turns = { a: 0, b: 0 }; // a newer choice makes older work void
let bundle = null;

/** A picture file's pixels as they are stored, upright: {width, height, data: RGB}. */
async function decode(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Error("this is not a picture that the browser can read");
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) throw new Error(`${width}x${height} pixels are too many for this page`);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, j = 0; i < rgba.length; i += 4) {
    data[j++] = rgba[i];
    data[j++] = rgba[i + 1];
    data[j++] = rgba[i + 2];
  }
  return { image: { width, height, data }, canvas };
}

function show(side, drawn, face) {
  const canvas = element(side).querySelector("canvas");
  const scale = Math.min(1, 800 / Math.max(drawn.width, drawn.height));
  canvas.width = Math.round(drawn.width * scale);
  canvas.height = Math.round(drawn.height * scale);
  const context = canvas.getContext("2d");
  context.drawImage(drawn, 0, 0, canvas.width, canvas.height);
  canvas.hidden = false;
  if (!face) return;
  const [x1, y1, x2, y2] = face.box.map((edge) => edge * scale);
  const line = Math.max(2, canvas.width / 160);
  for (const [colour, width] of [["#000", 2 * line], ["#fff", line]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  }
  context.fillStyle = "#fff";
  for (const [x, y] of face.landmarks) {
    context.beginPath();
    context.arc(x * scale, y * scale, line, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

function tell(side, text, kind = "") {
  element(`${side}-told`).textContent = text;
  element(`${side}-told`).dataset.kind = kind;
}

async function take(side, file) {
  const turn = ++turns[side];
  delete chosen[side];
  element(side).querySelector("canvas").hidden = true; // of the picture before
  tell(side, "Looking for faces…");
  answer();
  try {
    const { image, canvas } = await decode(file);
    if (turn !== turns[side]) return;
    show(side, canvas, null);
    await new Promise((resolve) => setTimeout(resolve)); // let the browser draw before it computes
    const faces = await inTurn(() => bundle.detect(image));
    if (!faces.length) throw new Error("no face found: try a larger or clearer picture");
    const face = faces[largest(faces, image)];
    const embedding = await inTurn(() => bundle.embed(image, face));
    const attributes = await inTurn(() => bundle.attributes(image, face));
    if (turn !== turns[side]) return;
    show(side, canvas, face);
    chosen[side] = { embedding };
    tell(side, told(faces.length, face, attributes));
  } catch (error) {
    if (turn !== turns[side]) return;
    tell(side, error.message, "error");
  }
  answer();
}

function told(count, face, attributes) {
  const parts = [count === 1 ? "one face" : `${count} faces, the largest is compared`, `score ${face.score.toFixed(3)}`];
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "number") parts.push(`${name} ${value.toFixed(1)}`);
    else {
      const [label, probability] = Object.entries(value).sort((a, b) => b[1] - a[1])[0];
      parts.push(`${name}: ${label} ${Math.round(100 * probability)} %`);
    }
  }
  return parts.join(", ");
}

let last = Promise.resolve();
/** One model run at a time: a session of onnxruntime-web can not run twice at once. */
function inTurn(work) {
  last = last.catch(() => {}).then(work);
  return last;
}

function answer() {
  const failed = SIDES.some((side) => element(`${side}-told`).dataset.kind === "error");
  if (!chosen.a || !chosen.b) {
    const busy = SIDES.some((side) => element(`${side}-told`).textContent.endsWith("…"));
    const waiting = busy ? "Comparing…" : "Choose two pictures";
    return state(failed ? "error" : busy ? "busy" : "ready", failed ? "No comparison" : waiting);
  }
  const found = bundle.compare(chosen.a.embedding, chosen.b.embedding, Number(element("point").value));
  state(found.verified ? "same" : "different", found.verified ? "The same person" : "Different people");
  const { metric, similarity, distance, threshold } = found;
  element("similarity").textContent = similarity.toFixed(4);
  element("metric").textContent = `${metric.replace("_", " ")} distance`;
  element("distance").textContent = distance.toFixed(4);
  element("threshold").textContent = threshold.toFixed(4);
  element("figures").hidden = false;
  const sign = found.verified ? "at most" : "above";
  element("note").textContent = `The distance is ${sign} the threshold (${bundle.manifest.recognizer.operating_point.source}).`;
  Object.assign(element("answer").dataset, { similarity, distance });
}

function state(name, text) {
  const box = element("answer");
  box.dataset.state = name;
  box.setAttribute("aria-busy", String(name === "busy" || name === "loading"));
  element("verdict").textContent = text;
  element("figures").hidden = true;
  element("note").textContent = "";
}

function offerPoints({ threshold, fmr, by_fmr }) {
  const rate = (value) => `1 wrong match in ${Math.round(1 / value).toLocaleString("en")}`;
  const usual = fmr ? `the usual threshold (about ${rate(fmr)})` : "the usual threshold";
  const options = [[threshold, usual], ...by_fmr.map(([value, other]) => [other, rate(value)])];
  element("point").replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  element("point").disabled = false;
}

for (const side of SIDES) {
  const input = element(`${side}-file`);
  input.disabled = true;
  input.addEventListener("change", () => input.files.length && take(side, input.files[0]));
  const area = element(side);
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    if (bundle && event.dataTransfer.files.length) take(side, event.dataTransfer.files[0]);
  });
}
element("point").addEventListener("change", answer);

try {
  bundle = await Bundle.open();
  const { detector, recognizer, attributes } = bundle.manifest;
  const names = [detector, recognizer, ...attributes].map((entry) => entry.id).join(", ");
  element("models").textContent = `Models: ${names}.`;
  offerPoints(recognizer.operating_point);
  for (const side of SIDES) element(`${side}-file`).disabled = false;
  answer();
} catch (error) {
  state("error", "The models can not be loaded");
  element("note").textContent = error.message;
}
