/**
 * Finds, aligns, embeds and compares faces with the models of this folder, on onnxruntime-web alone.
 *
 *   import { Bundle } from "./face.js";
 *   const bundle = await Bundle.open();
 *   (await bundle.verify(a, b)).verified        // a, b: {width, height, data: Uint8Array of RGB, row by row}
 *
 * The same steps as runner.py beside it, in the same order. Written by `facecli export --bundle`.
 */
import { Mtcnn, Picture } from "./mtcnn.js";
import { crop } from "./align.js";

const GREY = [0.299, 0.587, 0.114]; // ITU-R BT.601 luma

export class Bundle {
  /** Load the manifest, ONNX Runtime and every model; each file is compared with its sha256 where the browser can. */
  static async open(base = new URL("./", import.meta.url)) {
    const manifest = await (await fetched(new URL("manifest.json", base))).json();
    const runtime = new URL(`${manifest.web.folder}/ort.wasm.bundle.min.mjs`, base);
    const ort = await import(runtime).catch(() => {
      throw new Error(`ONNX Runtime is not at ${runtime.pathname}: run "npm install" in this folder`);
    });
    ort.env.wasm.numThreads = 1; // more need a page that is isolated from others by its server's headers
    const session = async (file) =>
      ort.InferenceSession.create(await checked(new URL(file.path, base), file.sha256), { logSeverityLevel: 3 });
    const bundle = new Bundle();
    Object.assign(bundle, { manifest, ort });
    bundle.detectors = await inTurn(manifest.detector.files, session);
    bundle.recognizer = await session(manifest.recognizer.file);
    bundle.classifiers = await inTurn(manifest.attributes, (entry) => session(entry.file));
    return bundle;
  }

  /** The faces of a picture, best first: {box: [x1, y1, x2, y2], score, landmarks: five [x, y]}. */
  async detect(image) {
    const { kind, parameters } = this.manifest.detector;
    if (kind === "mtcnn") {
      return new Mtcnn(this.detectors.map((net) => (values, shape) => this.#run(net, values, shape)), parameters)
        .detect(new Picture(image));
    }
    const [boxes, scores, points] = await this.#run(this.detectors[0], image.data, [image.height, image.width, 3]);
    return Array.from(scores, (score, i) => ({
      box: Array.from(boxes.subarray(4 * i, 4 * i + 4)),
      score,
      landmarks: [0, 1, 2, 3, 4].map((k) => [points[10 * i + 2 * k], points[10 * i + 2 * k + 1]]),
    }));
  }

  /** The embedding of one face: Float32Array. */
  async embed(image, face) {
    const entry = this.manifest.recognizer;
    const row = await this.#infer(this.recognizer, entry, crop(image, face, entry.crop));
    const length = Math.max(entry.normalized ? Math.hypot(...row) : 1, 1e-12);
    return row.map((value) => value / length);
  }

  /** What the attribute models say of one face: {attribute: {label: probability} or a number}. */
  async attributes(image, face) {
    const answers = {};
    for (const [i, entry] of this.manifest.attributes.entries()) {
      let row = await this.#infer(this.classifiers[i], entry, crop(image, face, entry.crop));
      if (entry.logits) row = softmax(row);
      const named = entry.labels.map((label, k) => [label, row[k]]);
      answers[entry.attribute] = named.length ? Object.fromEntries(named) : row[0];
    }
    return answers;
  }

  /** Whether two embeddings are one person's: distance <= threshold, the manifest's own unless another is given. */
  compare(a, b, threshold = this.manifest.recognizer.operating_point.threshold) {
    const { metric } = this.manifest.recognizer.operating_point;
    const similarity = cosineSimilarity(a, b);
    const far = distance(a, b, similarity, metric);
    return { verified: far <= threshold, similarity, distance: far, threshold, metric };
  }

  /** Compare the largest face of each of two pictures; throws where there is none. */
  async verify(a, b) {
    const rows = await inTurn([a, b], async (image) => {
      const faces = await this.detect(image);
      if (!faces.length) throw new Error("no face found");
      return this.embed(image, faces[largest(faces, image)]);
    });
    return this.compare(...rows);
  }

  async #infer(session, entry, pixels) {
    const { width, height } = entry.crop;
    const how = entry.preprocessing;
    if (how === null) return (await this.#run(session, pixels, [height, width, 3]))[0]; // it is in the graph
    const channels = how.colour === "grey" ? 1 : 3;
    const area = width * height;
    const values = new Float32Array(channels * area);
    for (let i = 0; i < area; i++) {
      for (let c = 0; c < channels; c++) {
        const value =
          how.colour === "grey"
            ? GREY[0] * pixels[3 * i] + GREY[1] * pixels[3 * i + 1] + GREY[2] * pixels[3 * i + 2]
            : pixels[3 * i + (how.colour === "BGR" ? 2 - c : c)];
        const place = how.layout === "NCHW" ? c * area + i : i * channels + c;
        values[place] = (value - how.mean[c % how.mean.length]) / how.std[c % how.std.length];
      }
    }
    const shape = how.layout === "NCHW" ? [1, channels, height, width] : [1, height, width, channels];
    return (await this.#run(session, values, shape))[0];
  }

  /** The outputs of a model with one input, in its order, as flat typed arrays. */
  async #run(session, values, shape) {
    const tensor = new this.ort.Tensor(values instanceof Float32Array ? "float32" : "uint8", values, shape);
    const outputs = await session.run({ [session.inputNames[0]]: tensor });
    return session.outputNames.map((name) => outputs[name].data);
  }
}

/** The index of the face that covers most of the picture. */
export function largest(faces, image) {
  const within = (value, limit) => Math.min(Math.max(value, 0), limit);
  const areas = faces.map(({ box: [x1, y1, x2, y2] }) => {
    const width = within(x2, image.width) - within(x1, image.width);
    return width * (within(y2, image.height) - within(y1, image.height));
  });
  return areas.indexOf(Math.max(...areas));
}

/** In [-1, 1], higher is more alike. */
export function cosineSimilarity(a, b) {
  const lengths = Math.hypot(...a) * Math.hypot(...b);
  const dot = a.reduce((sum, value, i) => sum + value * b[i], 0);
  return lengths ? Math.min(Math.max(dot / lengths, -1), 1) : 0;
}

/** cosine, euclidean, euclidean_l2 or angular (the angle over pi); lower is more alike. */
export function distance(a, b, similarity, metric) {
  if (metric === "euclidean") return Math.hypot(...a.map((value, i) => value - b[i]));
  if (metric === "euclidean_l2") return Math.sqrt(2 * (1 - similarity));
  return metric === "angular" ? Math.acos(similarity) / Math.PI : 1 - similarity;
}

function softmax(logits) {
  const powers = logits.map((value) => Math.exp(value - Math.max(...logits)));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((value) => value / sum);
}

async function inTurn(items, step) {
  const results = [];
  for (const item of items) results.push(await step(item));
  return results;
}

async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname} can not be loaded: ${response.status} ${response.statusText}`);
  return response;
}

async function checked(url, sha256) {
  const content = new Uint8Array(await (await fetched(url)).arrayBuffer());
  if (globalThis.crypto?.subtle) { // only https pages and those of this machine have it
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (found !== sha256) throw new Error(`${url.pathname} is not the file that the manifest names: its sha256 differs`);
  }
  return content;
}
