/** MTCNN, the cascade of P-, R- and O-Net (arXiv 1604.02878); rounds as runner.py does. */

const [CELL, STRIDE] = [12, 2]; // P-Net looks at 12x12 pixels every 2 pixels
const STRIP_PIXELS = 50000; // it sees a picture in strips of about this size, so that memory stays small
const CROPS_AT_ONCE = 32;
const { fround } = Math; // facecli computes boxes in float32, and rounds them to whole pixels in places

export class Mtcnn {
  /** nets: three functions (values, shape) -> promise of the outputs. */
  constructor([pnet, rnet, onet], { min_face_size, thresholds, factor }) {
    Object.assign(this, { pnet, rnet, onet, min_face_size, thresholds, factor });
  }

  /** The faces of a Picture, best first. */
  async detect(picture) {
    let faces = await this.propose(picture);
    faces = await judge(this.rnet, picture, faces, 24, this.thresholds[1]);
    faces = suppress(faces, 0.7).map((face) => ({ ...face, box: square(moved(face)) }));
    faces = await judge(this.onet, picture, faces, 48, this.thresholds[2]);
    faces = faces.map((face) => ({ ...face, box: moved(face), landmarks: points(face) }));
    return suppress(faces, 0.7, { smaller: true, extra: 1 }).map(({ box, score, landmarks }) => ({
      box,
      score,
      landmarks,
    }));
  }

  async propose(picture) {
    const found = [];
    let scale = CELL / this.min_face_size;
    for (; Math.min(picture.height, picture.width) * scale >= CELL; scale *= this.factor) {
      found.push(...suppress(await this.level(picture, scale), 0.5));
    }
    return suppress(found, 0.7).map((face) => {
      const [x1, y1, x2, y2] = face.box;
      const sides = [x2 - x1, y2 - y1, x2 - x1, y2 - y1];
      return { box: square(face.box.map((edge, k) => fround(edge + fround(face.moves[k] * sides[k])))) };
    });
  }

  /** Candidates of one level of the pyramid. */
  async level(picture, scale) {
    const [height, width] = [Math.trunc(picture.height * scale + 1), Math.trunc(picture.width * scale + 1)];
    const whole = [0, 0, picture.width, picture.height];
    const step = Math.max(Math.floor(Math.floor(STRIP_PIXELS / width) / STRIDE), 8) * STRIDE;
    const found = [];
    for (let top = 0; top + CELL <= height; top += step) {
      const bottom = Math.min(top + step + CELL - STRIDE, height);
      const values = new Float32Array(3 * (bottom - top) * width);
      picture.means(whole, height, width, values, 0, top, bottom);
      const [probability, regression] = await this.pnet(values, [1, 3, bottom - top, width]);
      const columns = mapped(width);
      const cells = probability.length;
      for (let i = 0; i < cells; i++) {
        if (probability[i] < this.thresholds[0]) continue;
        const [x, y] = [(i % columns) * STRIDE, Math.floor(i / columns) * STRIDE + top];
        const box = [x + 1, y + 1, x + CELL, y + CELL].map((edge) => Math.floor(fround(edge / fround(scale))));
        found.push({ box, score: probability[i], moves: [0, 1, 2, 3].map((k) => regression[k * cells + i]) });
      }
    }
    return found;
  }
}

/** How many cells P-Net's output has along a side: a 3x3, a pool of 2 that may hang over the edge, two more 3x3. */
function mapped(length) {
  return Math.ceil((length - 2) / 2) - 4;
}

/** The candidates that a network finds good enough, with its score, regression and points. */
async function judge(net, picture, faces, size, threshold) {
  const inside = faces
    .map((face) => {
      const [x1, y1, x2, y2] = face.box.map(Math.trunc);
      const area = [Math.max(x1, 1) - 1, Math.max(y1, 1) - 1, Math.min(x2, picture.width), Math.min(y2, picture.height)];
      return { box: face.box, area };
    })
    .filter(({ area: [x1, y1, x2, y2] }) => x2 > x1 && y2 > y1);
  const good = [];
  for (let start = 0; start < inside.length; start += CROPS_AT_ONCE) {
    const some = inside.slice(start, start + CROPS_AT_ONCE);
    const values = new Float32Array(some.length * 3 * size * size);
    some.forEach((face, i) => picture.means(face.area, size, size, values, i * 3 * size * size));
    const [scores, moves, marks] = await net(values, [some.length, 3, size, size]);
    some.forEach(({ box }, i) => {
      if (scores[i] <= threshold) return;
      const marked = marks && marks.slice(10 * i, 10 * i + 10);
      good.push({ box, score: scores[i], moves: moves.slice(4 * i, 4 * i + 4), marks: marked });
    });
  }
  return good;
}

