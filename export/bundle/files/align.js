/** Cutting faces out of pictures, {width, height, data: Uint8Array of RGB}; the same arithmetic as runner.py. */

/** A face as a model wants it: Uint8Array of (height, width, 3) RGB; what lies outside the picture is black. */
export function crop(image, face, spec) {
  const matrix = spec.template ? similarityTransform(face.landmarks, spec.template) : boxMatrix(face.box, spec);
  return warp(image, matrix, spec.width, spec.height);
}

/** [a, b, x, y] of x' = a x - b y + x, y' = b x + a y + y: maps points best onto others (Umeyama 1991). */
export function similarityTransform(source, target) {
  const mean = (points, k) => points.reduce((sum, point) => sum + point[k], 0) / points.length;
  const [px, py, qx, qy] = [mean(source, 0), mean(source, 1), mean(target, 0), mean(target, 1)];
  let [spread, a, b] = [0, 0, 0];
  source.forEach(([x, y], i) => {
    const [u, v, s, t] = [x - px, y - py, target[i][0] - qx, target[i][1] - qy];
    spread += u * u + v * v;
    a += u * s + v * t;
    b += u * t - v * s;
  });
  [a, b] = spread > 0 ? [a / spread, b / spread] : [1, 0];
  return [a, -b, qx - a * px + b * py, b, a, qy - b * px - a * py];
}

function boxMatrix([x1, y1, x2, y2], spec) {
  let [width, height] = [Math.max(x2 - x1, 1), Math.max(y2 - y1, 1)];
  if (spec.square) width = height = Math.max(width, height);
  width *= 1 + 2 * spec.margin;
  height *= 1 + 2 * spec.margin;
  const [x, y] = [spec.width / width, spec.height / height];
  return [x, 0, (-(x1 + x2 - width) / 2) * x, 0, y, (-(y1 + y2 - height) / 2) * y];
}

/** Bilinear; a face more than twice as large as the crop is first averaged down by a whole factor. */
export function warp(image, [a, b, x, c, d, y], width, height) {
  const result = new Uint8Array(width * height * 3);
  const scale = Math.sqrt(Math.abs(a * d - b * c));
  if (!(scale > 1e-6 && scale < Infinity)) return result;
  const factor = scale < 0.5 ? Math.floor(1 / scale) : 1;
  const det = a * d - b * c;
  const back = (u, v) => [(d * (u - x) - b * (v - y)) / det, (a * (v - y) - c * (u - x)) / det];
  const part = shown(image, [back(0, 0), back(width, 0), back(0, height), back(width, height)], factor);
  if (!part) return result;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [u, v] = back(column, row);
      sample(part, (u - part.left - (part.across - 1) / 2) / part.across,
        (v - part.top - (part.down - 1) / 2) / part.down, result, 3 * (row * width + column));
    }
  }
  return result;
}

/** The part of the picture between these corners, with a margin, averaged down; null if it lies outside. */
function shown(image, corners, factor) {
  const edge = (k, limit) => {
    const values = corners.map((corner) => corner[k]);
    const cut = (value) => Math.min(Math.max(value, 0), limit);
    return [cut(Math.floor(Math.min(...values)) - factor), cut(Math.ceil(Math.max(...values)) + factor)];
  };
  const [left, right] = edge(0, image.width);
  const [top, bottom] = edge(1, image.height);
  if (right <= left || bottom <= top) return null;
  const [across, down] = [Math.min(factor, right - left), Math.min(factor, bottom - top)];
  const [columns, rows] = [Math.floor((right - left) / across), Math.floor((bottom - top) / down)];
  const data = new Float32Array(rows * columns * 3);
  for (let row = 0; row < rows * down; row++) {
    for (let column = 0; column < columns * across; column++) {
      const from = 3 * ((top + row) * image.width + left + column);
      const to = 3 * (Math.floor(row / down) * columns + Math.floor(column / across));
      for (let k = 0; k < 3; k++) data[to + k] += image.data[from + k];
    }
  }
  const area = across * down;
  return { data: data.map((sum) => Math.round(sum / area)), left, top, across, down, columns, rows };
}

function sample(part, x, y, result, place) {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [x - column, y - row];
  for (let k = 0; k < 3; k++) {
    const at = (i, j) =>
      i >= 0 && j >= 0 && i < part.columns && j < part.rows ? part.data[3 * (j * part.columns + i) + k] : 0;
    const upper = at(column, row) * (1 - u) + at(column + 1, row) * u;
    const lower = at(column, row + 1) * (1 - u) + at(column + 1, row + 1) * u;
    result[place + k] = Math.round(upper * (1 - v) + lower * v);
  }
}
