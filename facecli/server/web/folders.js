// A folder of person/image.jpg, sent in requests that the server takes.
import { texts } from "/web/texts.js";
import { ask, words } from "/web/tools.js";

const IMAGE = /\.(jpe?g|png|webp|bmp|tiff?)$/i;
const LEFT_OUT = ["RecycleBin", "Embeddings"]; // folders of a dataset: what was thrown away, and the gallery
const NO_NAMES = ["Trained_data", "unTrained_data"]; // folders of a dataset that hold those of people
const MOST_BYTES = 8e6; // of one request; a server takes 10 MB if it was not told otherwise
const MOST_PICTURES = 8; // of one request, which has to be answered in time
const OF_PICTURES = [409, 413, 422]; // statuses that tell something of what was sent, and not of the server

// A name as the server keeps it, and the form in which two names are compared.
const tidy = (name) => name.normalize("NFC").trim().split(/\s+/).join(" ");
const same = (name) => tidy(name).toUpperCase().toLowerCase();

// The pictures of a chosen folder by the name of the folder that each lies in.
export function byPerson(files) {
  const found = new Map();
  for (const file of files) {
    const parts = file.webkitRelativePath.split("/");
    const name = tidy(parts.at(-2) || "");
    if (!IMAGE.test(file.name) || !name || NO_NAMES.includes(name) || parts.some((part) => LEFT_OUT.includes(part))) continue;
    found.set(name, [...(found.get(name) || []), file]);
  }
  return found;
}

function batches(files) {
  const made = [];
  let bytes = Infinity;
  for (const file of files) {
    bytes += file.size;
    if (bytes > MOST_BYTES || made.at(-1).length === MOST_PICTURES) {
      made.push([]);
      bytes = file.size;
    }
    made.at(-1).push(file);
  }
  return made;
}

// Return the person of a name with the address of their picture; undefined if there is none.
export async function named(name) {
  const { people } = await ask("GET", `/v1/people?limit=1000&search=${encodeURIComponent(tidy(name))}`);
  return people.find((one) => same(one.person) === same(name));
}

// Add pictures to the person of a name, who is made if there is none. Return how many were added, and the others as
// [path, reason].
export async function addFiles(name, files) {
  const known = await named(name);
  const sum = { uid: known ? known.uid : null, added: 0, refused: [] };
  for (const batch of batches(files)) await send(sum, name, batch);
  return sum;
}

// Where several are refused together, each half is sent alone: what one is refused for is no reason for another.
async function send(sum, name, files) {
  const data = new FormData();
  if (!sum.uid) data.append("name", name);
  for (const file of files) data.append("images", file, file.name);
  try {
    const answer = await ask("POST", sum.uid ? `/v1/people/${sum.uid}/faces` : "/v1/people", data);
    sum.uid = answer.person.uid;
    sum.added += answer.faces.length;
    for (const { index, error } of answer.rejected) sum.refused.push([pathOf(files[index]), words(error)]);
  } catch (failure) {
    const half = Math.ceil(files.length / 2);
    if (files.length > 1 && OF_PICTURES.includes(failure.status)) {
      await send(sum, name, files.slice(0, half));
      await send(sum, name, files.slice(half));
    } else {
      for (const file of files) sum.refused.push([pathOf(file), failure.message || texts.failed]);
    }
  }
}

const pathOf = (file) => file.webkitRelativePath || file.name;
