/** What the attention ops share: shape checks, sizes, kernels by variant, grids. */
import { attentionBackwardKeyLanes } from "../../shaders/attentionBackwardKeyLanes.wgsl.ts";
import { attentionBackwardKeyTiled } from "../../shaders/attentionBackwardKeyTiled.wgsl.ts";
import { attentionBackwardQueryLanes } from "../../shaders/attentionBackwardQueryLanes.wgsl.ts";
import { attentionBackwardQueryTiled } from "../../shaders/attentionBackwardQueryTiled.wgsl.ts";
import { attentionLanes } from "../../shaders/attentionLanes.wgsl.ts";
import { attentionTiled } from "../../shaders/attentionTiled.wgsl.ts";
import { attentionBackwardKeyWide } from "../../shaders/attentionBackwardKeyWide.wgsl.ts";
import { attentionBackwardQueryWide } from "../../shaders/attentionBackwardQueryWide.wgsl.ts";
import { attentionWide } from "../../shaders/attentionWide.wgsl.ts";
import { LimitError, ShapeError } from "../util/errors.ts";
import { at, ceilDiv } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";
import { checkRandom, drawParams } from "./dropout.ts";
import { need } from "./op.ts";
import type { Attrs, Binding, Caps, Param, Pass, Plan, Slot, Variant } from "./op.ts";
import { f, fixedSubgroup, foldGrid, u, uniforms } from "./pass.ts";

/** Attributes of all attention ops. */
export interface HeadAttrs extends Attrs {
  readonly heads: number;
}

/** Attributes of attention and its gradient: the weights that are dropped, as in `dropout`. */
export interface AttentionAttrs extends HeadAttrs {
  readonly rate: number;
  readonly stream: number;
}

/** Sizes of a call. */
export interface Sizes {
  readonly batches: number;
  readonly tokens: number;
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
  const { batches, heads, tokens } = of;
  if (batches * heads * tokens * ceilDiv(tokens, 4) > MOST_BLOCKS)
    throw new LimitError(
      `${op}: the weights of ${batches} × ${heads} heads of ${tokens} tokens are more than a stream of random words holds; use smaller batches`,
    );
}

/** The sizes that qkv and the number of heads imply. */
export function sizesOf(qkv: Meta, { heads }: HeadAttrs): Sizes {
  const width = at(qkv.shape, 2) / 3;
  const [batches = 0, tokens = 0] = qkv.shape;
  return { batches, tokens, heads, headSize: width / heads, width, isHalf: qkv.dtype === "f16" };
}

/** Rows (tokens of one head) of a workgroup of 64 lanes. */
export const TILED_ROWS = 64;
/** Most tokens of a tile; two tiles of heads of 128 take 16 KiB, which every adapter has. */
const TILE = 16;

/** Tokens of a tile, a multiple of 4, as far as workgroup memory holds two tiles and the masks. */
function tileTokens({ headSize }: Sizes, dropout: boolean, caps: Caps): number {
  const eachBytes = 2 * 16 * ceilDiv(headSize, 4) + (dropout ? TILED_ROWS : 0); // a u32 for 4 rows
  return Math.min(TILE, 4 * Math.floor(caps.maxWorkgroupBytes / eachBytes / 4));
}

