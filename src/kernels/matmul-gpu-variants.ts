/** The ways to multiply matrices on GPUs, and which of them a product of some size gets. */
import { matmulDoubleBuffered } from "../../shaders/matmulDoubleBuffered.wgsl.ts";
import { matmulFewRows } from "../../shaders/matmulFewRows.wgsl.ts";
import { matmulSubgroupRows } from "../../shaders/matmulSubgroupRows.wgsl.ts";
import { matmulWorkgroup } from "../../shaders/matmulWorkgroup.wgsl.ts";
import type { MatmulReading, MatmulWorkgroupOptions } from "../../shaders/matmulWorkgroup.wgsl.ts";
import { gpuParts, productPlan, tileCount } from "./matmul-plan.ts";
import type { KernelCode, Tile } from "./matmul-plan.ts";
import { product } from "./matmul-product.ts";
import type { MatmulAttrs, Product } from "./matmul-product.ts";
import { subgroupMatrix } from "./matmul-subgroup-matrix.ts";
import type { InputMetas, Variant } from "./op.ts";

const VEC4_BYTES = 16;

/** A tile in workgroup memory, of so many bytes. */
interface SharedTile extends Tile {
  readonly bytes: number;
}

/** A variant whose kernel keeps tiles in workgroup memory. */
const sharing = (
  tile: SharedTile,
  text: (options: MatmulReading) => string,
): Variant<MatmulAttrs> => ({
  usable: (_inputs, _attrs, caps) =>
    caps.maxInvocations >= tile.lanes && caps.maxWorkgroupBytes >= tile.bytes,
  plan(inputs, attrs, caps) {
    const alongK = { aAlongK: !attrs.transposeA, bAlongK: attrs.transposeB };
    const code: KernelCode = (of, epilogue) => text({ ...of, ...epilogue, ...alongK });
    return productPlan(code, tile, product(inputs, attrs), caps);
  },
});

/** How a square tile is laid out, as the shader's options say. */
type Square = Pick<MatmulWorkgroupOptions, "side" | "copies" | "loadsAhead">;

function squareTile({ side, copies }: Square): SharedTile {
  const lanes = side / 4;
  const bytes = 2 * copies * lanes * (lanes + 1) * VEC4_BYTES;
  return { rows: side, cols: side, lanes: lanes * lanes, bytes };
}

const squareTiled = (square: Square): Variant<MatmulAttrs> =>
  sharing(squareTile(square), (options) => matmulWorkgroup({ ...options, ...square }));

const SMALL: Square = { side: 32, copies: 4, loadsAhead: true };
const MEDIUM: Square = { side: 64, copies: 1, loadsAhead: false };

/**
 * There twice and 8 terms deep. A part writes and reads 8 bytes of each element, 3 ps; 256 terms take
 * 17 ps at 30 TFLOP/s, so that it costs a fifth.
 */
const BUFFERED: SharedTile = {
  rows: 128,
  cols: 64,
  lanes: 256,
  leastTerms: 256,
  bytes: 2 * 8 * (33 + 17) * VEC4_BYTES,
};

/** Most rows of a tile of `fewRows`: more would need more workgroup memory than all adapters have. */
const FEW_ROWS = 4;
/** Most rows that it takes at all: b is read once for every 4 of them. */
const FEW_ROWS_MOST = 16;
const FEW_ROWS_TERMS = 4;
/** 16 terms a lane, or four turns: fewer cost less than a second pass. */
const FEW_ROWS_LEAST = 1_024;

