/** Made-up feature files of any size: class means in a few directions, spread, noise; never held whole. */
import { createFeatures } from "../../src/io/index.ts";
import type { Head } from "../../src/io/index.ts";
import { generator, normal } from "../../src/util/random.ts";
import { at } from "../../src/util/shape.ts";
import { noiseSource } from "./noise.ts";

/** How large, and from which seed. */
export interface Sizes {
  readonly train: number;
  readonly test: number;
  /** OOD sets, each as large as the test set. */
  readonly sets: number;
  readonly dim: number;
  readonly classes: number;
  readonly seed: number;
}

/** Files of an evaluation. */
export interface FeaturePaths {
  readonly train: string;
  readonly test: string;
  readonly head: string;
  readonly ood: readonly { readonly name: string; readonly file: string }[];
}

const RANK = 64; // directions that hold the class means
const BLOCK = 1000; // rows written at once
const CLASS_SPREAD = 0.65; // of the class means in each direction
const OWN_SPREAD = 0.8; // of the samples of a class in the same directions
const NOISE = 0.5; // in every column
const WRONG_LABELS = 0.03;
const HEAD_NOISE = 0.05; // of the weights, so that they have full rank

/** What all files are made from. */
interface World {
  readonly sizes: Sizes;
  readonly basis: Float32Array; // [RANK, D], nearly orthonormal
  readonly centres: Float32Array; // [C, RANK]
  readonly origin: Float32Array; // [D]
}

/** Kinds of OOD sets: coordinates of a sample in the directions, given its class's. */
const kinds = {
  // Between two classes.
  between: (world: World, draw: () => number, k: number, c: number) => {
    const other = (c + 1 + Math.floor(draw() * (world.sizes.classes - 1))) % world.sizes.classes;
    return (at(world.centres, c * RANK + k) + at(world.centres, other * RANK + k)) / 2;
  },
  // Classes that were never seen.
  unseen: (_world: World, draw: () => number) =>
    CLASS_SPREAD * Math.sqrt(12) * (draw() + draw() - 1) * Math.SQRT1_2,
  // No class at all.
  blank: () => 0,
  // Weak members of the classes.
  faint: (world: World, _draw: () => number, k: number, c: number) =>
    0.4 * at(world.centres, c * RANK + k),
  // Exaggerated members.
  loud: (world: World, _draw: () => number, k: number, c: number) =>
    1.6 * at(world.centres, c * RANK + k),
} as const;

const member = (world: World, _draw: () => number, k: number, c: number): number =>
  at(world.centres, c * RANK + k);

type Coordinate = (world: World, draw: () => number, k: number, c: number) => number;

function worldOf(sizes: Sizes): World {
  const { dim, classes, seed } = sizes;
  return {
    sizes,
    basis: normal(RANK * dim, { seed, stream: 1, std: 1 / Math.sqrt(dim) }),
    centres: normal(classes * RANK, { seed, stream: 2, std: CLASS_SPREAD }),
    origin: normal(dim, { seed, stream: 3, std: 0.3 }),
  };
}

/** The linear classifier that these samples ask for. */
function headOf({ sizes: { dim, classes, seed }, basis, centres, origin }: World): Head {
  const sharpness = 1 / (OWN_SPREAD ** 2 + NOISE ** 2);
  const weight = new Float32Array(classes * dim);
  const bias = new Float32Array(classes);
  const noise = noiseSource(seed);
  for (let c = 0; c < classes; c++) {
    const row = weight.subarray(c * dim, (c + 1) * dim);
    addDirections(row, basis, centres.subarray(c * RANK, (c + 1) * RANK));
    const square = row.reduce((sum, w) => sum + w * w, 0);
    const offset = row.reduce((sum, w, j) => sum + w * at(origin, j), 0);
    bias[c] = -sharpness * (square / 2 + offset);
    row.forEach((w, j) => (row[j] = sharpness * w + HEAD_NOISE * noise()));
  }
  return { weight, bias, classes, dim };
}

/** row += Σ_k coordinates_k · direction_k */
function addDirections(row: Float32Array, basis: Float32Array, coordinates: Float32Array): void {
  const dim = row.length;
  for (let k = 0; k < RANK; k++) {
    const factor = at(coordinates, k);
    const start = k * dim;
    for (let j = 0; j < dim; j++) row[j] = (row[j] ?? 0) + factor * (basis[start + j] ?? 0);
  }
}

/** Writes one file of `rows` samples, block by block. */
async function writeSet(
  path: string,
  world: World,
  { rows, stream, coordinate }: { rows: number; stream: number; coordinate: Coordinate },
): Promise<string> {
  const { dim, classes, seed } = world.sizes;
  const layout = { rows, dim, classes: null, hasLabels: true, dtype: "f32" } as const;
  const writer = await createFeatures(path, layout);
  const draw = generator({ seed, stream });
  const noise = noiseSource(seed * 1000 + stream);
  const coordinates = new Float32Array(RANK);
  for (let start = 0; start < rows; start += BLOCK) {
    const count = Math.min(BLOCK, rows - start);
    const features = new Float32Array(count * dim);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const c = (start + i) % classes; // every class has as many samples, up to one
      labels[i] = draw() < WRONG_LABELS ? Math.floor(draw() * classes) : c;
      for (let k = 0; k < RANK; k++)
        coordinates[k] = coordinate(world, draw, k, c) + OWN_SPREAD * noise();
      const row = features.subarray(i * dim, (i + 1) * dim);
      for (let j = 0; j < dim; j++) row[j] = at(world.origin, j) + NOISE * noise();
      addDirections(row, world.basis, coordinates);
    }
    await writer.append({ features, labels });
  }
  await writer.finish();
  return path;
}

/** Writes ID train, ID test, the head and the OOD sets into a folder. */
export async function makeFeatures(folder: string, sizes: Sizes): Promise<FeaturePaths> {
  const world = worldOf(sizes);
  const path = (name: string): string => `${folder}/${name}.safetensors`;
  const { train, test, sets, dim } = sizes;
  const head = headOf(world);
  const layout = { rows: 1, dim, classes: null, hasLabels: false, head };
  const writer = await createFeatures(path("head"), layout);
  await writer.append({ features: new Float32Array(dim) });
  await writer.finish();
  const ood: { name: string; file: string }[] = [];
  for (let set = 0; set < sets; set++) {
    const [kind, coordinate] = at(Object.entries(kinds), set % Object.keys(kinds).length);
    const name = `${kind}-${set + 1}`;
    const file = await writeSet(path(name), world, { rows: test, stream: 20 + set, coordinate });
    ood.push({ name, file });
  }
  return {
    train: await writeSet(path("train"), world, { rows: train, stream: 10, coordinate: member }),
    test: await writeSet(path("test"), world, { rows: test, stream: 11, coordinate: member }),
    head: path("head"),
    ood,
  };
}
