// The live view: frames to the server one at a time, boxes and names over the picture.
import { texts } from "/web/texts.js";
import { doing, element, key, openCamera, closeCamera, say, snapshot, videoElement, words } from "/web/tools.js";

export function live(content) {
  let [socket, here] = [null, true];
  const video = videoElement();
  const canvas = element("canvas", { "aria-hidden": "true" });
  const stage = element("div", { class: "stage", hidden: true }, video, canvas);
  const list = element("ul", { class: "faces", "aria-label": texts.seen });
  const stop = () => {
    if (socket) socket.close();
    socket = null;
    if (!here) return; // the camera may be another page's meanwhile
    closeCamera();
    stage.hidden = true;
    toggle.textContent = texts.liveStart;
  };
  const toggle = element("button", { class: "lead", onclick: doing(async () => {
    if (socket) return stop();
    stage.hidden = false;
    try {
      await openCamera(video);
      if (!here) return;
      socket = connect(video, (answer) => show(answer, canvas, list), stop);
    } catch (failure) {
      stop();
      throw failure;
    }
    toggle.textContent = texts.liveStop;
  }) }, texts.liveStart);
  content.append(element("h1", {}, texts.liveTitle), toggle, stage, list);
  return () => {
    here = false;
    if (socket) socket.close();
  };
}

// Send a frame, wait for its answer, send the next.
function connect(video, answered, ended) {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/live`);
  const next = async () => {
    const frame = await snapshot(video);
    if (socket.readyState === WebSocket.OPEN && frame) socket.send(frame);
  };
  socket.onopen = () => {
    if (key()) socket.send(JSON.stringify({ key: key() }));
    next();
  };
  socket.onmessage = (message) => {
    const answer = JSON.parse(message.data);
    answered(answer);
    if (answer.error) say(words(answer.error), true);
    next();
  };
  socket.onclose = (event) => {
    if (event.code !== 1000 && event.code !== 1005) say(event.reason || texts.failed, true);
    ended();
  };
  return socket;
}

function show(answer, canvas, list) {
  if (!answer.width) return;
  canvas.width = answer.width;
  canvas.height = answer.height;
  const pen = canvas.getContext("2d");
  const scale = canvas.width / (canvas.clientWidth || canvas.width); // a phone shows the picture small, and words in full
  pen.lineWidth = 2.5 * scale;
  pen.font = `600 ${16 * scale}px system-ui, sans-serif`;
  for (const face of answer.faces) draw(pen, face, scale);
  list.replaceChildren(...answer.faces.map((face) =>
    element("li", { "data-person": face.person || "", "data-emotion": face.emotion || "", "data-track": face.track },
      nameOf(face),
      ` (${[emotionOf(face), texts.trackOf(face.track)].filter(Boolean).join(", ")}) `,
      face.outcome === "unknown" ? element("a", { href: "/review" }, texts.whoIsThis) : null)));
}

// A face is looked at a few times before it is said whose it is.
function nameOf(face) {
  return face.person || (face.outcome ? texts.unknown : texts.looking);
}

const emotionOf = ({ emotion }) => texts.emotions[emotion] || emotion;

function draw(pen, face, scale) {
  const [left, top, right, bottom] = face.bbox;
  const colour = face.person ? "#7fe0a8" : "#f0c674";
  const words = [nameOf(face), emotionOf(face)].filter(Boolean).join(" · ");
  pen.strokeStyle = colour;
  pen.strokeRect(left, top, right - left, bottom - top);
  const [width, height] = [pen.measureText(words).width + 10 * scale, 24 * scale];
  const above = top > height ? top - height : bottom;
  const start = Math.max(0, Math.min(left, pen.canvas.width - width));
  pen.fillStyle = colour;
  pen.fillRect(start, above, width, height);
  pen.fillStyle = "#10201a";
  pen.fillText(words, start + 5 * scale, above + 17.5 * scale);
}