/** Params of every attention kernel. */
export const paramsOf = ({ batches, tokens, heads, headSize }: Sizes): Param[] => [
  u(batches),
  u(tokens),
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

/** Grid of one workgroup per block of `rows` tokens of each head. */
export const headGrid = (
  { batches, tokens, heads }: Sizes,
  rows: number,
  caps: Caps,
): Pass["grid"] => foldGrid(batches * heads * ceilDiv(tokens, rows), caps);

/** A plan's passes, none for an empty batch: there is nothing to bind. */
export const unlessEmpty = (sizes: Sizes, plan: Plan): Plan =>
  sizes.batches * sizes.tokens === 0 ? { temps: [], passes: [] } : plan;

/** Work of `products` products of [tokens, headSize] by its transpose, in every head. */
export const flopsOf = ({ batches, tokens, width }: Sizes, products: number): number =>
  2 * products * batches * tokens * tokens * width;

/** Which kernels a plan takes, and the rows of their workgroups. */
export interface Kernels {
  readonly rows: number;
  readonly forward: string;
  readonly query: string;
  readonly key: string;
}

/** Elements of a lane's own vectors, and tokens: more spill, and compile for seconds. */
const MAX_LANE_ELEMENTS = 256;
const MAX_LANE_TOKENS = 8;

/** Tokens per lane: few blocks, but the last one as full as the others. */
function laneTokens({ tokens, headSize }: Sizes, subgroup: number): number {
  const most = Math.min(MAX_LANE_TOKENS, Math.floor(MAX_LANE_ELEMENTS / headSize));
  const blocks = ceilDiv(tokens, most * subgroup);
  return Math.max(1, ceilDiv(tokens, Math.max(1, blocks) * subgroup));
}

/** A variant's kernels, and which heads they take. */
interface Family {
  readonly usable: (of: Sizes, dropout: boolean, caps: Caps) => boolean;
  readonly kernels: (of: Sizes, dropout: boolean, caps: Caps) => Kernels;
}

/** A lane's vectors, three or four of them, are as long as a head: longer ones spill badly. */
const MAX_LANE_HEAD = 128;
const MAX_TILED_HEAD = 256;

function lanesKernels(of: Sizes, dropout: boolean, caps: Caps): Kernels {
  const subgroup = fixedSubgroup(caps);
  const { headSize, isHalf } = of;
  const options = { headSize, dropout, isHalf, subgroup, laneTokens: laneTokens(of, subgroup) };
  return {
    rows: subgroup * options.laneTokens,
    forward: attentionLanes(options),
    query: attentionBackwardQueryLanes(options),
    key: attentionBackwardKeyLanes(options),
  };
}

function tiledKernels(of: Sizes, dropout: boolean, caps: Caps): Kernels {
  const { headSize, isHalf } = of;
  const options = { headSize, dropout, isHalf, tile: tileTokens(of, dropout, caps) };
  return {
    rows: TILED_ROWS,
    forward: attentionTiled(options),
    query: attentionBackwardQueryTiled(options),
    key: attentionBackwardKeyTiled(options),
  };
}

function wideKernels({ headSize, isHalf }: Sizes, dropout: boolean): Kernels {
  const options = { headSize, dropout, isHalf };
  return {
    rows: 1,
    forward: attentionWide(options),
    query: attentionBackwardQueryWide(options),
    key: attentionBackwardKeyWide(options),
  };
}

const hasSmallSubgroup = (caps: Caps): boolean =>
  fixedSubgroup(caps) === 4 || fixedSubgroup(caps) === 8;

const FAMILIES = {
  lanes: {
    usable: ({ headSize }, _dropout, caps) => hasSmallSubgroup(caps) && headSize <= MAX_LANE_HEAD,
    kernels: lanesKernels,
  },
  tiled: {
    usable: (of, dropout, caps) =>
      of.headSize <= MAX_TILED_HEAD && tileTokens(of, dropout, caps) > 0,
    kernels: tiledKernels,
  },
  wide: { usable: () => true, kernels: wideKernels },
} as const satisfies Record<string, Family>;

/** Makes a call's plan from a variant's kernels. */
type PlanWith = (kernels: Kernels, sizes: Sizes, attrs: AttentionAttrs, caps: Caps) => Plan;

/**
 * `lanes` for software adapters (one small subgroup size, no barriers), `tiled` for all others, and
 * `wide` for heads of any width: slower, since a workgroup reads all keys for one query.
 */
export function variantsOf(
  plan: PlanWith,
  qkvIndex: number,
): Record<keyof typeof FAMILIES, Variant<AttentionAttrs>> {
  const variantOf = ({ usable, kernels }: Family): Variant<AttentionAttrs> => ({
    usable: (inputs, attrs, caps) =>
      usable(sizesOf(need(inputs, qkvIndex), attrs), attrs.rate > 0, caps),
    plan(inputs, attrs, caps) {
      const of = sizesOf(need(inputs, qkvIndex), attrs);
      return unlessEmpty(of, plan(kernels(of, attrs.rate > 0, caps), of, attrs, caps));
    },
  });
  const { lanes, tiled, wide } = FAMILIES;
  return { lanes: variantOf(lanes), tiled: variantOf(tiled), wide: variantOf(wide) };
}

/** Default picks. */
export const PREFER = { gpu: ["tiled"], cpu: ["lanes"] } as const;
