// Home, sign-up and log-in.
import { texts } from "/web/texts.js";
import { ask, closeCamera, doing, element, field, openCamera, pause, say, snapshot, videoElement } from "/web/tools.js";
import { go, me, refresh } from "/web/main.js";

const PICTURES = 5; // of a sign-up and of a log-in
const LEAST = 3; // that each needs

export function home(content) {
  content.append(
    element("h1", {}, me.person ? texts.welcome(me.person.person) : texts.homeTitle),
    element("p", {}, me.person ? texts.homeKnown : texts.homeText),
    element("p", {},
      ...(me.person
        ? [
          element("a", { class: "button lead", href: "/live" }, texts.homeLive),
          element("button", { onclick: doing(async () => {
            await ask("POST", "/v1/logout");
            await go("/");
            say(texts.loggedOut);
          }) }, texts.logout),
        ]
        : [
          element("a", { class: "button lead", href: "/signup" }, texts.signup),
          element("a", { class: "button", href: "/login" }, texts.login),
          element("a", { class: "button", href: "/live" }, texts.live),
        ])),
    element("p", { class: "small" }, me.checks_life ? texts.checked : texts.convenience),
  );
}

// What the server sees of one picture, as a hint to whoever sits before the camera. A server with keys shows it to
// nobody without one; a log-in is for everybody, and then the pictures are taken as they come.
async function hint(picture) {
  if (!me.scope) return ["", true];
  const { images: [image] } = await ask("POST", "/v1/detect", picture);
  if (image.faces.length === 0) return [texts.hintNone, false];
  if (image.faces.length > 1) return [texts.hintMany, false];
  const [left, top, right, bottom] = image.faces[0].bbox;
  if (Math.max(right - left, bottom - top) < 80) return [texts.hintFar, false];
  return [texts.hintGood, true];
}

// Take pictures that can be used, with a countdown before the first. poses: what to do for each, if anything. Fails
// where too few could be used, with what was wrong with the last.
async function take(video, stage, strip, wanted, countdown, going, poses = []) {
  const count = element("div", { class: "count", "aria-live": "assertive" });
  stage.append(count);
  if (poses.length) say(poses[0]);
  for (let number = countdown; number > 0 && going(); number--) {
    count.textContent = number;
    await pause(700);
  }
  count.remove();
  const taken = [];
  let wrong = texts.hintNone;
  for (let tries = 0; taken.length < wanted && tries < wanted * 6 && going(); tries++) {
    const picture = await snapshot(video);
    const [words, good] = await hint(picture);
    if (good) {
      taken.push(picture);
      strip.append(element("img", { src: URL.createObjectURL(picture), alt: texts.taking(taken.length, wanted) }));
      const pose = taken.length < wanted ? poses[taken.length] : "";
      say(pose ? `${texts.taking(taken.length, wanted)}. ${pose}` : texts.taking(taken.length, wanted));
      await pause(pose || !me.scope ? 1200 : 350);
    } else {
      wrong = words;
      say(words);
      await pause(350);
    }
  }
  if (going() && taken.length < LEAST) throw new Error(texts.tooFew(wrong));
  return taken;
}

function form(pictures, fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  pictures.forEach((picture, number) => data.append("images", picture, `${number + 1}.jpg`));
  return data;
}

function cameraStage() {
  const video = videoElement();
  const stage = element("div", { class: "stage", hidden: true }, video);
  return [video, stage, element("div", { class: "strip" })];
}

// Do something with the camera on; it is off afterwards, and after a failure, too.
async function filmed(video, stage, strip, here, work) {
  stage.hidden = false;
  strip.replaceChildren();
  try {
    await openCamera(video);
    await work();
  } finally {
    if (here()) { // the camera may be another page's meanwhile
      closeCamera();
      stage.hidden = true;
    }
  }
}

export function signup(content) {
  let here = true;
  const [video, stage, strip] = cameraStage();
  const first = field(texts.firstName, { name: "first_name", required: true, maxlength: 100, autocomplete: "given-name" });
  const last = field(texts.lastName, { name: "last_name", required: true, maxlength: 99, autocomplete: "family-name" });
  const pin = field(texts.pinWished, { name: "pin", type: "password", minlength: 4, maxlength: 64, autocomplete: "new-password" });
  const agreed = element("input", { type: "checkbox", name: "consent", required: true });
  const asked = element("form", { onsubmit: doing(() => filmed(video, stage, strip, () => here, async () => {
    const pictures = await take(video, stage, strip, PICTURES, 3, () => here, texts.poses);
    if (!here) return;
    say(texts.sending);
    const names = { first_name: first.lastChild.value, last_name: last.lastChild.value, pin: pin.lastChild.value, consent: "yes" };
    const document_ = await ask("POST", "/v1/signup", form(pictures, names));
    if (!here) return;
    await go("/");
    say(texts.signedUp(document_.person.person));
  })) }, first, last, pin, element("label", { class: "check" }, agreed, element("span", {}, texts.consent)),
  element("button", { class: "lead", type: "submit" }, texts.startCount));
  const may = ["enroll", "admin"].includes(me.scope);
  content.append(element("h1", {}, texts.signupTitle), may ? "" : element("p", {}, texts.needKey), asked, stage, strip);
  return () => { here = false; };
}

export function login(content) {
  let here = true;
  const [video, stage, strip] = cameraStage();
  const pin = field(texts.pin, { name: "pin", type: "password", maxlength: 64, autocomplete: "current-password" });
  const start = element("form", { onsubmit: doing(() => filmed(video, stage, strip, () => here, async () => {
    const unseen = me.scope ? [] : [texts.hintUnseen];
    const pictures = await take(video, stage, strip, PICTURES, unseen.length ? 3 : 0, () => here, unseen);
    if (!here) return;
    say(texts.sending);
    const document_ = await ask("POST", "/v1/login", form(pictures, { pin: pin.lastChild.value }));
    await refresh();
    if (!here) return;
    await go("/");
    say(texts.loggedIn(document_.person.person));
  })) }, pin, element("button", { class: "lead", type: "submit" }, texts.loginStart));
  content.append(
    element("h1", {}, texts.loginTitle),
    element("p", {}, me.checks_life ? texts.checked : texts.convenience),
    start, stage, strip,
  );
  return () => { here = false; };
}
