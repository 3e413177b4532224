/** Matrix products on tensor cores: f16 operands, f32 sums, by subgroup matrices. */
import { CHUNK } from "../../shaders/lib/matmulChunks.wgsl.ts";
import { matmulSubgroupMatrix, subgroupsOf } from "../../shaders/matmulSubgroupMatrix.wgsl.ts";
import { ceilDiv } from "../util/shape.ts";
import { productPlan } from "./matmul-plan.ts";
import type { KernelCode } from "./matmul-plan.ts";
import { product } from "./matmul-product.ts";
import type { MatmulAttrs, Product } from "./matmul-product.ts";
import { need } from "./op.ts";
import type { Caps, SubgroupMatrix, Variant } from "./op.ts";
import { fixedSubgroup } from "./pass.ts";

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
/**
 * A part writes and reads 8 bytes of each element, which takes as long as about 500 terms do at a few
 * hundred TFLOP/s: fewer are not worth a part of their own.
 */
const LEAST_TERMS = 512;
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

/** Products of f16 with f32 sums, where the adapter has subgroup matrices. */
export const subgroupMatrix: Variant<MatmulAttrs> = {
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
    const code: KernelCode = (own, epilogue) =>
      matmulSubgroupMatrix({ ...own, ...epilogue, ...options });
    const lanes = subgroupsOf(tile) * options.subgroup;
    return productPlan(code, { ...tile, lanes, leastTerms: LEAST_TERMS }, of, caps);
  },
};
