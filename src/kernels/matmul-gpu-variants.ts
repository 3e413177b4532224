/** More ways to multiply matrices on GPUs: on tensor cores, and for `neco tune` to choose from. */
import { CHUNK } from "../../shaders/lib/matmulChunks.wgsl.ts";
import { matmulDoubleBuffered } from "../../shaders/matmulDoubleBuffered.wgsl.ts";
import { matmulSubgroupMatrix, subgroupsOf } from "../../shaders/matmulSubgroupMatrix.wgsl.ts";
import { matmulSubgroupRows } from "../../shaders/matmulSubgroupRows.wgsl.ts";
import { ceilDiv } from "../util/shape.ts";
import { product } from "./matmul-product.ts";
import type { MatmulAttrs, Product } from "./matmul-product.ts";
import { productPlan } from "./matmul-variants.ts";
import type { KernelCode } from "./matmul-variants.ts";
import { need } from "./op.ts";
import type { Caps, SubgroupMatrix, Variant } from "./op.ts";
import { fixedSubgroup } from "./pass.ts";

const DOUBLE_TILE = {
  rows: 128,
  cols: 64,
  lanes: 256,
  bytes: 2 * 8 * (33 + 17) * 16, // two pairs of tiles, 8 terms deep, with their padding
} as const;

const doubleBuffered: Variant<MatmulAttrs> = {
  usable: (_inputs, _attrs, caps) =>
    caps.maxInvocations >= DOUBLE_TILE.lanes && caps.maxWorkgroupBytes >= DOUBLE_TILE.bytes,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const alongK = { aAlongK: !attrs.transposeA, bAlongK: attrs.transposeB };
    const code: KernelCode = (epilogue) => matmulDoubleBuffered({ ...of, ...epilogue, ...alongK });
    return productPlan(code, DOUBLE_TILE, of, caps);
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
    const code: KernelCode = (epilogue) => matmulSubgroupRows({ ...of, ...epilogue, ...tiling });
    return productPlan(code, { rows: tiling.rows, cols: 4 * lanes * tiling.colGroups }, of, caps);
  },
};

/** A subgroup with 64 × 32 sums reads least per product; it needs tiles enough for all processors. */
const LARGE_TILE = {
  ...{ rows: 128, cols: 128, depth: 32, partRows: 64, partCols: 32 },
  bytes: 2 * 2 * 128 * (32 + 8) * 2, // two pairs of tiles of f16 with their padding
} as const;
const SMALL_TILE = {
  ...{ rows: 64, cols: 64, depth: 32, partRows: 32, partCols: 32 },
  bytes: 2 * 2 * 64 * (32 + 8) * 2,
} as const;
/** About as many as large GPUs have processors (an H100 132). */
const MANY_TILES = 128;
/** More lanes than a small tile of a and b has chunks for. */
const MOST_MATRIX_LANES = 64;

/** The largest product of f16 with f32 sums that divides the parts of both tiles. */
function unitOf({ subgroupMatrices }: Caps): SubgroupMatrix | undefined {
  const fits = (size: number): boolean => size === 8 || size === 16 || size === 32;
  return subgroupMatrices
    .filter(({ component, result }) => component === "f16" && result === "f32")
    .filter(({ m, n, k }) => fits(m) && fits(n) && fits(k))
    .sort((p, q) => q.m * q.n * q.k - p.m * p.n * p.k)[0];
}

const takes = (caps: Caps, tile: typeof LARGE_TILE | typeof SMALL_TILE): boolean =>
  caps.maxInvocations >= subgroupsOf(tile) * fixedSubgroup(caps) &&
  caps.maxWorkgroupBytes >= tile.bytes;

function matrixTile({ batches, m, n }: Product, caps: Caps) {
  const tiles = batches * ceilDiv(m, LARGE_TILE.rows) * ceilDiv(n, LARGE_TILE.cols);
  return tiles >= MANY_TILES && takes(caps, LARGE_TILE) ? LARGE_TILE : SMALL_TILE;
}

const subgroupMatrix: Variant<MatmulAttrs> = {
  usable: (inputs, _attrs, caps) =>
    need(inputs, 0).dtype === "f16" &&
    unitOf(caps) !== undefined &&
    fixedSubgroup(caps) > 0 &&
    fixedSubgroup(caps) <= MOST_MATRIX_LANES &&
    takes(caps, SMALL_TILE),
  plan(inputs, attrs, caps) {
    const unit = unitOf(caps);
    if (!unit) throw new RangeError("matmul: the adapter has no subgroup matrices of f16");
    const shape = product(inputs, attrs);
    const { m, n, k } = shape;
    const of = { ...shape, vector: n % 4 === 0 }; // of y and the bias; b's loads are as b lies
    const tile = matrixTile(of, caps);
    const options = {
      tile,
      unit,
      subgroup: fixedSubgroup(caps),
      a: { alongK: !attrs.transposeA, isWide: (attrs.transposeA ? m : k) % CHUNK === 0 },
      b: { alongK: attrs.transposeB, isWide: (attrs.transposeB ? k : n) % CHUNK === 0 },
    };
    const code: KernelCode = (epilogue) => matmulSubgroupMatrix({ ...of, ...epilogue, ...options });
    return productPlan(code, tile, of, caps);
  },
};

/**
 * Variants by name. Only tensor cores are a static pick: no argument without a measurement puts the
 * others before `workgroupTiled`, whose smaller tiles leave fewer lanes idle on the sizes of small
 * models.
 */
export const matmulGpuVariants = { doubleBuffered, subgroupMatrix, subgroupRows };
