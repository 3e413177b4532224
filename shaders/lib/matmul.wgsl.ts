/** What all matmul kernels share: params, bindings and how a workgroup finds its tile. */
import type { Epilogue } from "./epilogue.wgsl.ts";
import { flatWorkgroup } from "./grid.wgsl.ts";
import { element } from "./half.wgsl.ts";
import { wgsl } from "./wgsl.ts";

/** Options that every matmul kernel takes. */
export interface MatmulInterface {
  /** b, bias and y in fours along the columns: b is not transposed and n is a multiple of 4. */
  readonly vector: boolean;
  readonly hasBias: boolean;
  /** a and b are stored as f16; sums, bias and y are f32. */
  readonly isHalf: boolean;
  /** What the arrays of a and b hold where it is neither Element nor Columns. */
  readonly packs?: { readonly a: string; readonly b: string };
  /** The kernel's sums start at the bias if params say that there is one; else `store` adds it. */
  readonly startsAtBias?: boolean;
  /**
   * Up to so many terms workgroups side by side take tiles below each other, which share columns of b,
   * not rows of a: on a CPU those columns stay in its cache then, 1.14 times as fast at 1024³ on
   * lavapipe. Absent: never.
   */
  readonly downTerms?: number;
  /** What happens to each Cell before it is stored; absent: nothing. Not with splits. */
  readonly epilogue?: Epilogue;
}

/** Whether a kernel's text names f16, in its operands or in its epilogue. */
export const namesHalf = ({
  isHalf,
  epilogue,
}: Pick<MatmulInterface, "isHalf" | "epilogue">): boolean => isHalf || (epilogue?.isHalf ?? false);

/** Where a workgroup's tile lies. */
const place = (downTerms = 0): string => wgsl`
struct Place {
  exists: bool, // false in the surplus workgroups of a folded grid
  row: u32, // of the tile's corner
  col: u32,
  k_start: u32,
  k_end: u32,
  a_base: u32, // element where this batch's a, b and y start
  b_base: u32,
  y_base: u32,
}

fn place(group: u32) -> Place {
  let tile_cols = (params.n + TILE_COLS - 1u) / TILE_COLS;
  let tile_rows = (params.m + TILE_ROWS - 1u) / TILE_ROWS;
  let tiles = tile_cols * tile_rows;
  let tile = group % tiles;
  let part = group / tiles; // = split · batches + batch
  let batch = part % params.batches;
  let k_start = part / params.batches * params.k_each;
#if ${downTerms > 0}
  let is_down = params.k_each <= ${downTerms}u;
#endif
  return Place(
    part < params.splits * params.batches,
#if ${downTerms > 0}
    select(tile / tile_cols, tile % tile_rows, is_down) * TILE_ROWS,
    select(tile % tile_cols, tile / tile_rows, is_down) * TILE_COLS,
#else
    tile / tile_cols * TILE_ROWS,
    tile % tile_cols * TILE_COLS,
#endif
    k_start,
    min(k_start + params.k_each, params.k),
    batch * params.a_batch,
    batch * params.b_batch,
    part * params.m * params.n,
  );
}`;

/**
 * y[batch, m, n] = Σ_k a · b (+ bias[n]). The strides in params say which operand is transposed and
 * which is shared by all batches (stride 0). With more than one split, y is [splits, batch, m, n]: one
 * partial sum per range of k.
 */
export const matmulInterface = ({
  vector,
  hasBias,
  isHalf,
  startsAtBias = false,
  downTerms,
  packs = { a: "Element", b: "Columns" },
  epilogue,
}: MatmulInterface): string => wgsl`
${flatWorkgroup}
struct Params {
  m: u32,
  n: u32,
  k: u32,
  batches: u32,
  splits: u32,
  k_each: u32, // terms of one split
  a_row: u32, // elements that one step along m, k or the batch skips
  a_step: u32,
  a_batch: u32,
  b_col: u32, // and along n, k or the batch
  b_step: u32,
  b_batch: u32,
#if ${startsAtBias}
  has_bias: u32, // 0: the binding holds something else
#endif
${epilogue?.fields ?? ""}
}
${element(isHalf)}
#if ${vector}
alias Cell = vec4f;
alias Columns = Quad;
const CELL: u32 = 4u;
#else
alias Cell = f32;
alias Columns = Element;
const CELL: u32 = 1u;
#endif
@group(0) @binding(0) var<storage, read> a: array<${packs.a}>;
@group(0) @binding(1) var<storage, read> b: array<${packs.b}>;
#if ${hasBias}
@group(0) @binding(2) var<storage, read> bias: array<Cell>;
@group(0) @binding(3) var<storage, read_write> y: array<${epilogue?.output ?? "Cell"}>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<${epilogue?.output ?? "Cell"}>;
#endif
@group(0) @binding(${epilogue?.paramsBinding ?? (hasBias ? 4 : 3)}) var<uniform> params: Params;

${place(downTerms)}

#if ${epilogue !== undefined}
${epilogue?.text ?? ""}
#else
fn finish(at: u32, value: Cell) {
  y[at] = value;
}
#endif

fn store(y_base: u32, row: u32, col: u32, sum: Cell) {
  if (row < params.m && col < params.n) {
#if ${hasBias && !startsAtBias}
    finish((y_base + row * params.n + col) / CELL, sum + bias[col / CELL]);
#else
    finish((y_base + row * params.n + col) / CELL, sum);
#endif
  }
}
`;
