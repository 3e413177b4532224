/** Features made from whole numbers, bit by bit those of test/golden/made_features.py: big regimes need no files. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { bell, checksum, columnScale } from "./made-numbers.ts";
import type { Draw } from "./made-numbers.ts";
import { PEERS, peerLogits, withPeers } from "./made-peers.ts";
import { goldenArrays } from "./regimes.ts";
import type { RegimeGolden } from "./regimes.ts";

/** What a regime is made of; made-regimes.json says what each is for. */
export interface MadeRegime {
  readonly about: string;
  readonly seed: number;
  readonly dim: number;
  readonly classes: number;
  /** Rows of train, test, near, far. */
  readonly sizes: readonly [number, number, number, number];
  readonly means: number;
  readonly offset: number;
  readonly noise: number;
  readonly decay: number;
  readonly couple: number;
  readonly outside: number;
  readonly head: number;
  readonly bias: boolean;
  readonly singles?: number;
  readonly columns?: number;
  readonly columnPart?: number;
  readonly rowPart?: number;
  readonly scales?: number;
  readonly tails?: number;
  /** The head's rows add up to this times what its last row would be. */
  readonly balance?: number;
  /** Denominators of NECO's official mode; both without. */
  readonly denominators?: readonly string[];
}

const json = (name: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../golden/${name}`, import.meta.url)), "utf8"));

/** The regimes by name. */
export const madeRegimes = json("made-regimes.json") as Readonly<Record<string, MadeRegime>>;

/** What float64 says of one. */
interface MadeGolden extends RegimeGolden {
  readonly checksum: number;
  readonly chosen: RegimeGolden["chosen"] & {
    /** By score and parameters. */
    readonly gmm: Readonly<Record<string, { readonly clusters: number; readonly turns: number }>>;
  };
  /** Rows of its scores. */
  readonly methods: readonly string[];
}

/** What float64 says of them. */
export const madeGolden = json("made.json") as {
  readonly regimes: Readonly<Record<string, MadeGolden>>;
};

/** Score vectors by set: test, near, far. */
export type SetScores = ReadonlyMap<string, Float32Array>;

/** Opens the score vectors of all regimes. */
export async function madeScores(): Promise<(name: string, method: string) => Promise<SetScores>> {
  const find = await goldenArrays("made-scores");
  return async (name, method) => {
    const row = madeGolden.regimes[name]!.methods.indexOf(method);
    if (row < 0) throw new Error(`no golden ${name} ${method}`);
    const [, test, near, far] = madeRegimes[name]!.sizes;
    const own = (await find(name)).subarray(row * (test + near + far));
    return new Map([
      ["test", own.subarray(0, test)],
      ["near", own.subarray(test, test + near)],
      ["far", own.subarray(test + near, test + near + far)],
    ]);
  };
}

/** Noise of row i, column j under the stream of a set. */
function noiseOf(r: MadeRegime, stream: number): (row: number, column: number) => number {
  const { dim, tails } = r;
  const base = bell(r.seed, stream);
  const spread = bell(r.seed, stream + 10);
  return (row, column) => {
    const next = base(row * dim + ((column + 1) % dim));
    let x = base(row * dim + column) + r.couple * next;
    if (tails !== undefined) x = x / (tails + Math.abs(spread(row * dim + column)));
    return (r.noise / (1 + r.decay * column)) * x;
  };
}

/** Columns beyond `columns` repeat the earlier ones; rows of odd index the one before them. */
function duplicate(r: MadeRegime, x: Float64Array, stream: number): void {
  const { dim, columns = dim, columnPart = 0, rowPart } = r;
  const parts = bell(r.seed, stream + 20);
  x.forEach((_, index) => {
    const column = index % dim;
    const source = x[index - column + (column % columns)]!;
    if (column >= columns) x[index] = source + columnPart * parts(index);
  });
  if (rowPart === undefined) return;
  const rowParts = bell(r.seed, stream + 30);
  x.forEach((_, index) => {
    if (Math.floor(index / dim) % 2 === 1) x[index] = x[index - dim]! + rowPart * rowParts(index);
  });
}

interface Split {
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

/** Mean and label of a row, and how it is spread around that, for each kind of set. */
function makeSplit(r: MadeRegime, split: number, means: Draw): Split {
  const { dim, classes, seed, singles = 0 } = r;
  const stream = 6 + split;
  const rows = r.sizes[split]!;
  const offsets = bell(seed, 2);
  const centres = bell(seed, 5);
  const outside = bell(seed, stream);
  const noise = noiseOf(r, stream);
  const mean = (label: number, column: number): number => r.means * means(label * dim + column);
  const labelOf = (place: number): number => {
    if (split === 0) return place < classes ? place : place % (classes - singles);
    return place % (split === 1 ? classes : split === 2 ? Math.min(3, classes) : 4);
  };
  const labels = Int32Array.from({ length: rows }, (_, row) =>
    labelOf(r.rowPart === undefined ? row : Math.floor(row / 2)),
  );
  const valueOf = (row: number, column: number): number => {
    const y = labels[row]!;
    const offset = r.offset * offsets(column);
    if (split < 2) return mean(y, column) + offset + noise(row, column);
    if (split === 2) {
      const between = 0.5 * (mean(y, column) + mean((y + 1) % classes, column));
      return between + offset + 1.5 * noise(row, column);
    }
    return 0.5 * centres(y * dim + column) + offset + r.outside * outside(row * dim + column);
  };
  const x = Float64Array.from(
    { length: rows * dim },
    (_, index) => valueOf(Math.floor(index / dim), index % dim) * columnScale(r, index % dim),
  );
  duplicate(r, x, stream);
  return { features: Float32Array.from(x), labels };
}

/** Feature sets and head of a regime; further models have seen those that are measured. */
export interface MadeData {
  readonly train: FeatureSource;
  readonly test: FeatureSource;
  readonly near: FeatureSource;
  readonly far: FeatureSource;
  readonly head: Head;
  /** Of all bits, to be held against the oracle's. */
  readonly checksum: number;
}

/** Replaces the last row so that all add up to a part of it. */
function balance(rows: Float64Array, dim: number, part: number): void {
  const last = rows.length - dim;
  for (let column = 0; column < dim; column++) {
    let total = 0;
    for (let index = column; index < last; index += dim) total += rows[index]!;
    rows[last + column] = part * rows[last + column]! - total;
  }
}

/** Makes a regime. */
export function makeRegime(name: string): MadeData {
  const r = madeRegimes[name]!;
  const { dim, classes } = r;
  const means = bell(r.seed, 1);
  const further = bell(r.seed, 3);
  const rows = Float64Array.from(
    { length: classes * dim },
    (_, index) => r.head * (r.means * means(index) + 0.5 * further(index)),
  );
  if (r.balance !== undefined) balance(rows, dim, r.balance);
  const weight = Float32Array.from(rows, (value, index) => value / columnScale(r, index % dim));
  const biases = bell(r.seed, 4);
  const bias = r.bias ? Float32Array.from({ length: classes }, (_, c) => biases(c)) : null;
  const splits = [0, 1, 2, 3].map((split) => makeSplit(r, split, means));
  const head = { weight, bias, classes, dim };
  const peers = Array.from({ length: PEERS }, (_, model) => {
    const logits = peerLogits(r, head, model);
    return splits.slice(1).map(({ features }) => logits(features)); // of test, near, far
  });
  const source = (split: number, set: string): FeatureSource =>
    memoryFeatures(set, { ...splits[split]!, dim });
  const seen = (split: number, set: string): FeatureSource =>
    withPeers(
      source(split, set),
      peers.map((sets) => sets[split - 1]!),
      classes,
    );
  return {
    train: source(0, "train"),
    test: seen(1, "test"),
    near: seen(2, "near"),
    far: seen(3, "far"),
    head,
    checksum: checksum([
      ...splits.map(({ features }) => features),
      weight,
      ...(bias ? [bias] : []),
      ...peers.flat(),
    ]),
  };
}
