/** What the attention ops share: shape checks, sizes, kernels by variant, grids. */
import { attentionBackwardKeyLanes } from "../../shaders/attentionBackwardKeyLanes.wgsl.ts";
import { attentionBackwardKeyTiled } from "../../shaders/attentionBackwardKeyTiled.wgsl.ts";
import { attentionBackwardQueryLanes } from "../../shaders/attentionBackwardQueryLanes.wgsl.ts";
import { attentionBackwardQueryTiled } from "../../shaders/attentionBackwardQueryTiled.wgsl.ts";
import { attentionLanes } from "../../shaders/attentionLanes.wgsl.ts";
import { attentionTiled } from "../../shaders/attentionTiled.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, ceilDiv } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";
import { need } from "./op.ts";
import type { Attrs, Caps, InputMetas, Param, Pass, Plan, Variant } from "./op.ts";
import { f, fixedSubgroup, foldGrid, u } from "./pass.ts";

/** Attributes of the attention ops. */
export interface AttentionAttrs extends Attrs {
  readonly heads: number;
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

const MAX_HEAD_SIZE = 128; // rows of this length still fit a lane's registers and a tile

/**
 * Checks that qkv [N, T, 3D] splits into heads.
 * @throws ShapeError if it does not.
 */
export function checkPacked(op: string, qkv: Meta, { heads }: AttentionAttrs): void {
  const shapes = { qkv: qkv.shape };
  if (qkv.shape.length !== 3)
    throw new ShapeError(op, "qkv must be [batch, tokens, 3 · width]", shapes);
  if (!Number.isInteger(heads) || heads < 1 || at(qkv.shape, 2) % (3 * heads) !== 0)
    throw new ShapeError(op, `the last axis must split into q, k and v of ${heads} heads`, shapes);
  const headSize = at(qkv.shape, 2) / (3 * heads);
  if (headSize < 1 || headSize > MAX_HEAD_SIZE)
    throw new ShapeError(op, `heads of ${headSize} are not 1 to ${MAX_HEAD_SIZE} wide`, shapes);
}

/** The sizes that qkv and the number of heads imply. */
export function sizesOf(qkv: Meta, { heads }: AttentionAttrs): Sizes {
  const width = at(qkv.shape, 2) / 3;
  const [batches = 0, tokens = 0] = qkv.shape;
  return { batches, tokens, heads, headSize: width / heads, width, isHalf: qkv.dtype === "f16" };
}

/** Rows (tokens of one head) of a workgroup of 64 lanes. */
export const TILED_ROWS = 64;
/** Tokens per tile: two tiles of the widest heads take 16 KiB, which every adapter has. */
const TILE = 16;

/** Params of every attention kernel. */
export const paramsOf = ({ batches, tokens, heads, headSize }: Sizes): Param[] => [
  u(batches),
  u(tokens),
  u(heads),
  f(1 / Math.sqrt(headSize)),
  u(headSize),
];

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

function lanesKernels(of: Sizes, caps: Caps): Kernels {
  const subgroup = fixedSubgroup(caps);
  const { headSize, isHalf } = of;
  const options = { headSize, subgroup, laneTokens: laneTokens(of, subgroup), isHalf };
  return {
    rows: subgroup * options.laneTokens,
    forward: attentionLanes(options),
    query: attentionBackwardQueryLanes(options),
    key: attentionBackwardKeyLanes(options),
  };
}

function tiledKernels({ headSize, isHalf }: Sizes): Kernels {
  const options = { headSize, tile: TILE, isHalf };
  return {
    rows: TILED_ROWS,
    forward: attentionTiled(options),
    query: attentionBackwardQueryTiled(options),
    key: attentionBackwardKeyTiled(options),
  };
}

const hasSmallSubgroup = (caps: Caps): boolean =>
  fixedSubgroup(caps) === 4 || fixedSubgroup(caps) === 8;

/** `lanes` for software adapters (one small subgroup size, no barriers), `tiled` for all others. */
export function variantsOf(
  plan: (kernels: Kernels, sizes: Sizes, caps: Caps) => Plan,
  qkvIndex: number,
): Record<"lanes" | "tiled", Variant<AttentionAttrs>> {
  const sizes = (inputs: InputMetas, attrs: AttentionAttrs) =>
    sizesOf(need(inputs, qkvIndex), attrs);
  const planWith =
    (kernels: (of: Sizes, caps: Caps) => Kernels): Variant<AttentionAttrs>["plan"] =>
    (inputs, attrs, caps) => {
      const of = sizes(inputs, attrs);
      return unlessEmpty(of, plan(kernels(of, caps), of, caps));
    };
  return {
    lanes: {
      usable: (_inputs, _attrs, caps) => hasSmallSubgroup(caps),
      plan: planWith(lanesKernels),
    },
    tiled: { usable: () => true, plan: planWith(tiledKernels) },
  };
}

/** Default picks. */
export const PREFER = { gpu: ["tiled"], cpu: ["lanes"] } as const;