const fewRows: Variant<MatmulAttrs> = {
  usable: (inputs, attrs, caps) =>
    caps.maxInvocations >= 256 &&
    caps.maxWorkgroupBytes >= 256 * FEW_ROWS * VEC4_BYTES &&
    product(inputs, attrs).m <= FEW_ROWS_MOST,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const rows = of.m > 2 ? FEW_ROWS : Math.max(1, of.m);
    const options = { rows, terms: FEW_ROWS_TERMS, bAlongK: attrs.transposeB };
    const code: KernelCode = (own, epilogue) => matmulFewRows({ ...own, ...epilogue, ...options });
    const tile = { rows, cols: 16, lanes: 256, leastTerms: FEW_ROWS_LEAST };
    return productPlan(code, tile, of, caps);
  },
};

/** Rows of a tile of `subgroupRows`: with 8 columns a lane has 64 accumulators. */
const SUBGROUP_ROWS = 8;
/** Terms of one turn: more are longer texts, not fewer loads. */
const MOST_TERMS = 16;
const FEWEST_TERMS = 4;
/** A workgroup is a subgroup of the largest size, or as many smaller ones; GPUs' have 16 to 64 lanes. */
const FEWEST_LANES = 32;
const MOST_LANES = 64;

const subgroupRows: Variant<MatmulAttrs> = {
  usable: (_inputs, _attrs, { subgroupMin, subgroupMax }) =>
    subgroupMin >= FEWEST_TERMS && subgroupMax <= MOST_LANES,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const lanes = Math.max(FEWEST_LANES, caps.subgroupMax);
    const tiling = {
      lanes,
      depth: Math.min(MOST_TERMS, caps.subgroupMin),
      rows: SUBGROUP_ROWS,
      colGroups: of.n > 4 * lanes ? 2 : 1, // two would leave most lanes without columns
    };
    const code: KernelCode = (own, epilogue) =>
      matmulSubgroupRows({ ...own, ...epilogue, ...tiling });
    const tile = { rows: tiling.rows, cols: 4 * lanes * tiling.colGroups, lanes };
    return productPlan(code, tile, of, caps);
  },
};

/** Variants by name. */
export const matmulGpuVariants = {
  fewRows,
  smallTiled: squareTiled(SMALL),
  workgroupTiled: squareTiled(MEDIUM),
  doubleBuffered: sharing(BUFFERED, matmulDoubleBuffered),
  subgroupRows,
  subgroupMatrix,
};

/** When a product gets a variant: both must hold. */
interface Threshold {
  readonly variant: keyof typeof matmulGpuVariants;
  readonly tile: Tile;
  /** At least so many, parts included. */
  readonly workgroups: number;
  /** At least this part of the tiles' elements are elements of y. */
  readonly use: number;
}

/**
 * Larger tiles read less per multiplication, where there are enough of them for all multiprocessors
 * (132 on an H200, two groups each) and their edges are not mostly waste. On an H200 `workgroupTiled`
 * was ahead of `doubleBuffered` and a wider kernel of its kind, now gone, at 512, 1024 and 2048 (by 2.8,
 * 1.06 and 1.02 times), of `smallTiled` at 512 and 1024, and behind that at all sizes of small models.
 */
const THRESHOLDS: readonly Threshold[] = [
  { variant: "workgroupTiled", tile: squareTile(MEDIUM), workgroups: 256, use: 0.75 },
  { variant: "smallTiled", tile: squareTile(SMALL), workgroups: 0, use: 0 },
];

function meets(of: Product, { tile, workgroups, use }: Threshold): boolean {
  const count = tileCount(of, tile);
  const elements = of.batches * of.m * of.n;
  return (
    count * gpuParts(of, tile) >= workgroups && elements >= use * count * tile.rows * tile.cols
  );
}

/** Variants that a GPU should try for a product, best first; tensor cores take f16 alone. */
export function gpuOrder(inputs: InputMetas, attrs: MatmulAttrs): string[] {
  const of = product(inputs, attrs);
  const tiled = THRESHOLDS.filter((threshold) => meets(of, threshold));
  const names = tiled.map(({ variant }) => variant);
  return [...(of.m <= FEW_ROWS ? ["fewRows"] : []), "subgroupMatrix", ...names];
}