/** A picture with its integral image, from which any area average costs four look-ups. */
export class Picture {
  constructor({ width, height, data }) {
    Object.assign(this, { width, height });
    // Sums wrap around in large pictures; their differences come out right all the same.
    this.sums = [0, 1, 2].map((channel) => {
      const sums = new Int32Array((width + 1) * (height + 1));
      for (let y = 1; y <= height; y++) {
        for (let x = 1, row = 0; x <= width; x++) {
          row += data[3 * ((y - 1) * width + x - 1) + channel];
          sums[y * (width + 1) + x] = sums[(y - 1) * (width + 1) + x] + row;
        }
      }
      return sums;
    });
  }

  /** Rows top to bottom of a box averaged to (3, height, width); pixel i covers whole pixels, as in PyTorch. */
  means([x1, y1, x2, y2], height, width, values, place, top = 0, bottom = height) {
    const line = this.width + 1;
    const [left, right] = bins(x1, x2, width);
    const [upper, lower] = bins(y1, y2, height);
    for (const sums of this.sums) {
      for (let row = top; row < bottom; row++) {
        const [above, below] = [upper[row] * line, lower[row] * line];
        const weight = fround(1 / (lower[row] - upper[row]));
        for (let column = 0; column < width; column++) {
          const [from, to] = [left[column], right[column]];
          const sum = (sums[below + to] - sums[above + to] - sums[below + from] + sums[above + from]) | 0;
          values[place++] = sum * fround(weight * fround(1 / (to - from)));
        }
      }
    }
  }
}

function bins(start, end, count) {
  const length = end - start;
  const first = Array.from({ length: count }, (_, i) => start + Math.floor((i * length) / count));
  return [first, Array.from({ length: count }, (_, i) => start + Math.ceil(((i + 1) * length) / count))];
}

/** Greedy non-maximum suppression, best first. smaller: overlap relative to the smaller box. */
function suppress(faces, threshold, { smaller = false, extra = 0 } = {}) {
  const kept = [];
  const area = ([x1, y1, x2, y2]) => (x2 - x1 + extra) * (y2 - y1 + extra);
  for (const face of [...faces].sort((a, b) => b.score - a.score)) {
    const [x1, y1, x2, y2] = face.box;
    const hidden = kept.some(({ box }) => {
      const across = Math.max(Math.min(x2, box[2]) - Math.max(x1, box[0]) + extra, 0);
      const shared = across * Math.max(Math.min(y2, box[3]) - Math.max(y1, box[1]) + extra, 0);
      const [own, other] = [area(face.box), area(box)];
      return shared / Math.max(smaller ? Math.min(own, other) : own + other - shared, 1e-30) > threshold;
    });
    if (!hidden) kept.push(face);
  }
  return kept;
}

function moved({ box, moves }) {
  const sides = [box[2] - box[0] + 1, box[3] - box[1] + 1];
  return box.map((edge, k) => fround(edge + fround(moves[k] * sides[k % 2])));
}

function points({ box, marks }) {
  const [width, height] = [box[2] - box[0] + 1, box[3] - box[1] + 1];
  return [0, 1, 2, 3, 4].map((k) => [marks[k] * width + box[0] - 1, marks[k + 5] * height + box[1] - 1]);
}

/** A box grown to a square about its centre. */
function square([x1, y1, x2, y2]) {
  const side = Math.max(x2 - x1, y2 - y1);
  const [x, y] = [fround(x1 + (x2 - x1) / 2 - side / 2), fround(y1 + (y2 - y1) / 2 - side / 2)];
  return [x, y, fround(x + side), fround(y + side)];
}
