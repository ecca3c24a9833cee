// Everybody, and one person.
import { texts } from "/web/texts.js";
import { ask, doing, element, field, pause, picture, say, words } from "/web/tools.js";
import { addFiles, byPerson } from "/web/folders.js";
import { go } from "/web/main.js";

export async function people(content) {
  const list = element("ul", { class: "cards" });
  const search = field(texts.search, { type: "search", oninput: () => fill(list, search.lastChild.value) });
  const undo = element("button", { onclick: doing(async () => {
    say(texts.undone((await ask("POST", "/v1/undo")).people));
    await fill(list, "");
  }) }, texts.undo);
  content.append(element("h1", {}, texts.peopleTitle), search, list, undo, adding(list), folder(list));
  await fill(list, "");
}

// Show people by name, behind the one of uid `after`; those before stay.
async function fill(list, search, after = "") {
  const { people: found, next } = await ask("GET", `/v1/people?limit=100&search=${encodeURIComponent(search)}&cursor=${after}`);
  const cards = found.map((one) => element("li", {},
    element("a", { href: `/people/${one.uid}` }, picture(one.portrait, texts.faceOf(one.person)),
      element("span", { class: "name" }, one.person)),
    element("p", { class: "small" }, texts.counts(one.pictures))));
  if (after) list.append(...cards);
  else list.replaceChildren(...cards);
  if (next) {
    const more = element("li", { class: "empty" }, element("button", { onclick: doing(async () => {
      await fill(list, search, next);
      more.remove();
    }) }, texts.morePeople));
    list.append(more);
  }
  if (!cards.length && !after) list.append(element("li", { class: "empty" }, search ? texts.nobodySo : texts.noPeople));
}

function adding(list) {
  const name = field(texts.name, { required: true, maxlength: 200 });
  const files = field(texts.pictures, { type: "file", accept: "image/*", multiple: true, required: true });
  return element("section", {}, element("h2", {}, texts.addPerson),
    element("form", { onsubmit: doing(async () => {
      const data = new FormData();
      data.append("name", name.lastChild.value);
      for (const file of files.lastChild.files) data.append("images", file);
      const answer = await ask("POST", "/v1/people", data);
      say(texts.added(answer.faces.length, answer.rejected.length));
      name.lastChild.value = "";
      files.lastChild.value = "";
      await fill(list, "");
    }) }, name, files, element("button", { type: "submit" }, texts.add)));
}

function folder(list) {
  const chosen = field(texts.folder, { type: "file", webkitdirectory: true, multiple: true, name: "folder" });
  const zip = field(texts.zip, { type: "file", accept: ".zip,application/zip" });
  const reasons = element("ul", { class: "reasons", "aria-label": texts.refused });
  return element("section", {}, element("h2", {}, texts.addFolder), element("p", { class: "small" }, texts.folderText),
    element("form", { onsubmit: doing(async () => {
      let [added, refused] = [0, []];
      const told = () => {
        say(texts.added(added, refused.length), refused.length > 0 && !added);
        reasons.replaceChildren(...refused.map(([path, reason]) => element("li", {}, `${path}: ${reason}`)));
      };
      reasons.replaceChildren();
      for (const [name, files] of byPerson(chosen.lastChild.files)) {
        const sum = await addFiles(name, files);
        [added, refused] = [added + sum.added, [...refused, ...sum.refused]];
        told();
      }
      if (zip.lastChild.files.length) {
        const body = zip.lastChild.files[0].slice(0, undefined, "application/zip");
        const answer = await imported(body);
        const bad = answer.rejected.map((one) => [one.source, one.error ? words(one.error) : texts.failed]);
        [added, refused] = [added + answer.added, [...refused, ...bad]];
      }
      told();
      await fill(list, "");
    }) }, chosen, zip, element("button", { type: "submit" }, texts.add)), reasons);
}

// Send a zip, say how far the server is with it, and return what became of its pictures.
async function imported(zip) {
  let job = await ask("POST", "/v1/import?job=true", zip);
  while (["waiting", "running"].includes(job.state)) {
    say(texts.importing(job.progress.done, job.progress.total));
    await pause(500);
    job = await ask("GET", `/v1/jobs/${job.job}`);
  }
  if (!job.result) throw new Error(job.error ? words(job.error, true) : texts.failed);
  return job.result;
}

export async function person(content, uid) {
  const [{ person: own, faces }, { people: all }] = await Promise.all([
    ask("GET", `/v1/people/${uid}`), ask("GET", "/v1/people?limit=500"),
  ]);
  const path = `/v1/people/${uid}`;
  const again = () => go(`/people/${uid}`);
  content.append(
    element("p", {}, element("a", { href: "/people" }, texts.back)),
    element("h1", {}, own.person),
    element("ul", { class: "cards" }, ...faces.map((face) => element("li", {},
      picture(face.crop, texts.faceOf(own.person)),
      element("button", { onclick: doing(async () => {
        await ask("POST", `/v1/faces/${face.face}/reject`, { person: own.person });
        await again();
      }) }, texts.notTheirs),
      element("button", { class: "bad", onclick: doing(async () => {
        await ask("DELETE", `${path}/faces/${face.face}`);
        await go(faces.length > 1 ? `/people/${uid}` : "/people");
      }) }, texts.removeFace)))),
    more(path, again), renaming(path, own, again), merging(path, own, all) ?? "",
    element("p", {},
      element("button", { onclick: doing(async () => { await save(`${path}/export`); }) }, texts.exportThem(own.person)),
      element("button", { class: "bad", id: "erase", onclick: doing(async () => {
        if (!confirm(texts.removeSure(own.person))) return;
        const receipt = await ask("DELETE", path);
        await go("/people");
        say(texts.removed(receipt.faces));
      }) }, texts.remove)),
  );
}

// Let the browser keep a file of the server.
export async function save(path) {
  const link = element("a", { href: URL.createObjectURL(await ask("GET", path)), download: "person.zip" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function more(path, again) {
  const files = field(texts.addPictures, { type: "file", accept: "image/*", multiple: true, required: true });
  return element("form", { onsubmit: doing(async () => {
    const data = new FormData();
    for (const file of files.lastChild.files) data.append("images", file);
    const answer = await ask("POST", `${path}/faces`, data);
    await again();
    say(texts.added(answer.faces.length, answer.rejected.length));
  }) }, files, element("button", { type: "submit" }, texts.add));
}

function renaming(path, own, again) {
  const name = field(texts.newName, { required: true, maxlength: 200, value: own.person });
  return element("form", { onsubmit: doing(async () => {
    const { people: [before, now] } = await ask("PATCH", path, { name: name.lastChild.value });
    await again();
    say(texts.renamed(before, now));
  }) }, name, element("button", { type: "submit" }, texts.rename));
}

function merging(path, own, all) {
  const others = all.filter((one) => one.uid !== own.uid);
  if (!others.length) return null;
  const select = element("select", {}, ...others.map((one) => element("option", { value: one.uid }, one.person)));
  return element("form", { onsubmit: doing(async () => {
    const into = select.value;
    const { people: [gone, kept], faces } = await ask("POST", `${path}/merge`, { into });
    await go(`/people/${into}`);
    say(texts.merged(gone, kept, faces.length));
  }) }, element("label", {}, texts.mergeInto, select), element("button", { type: "submit" }, texts.merge));
}
