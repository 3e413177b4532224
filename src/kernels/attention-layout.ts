/** What the attention ops share: shape checks, sizes, params, grids. */
import { LimitError, ShapeError } from "../util/errors.ts";
import { at, ceilDiv } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";
import { checkRandom, drawParams } from "./dropout.ts";
import type { Attrs, Binding, Caps, Param, Pass, Plan, Slot } from "./op.ts";
import { f, foldGrid, u, uniforms } from "./pass.ts";

/** Attributes of all attention ops. */
export interface HeadAttrs extends Attrs {
  readonly heads: number;
}

/** Attributes of attention and its gradient: the weights that are dropped, as in `dropout`. */
export interface AttentionAttrs extends HeadAttrs {
  /** How many of the first tokens ask: y has so many rows; 0: all tokens. */
  readonly queries: number;
  readonly rate: number;
  readonly stream: number;
}

/** Sizes of a call. */
export interface Sizes {
  readonly batches: number;
  readonly tokens: number;
  /** The first tokens, whose rows of y are wanted. */
  readonly queries: number;
  readonly heads: number;
  readonly headSize: number;
  readonly width: number;
  /** qkv, y and g are stored as f16. */
  readonly isHalf: boolean;
}

/**
 * Checks that qkv [N, T, 3D] splits into heads.
 * @throws ShapeError if it does not.
 */
export function checkPacked(op: string, qkv: Meta, { heads }: HeadAttrs): void {
  const shapes = { qkv: qkv.shape };
  if (qkv.shape.length !== 3)
    throw new ShapeError(op, "qkv must be [batch, tokens, 3 · width]", shapes);
  if (!Number.isInteger(heads) || heads < 1 || at(qkv.shape, 2) % (3 * heads) !== 0)
    throw new ShapeError(op, `the last axis must split into q, k and v of ${heads} heads`, shapes);
  if (at(qkv.shape, 2) === 0) throw new ShapeError(op, "heads must have a width", shapes);
}

/**
 * Checks how many tokens ask.
 * @throws ShapeError if there are not so many.
 */
export function checkQueries(op: string, { tokens, queries }: Sizes): void {
  if (!Number.isInteger(queries) || queries < 0 || queries > tokens)
    throw new ShapeError(
      op,
      `queries must be at most the ${tokens} tokens, 0 for all; not ${queries}`,
    );
}

/** Random words come in blocks of 4, numbered by a u32. */
const MOST_BLOCKS = 2 ** 32;

/**
 * Checks what dropout of the weights needs.
 * @throws ShapeError naming rate or key if one is wrong, LimitError if there are too many weights.
 */
export function checkDropped(op: string, of: Sizes, key: Meta | null, rate: number): void {
  if (rate === 0) return;
  if (!key) throw new ShapeError(op, `rate ${rate} needs a key to draw with`);
  checkRandom(op, key, rate);
  const { batches, heads, tokens, queries } = of;
  if (batches * heads * queries * ceilDiv(tokens, 4) > MOST_BLOCKS)
    throw new LimitError(
      `${op}: the weights of ${batches} × ${heads} heads of ${tokens} tokens are more than a stream of random words holds; use smaller batches`,
    );
}

/** The sizes that qkv and the attributes imply; without queries all tokens ask. */
export function sizesOf(qkv: Meta, attrs: HeadAttrs & { readonly queries?: number }): Sizes {
  const { heads, queries: asked = 0 } = attrs;
  const width = at(qkv.shape, 2) / 3;
  const [batches = 0, tokens = 0] = qkv.shape;
  const queries = asked === 0 ? tokens : asked;
  const isHalf = qkv.dtype === "f16";
  return { batches, tokens, queries, heads, headSize: width / heads, width, isHalf };
}

/** Rows (tokens of one head) of a workgroup whose 64 lanes take one each. */
export const LANE_ROWS = 64;

/** Params of every attention kernel. */
export const paramsOf = ({ batches, tokens, queries, heads, headSize }: Sizes): Param[] => [
  u(batches),
  u(tokens),
  u(queries),
  u(heads),
  f(1 / Math.sqrt(headSize)),
  u(headSize),
];

/** What the kernels that drop weights bind and take beside the others: nothing at rate 0. */
export const drawsOf = (
  { rate, stream }: AttentionAttrs,
  keySlot: Slot,
): { bindings: Binding[]; params: Param[] } =>
  rate === 0
    ? { bindings: [], params: [] }
    : { bindings: uniforms(keySlot), params: drawParams(rate, stream) };

/** Grid of one workgroup per block of `rows` of each head's queries, or of its keys: all tokens. */
export const headGrid = (
  { batches, heads, ...counts }: Sizes,
  [rows, of]: readonly [rows: number, of: "queries" | "tokens"],
  caps: Caps,
): Pass["grid"] => foldGrid(batches * heads * ceilDiv(counts[of], rows), caps);

/** A plan's passes, none for an empty batch: there is nothing to bind. */
export const unlessEmpty = (sizes: Sizes, plan: Plan): Plan =>
  sizes.batches * sizes.tokens === 0 ? { temps: [], passes: [] } : plan;

/** Work of `products` products of [queries, headSize] by [tokens, headSize]ᵀ, in every head. */
export const flopsOf = ({ batches, tokens, queries, width }: Sizes, products: number): number =>
  2 * products * batches * queries * tokens * width;
