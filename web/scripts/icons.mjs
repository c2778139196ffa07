// Draws the icons of the installed client into dist/icons: src/favicon.svg's shapes, as pixels.
// any: rounded on nothing; maskable: filled to the edges, the drawing within the safe circle;
// badge: white on nothing, for the status bar of phones.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';

const BLUE = [0x46, 0x55, 0xd6];
const WHITE = [255, 255, 255];
const SAMPLES = 4; // a pixel's edge, in each direction

/** Whether a point is in a box with round corners. */
function inBox(x, y, left, top, right, bottom, radius) {
  const dx = Math.max(left + radius - x, x - (right - radius), 0);
  const dy = Math.max(top + radius - y, y - (bottom - radius), 0);
  return x >= left && x <= right && y >= top && y <= bottom && dx * dx + dy * dy <= radius * radius;
}

function inTriangle(x, y, [a, b, c]) {
  const side = ([px, py], [qx, qy]) => (x - qx) * (py - qy) - (px - qx) * (y - qy);
  const signs = [side(a, b), side(b, c), side(c, a)];
  return signs.every((s) => s >= 0) || signs.every((s) => s <= 0);
}

const inCircle = (x, y, cx, cy, radius) => (x - cx) ** 2 + (y - cy) ** 2 <= radius * radius;

/** What is drawn at a point of the 32 by 32 picture: the balloon with two eyes. */
function balloon(x, y) {
  if (inCircle(x, y, 13.4, 14, 1.3) || inCircle(x, y, 18.6, 14, 1.3)) return 'eye';
  const tail = [[10.5, 18.5], [10.5, 23.6], [16.2, 19]];
  return inBox(x, y, 9, 8.5, 23, 19.5, 4) || inTriangle(x, y, tail) ? 'balloon' : null;
}

/** Colour and opacity (0 or 1) at a point, of each kind of icon. */
const kinds = {
  any: (x, y) => {
    if (!inBox(x, y, 0, 0, 32, 32, 9)) return [BLUE, 0];
    return [balloon(x, y) === 'balloon' ? WHITE : BLUE, 1];
  },
  maskable: (x, y) => [balloon(x, y) === 'balloon' ? WHITE : BLUE, 1],
  badge: (x, y) => {
    // The drawing alone, filling the picture.
    const at = balloon(8 + x / 2, 8 + y / 2);
    return [WHITE, at === 'balloon' ? 1 : 0];
  },
};

function pixels(size, draw) {
  const rows = Buffer.alloc(size * (size * 4 + 1)); // a filter byte (0: none) before each row
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const sum = [0, 0, 0, 0];
      for (let i = 0; i < SAMPLES * SAMPLES; i++) {
        const x = ((column + ((i % SAMPLES) + 0.5) / SAMPLES) * 32) / size;
        const y = ((row + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES) * 32) / size;
        const [colour, opacity] = draw(x, y);
        for (let part = 0; part < 3; part++) sum[part] += colour[part] * opacity;
        sum[3] += opacity;
      }
      const at = row * (size * 4 + 1) + 1 + column * 4;
      for (let part = 0; part < 3; part++) rows[at + part] = sum[3] > 0 ? Math.round(sum[part] / sum[3]) : 0;
      rows[at + 3] = Math.round((sum[3] * 255) / (SAMPLES * SAMPLES));
    }
  }
  return rows;
}

/** Of PNG (ISO 15948 D); Node 18 has none. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(type, body) {
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, 'latin1');
  body.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)), body.length + 8);
  return out;
}

/** PNG, 8 bits, RGBA. */
function png(size, draw) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(pixels(size, draw), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const folder = fileURLToPath(new URL('../dist/icons/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, size, kind] of [
  ['any-192', 192, 'any'],
  ['any-512', 512, 'any'],
  ['maskable-192', 192, 'maskable'],
  ['maskable-512', 512, 'maskable'],
  ['apple-180', 180, 'maskable'],
  ['badge-96', 96, 'badge'],
])
  writeFileSync(`${folder}${name}.png`, png(size, kinds[kind]));
