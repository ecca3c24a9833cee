// What pages are made of: elements, requests to the server, messages, the camera.
import { texts } from "/web/texts.js";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function say(text, bad = false) {
  const place = document.getElementById("message");
  place.textContent = text;
  place.classList.toggle("bad", bad);
}

// What an error of the server says: the page's words for its code, or else the server's own. hinted: with its hint.
export function words({ code, message, hint }, hinted = false) {
  return texts.errors[code] || (hinted && hint ? `${message}; ${hint}` : message);
}

export function key() {
  return sessionStorage.getItem("key") || "";
}

// Return the answer of the server; throw an Error with its words if it refuses.
export async function ask(method, path, body) {
  const headers = key() ? { Authorization: `Bearer ${key()}` } : {};
  if (body && !(body instanceof FormData) && !(body instanceof Blob)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const answer = await fetch(path, { method, headers, body });
  if (answer.status === 204) return null;
  const type = answer.headers.get("content-type") || "";
  if (!type.startsWith("application/json")) {
    if (answer.ok) return answer.blob();
    throw new Error(texts.failed);
  }
  const document_ = await answer.json();
  if (!answer.ok) {
    const error = document_.error;
    const needsKey = answer.headers.has("www-authenticate"); // the server's hint is for programs
    const failure = new Error(needsKey ? `${error.message}; ${texts.typeKey}` : words(error, true));
    failure.status = answer.status;
    throw failure;
  }
  return document_;
}

// Wrap a handler so that a failure is said, and its button is not pressed twice.
export function doing(work) {
  return async (event) => {
    event.preventDefault();
    const button = event.submitter || event.currentTarget;
    button.disabled = true;
    try {
      await work(event);
    } catch (failure) {
      say(failure.message || texts.failed, true);
    } finally {
      button.disabled = false;
    }
  };
}

// An <img> of a picture that may need the key.
export function picture(path, alt) {
  const blank = () => element("span", { class: "blank", role: "img", "aria-label": alt });
  if (!path) return blank();
  const image = element("img", { alt, width: 160, height: 160 });
  const missing = () => image.replaceWith(blank()); // a gallery that `facecli enroll` made keeps no crops unasked
  image.addEventListener("error", missing);
  if (!key()) image.src = path;
  else ask("GET", path).then((blob) => { image.src = URL.createObjectURL(blob); }, missing);
  return image;
}

export function field(label, attributes) {
  return element("label", {}, label, element("input", { type: "text", ...attributes }));
}

// The camera of one page; it is let go when another page is shown.
let stream = null;
let turn = 0; // goes up when the camera is let go: one that is given afterwards is wanted no more

export async function openCamera(video) {
  if (!navigator.mediaDevices) throw new Error(texts.noCamera);
  closeCamera();
  const own = turn;
  let given;
  try {
    given = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 }, audio: false });
  } catch {
    throw new Error(texts.cameraRefused);
  }
  if (own !== turn) {
    for (const track of given.getTracks()) track.stop();
    throw new Error(texts.cameraLeft);
  }
  stream = given;
  video.srcObject = stream;
  await video.play();
}

export function closeCamera() {
  turn += 1;
  if (stream) for (const track of stream.getTracks()) track.stop();
  stream = null;
}

export function videoElement() {
  const video = element("video", { "aria-label": texts.video });
  video.muted = true;
  video.playsInline = true;
  return video;
}

// One frame of a video as a JPEG.
export function snapshot(video) {
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
