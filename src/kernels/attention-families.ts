/** The three families of attention's kernels, which heads they take, and the ops' variants of them. */
import { attentionBackwardKeyLanes } from "../../shaders/attentionBackwardKeyLanes.wgsl.ts";
import { attentionBackwardKeyTiled } from "../../shaders/attentionBackwardKeyTiled.wgsl.ts";
import { attentionBackwardKeyWide } from "../../shaders/attentionBackwardKeyWide.wgsl.ts";
import { attentionBackwardQueryLanes } from "../../shaders/attentionBackwardQueryLanes.wgsl.ts";
import { attentionBackwardQueryTiled } from "../../shaders/attentionBackwardQueryTiled.wgsl.ts";
import { attentionBackwardQueryWide } from "../../shaders/attentionBackwardQueryWide.wgsl.ts";
import { attentionLanes } from "../../shaders/attentionLanes.wgsl.ts";
import { attentionTiled } from "../../shaders/attentionTiled.wgsl.ts";
import { attentionWide } from "../../shaders/attentionWide.wgsl.ts";
import type { AttentionLanesOptions } from "../../shaders/lib/attentionLanes.wgsl.ts";
import type { AttentionTiledOptions } from "../../shaders/lib/attentionTiles.wgsl.ts";
import { ceilDiv } from "../util/shape.ts";
import { sizesOf, unlessEmpty } from "./attention-layout.ts";
import type { AttentionAttrs, Sizes } from "./attention-layout.ts";
import { TILE_ARRAYS, tilingFor } from "./attention-tiling.ts";
import type { TileArrays } from "./attention-tiling.ts";
import { flatWidth } from "./layout.ts";
import { need } from "./op.ts";
import type { Caps, Plan, Variant } from "./op.ts";
import { fixedSubgroup } from "./pass.ts";

/** A kernel, and the rows of its workgroups. */
export interface HeadKernel {
  readonly code: string;
  readonly rows: number;
}

/** Which kernels a plan takes. */
export interface Kernels {
  readonly forward: HeadKernel;
  readonly query: HeadKernel;
  readonly key: HeadKernel;
}

/** Elements of a lane's own vectors, and tokens: more spill, and compile for seconds. */
const MAX_LANE_ELEMENTS = 256;
const MAX_LANE_TOKENS = 8;
/** Elements of a lane's own vectors up to which two tokens pass by at a time. */
const MAX_PAIRED_ELEMENTS = 128;

/** Tokens per lane: few blocks, but the last one as full as the others. */
function laneTokens(tokens: number, headSize: number, subgroup: number): number {
  const most = Math.min(MAX_LANE_TOKENS, Math.floor(MAX_LANE_ELEMENTS / headSize));
  const blocks = ceilDiv(tokens, most * subgroup);
  return Math.max(1, ceilDiv(tokens, Math.max(1, blocks) * subgroup));
}

/** A variant's kernels, and which heads they take. */
interface Family {
  readonly usable: (of: Sizes, caps: Caps) => boolean;
  readonly kernels: (of: Sizes, dropout: boolean, caps: Caps) => Kernels;
}

/** A lane's vectors, three or four of them, are as long as a head: longer ones spill badly. */
const MAX_LANE_HEAD = 128;

function lanesKernels(of: Sizes, dropout: boolean, caps: Caps): Kernels {
  const subgroup = fixedSubgroup(caps);
  const { headSize, isHalf } = of;
  const lanes = (tokens: number, code: (o: AttentionLanesOptions) => string): HeadKernel => {
    const own = laneTokens(tokens, headSize, subgroup);
    const rows = headSize * own <= MAX_PAIRED_ELEMENTS ? 2 : 1;
    const options = { headSize, dropout, isHalf, subgroup, laneTokens: own, rows } as const;
    return { rows: subgroup * own, code: code({ ...options, width: flatWidth(headSize) }) };
  };
  return {
    forward: lanes(of.queries, attentionLanes),
    query: lanes(of.queries, attentionBackwardQueryLanes),
    key: lanes(of.tokens, attentionBackwardKeyLanes),
  };
}

function tiledKernels(of: Sizes, dropout: boolean, caps: Caps): Kernels {
  const { headSize, isHalf } = of;
  const tiled = (arrays: TileArrays, code: (o: AttentionTiledOptions) => string): HeadKernel => {
    const tiling = tilingFor(of, arrays, caps);
    if (!tiling) throw new RangeError(`attention: no tiles of heads of ${headSize} fit`);
    return { rows: tiling.rows, code: code({ headSize, dropout, isHalf, ...tiling }) };
  };
  return {
    forward: tiled(TILE_ARRAYS.forward, attentionTiled),
    query: tiled(TILE_ARRAYS.query, attentionBackwardQueryTiled),
    key: tiled(TILE_ARRAYS.key, attentionBackwardKeyTiled),
  };
}

function wideKernels({ headSize, isHalf }: Sizes, dropout: boolean): Kernels {
  const options = { headSize, dropout, isHalf };
  return {
    forward: { rows: 1, code: attentionWide(options) },
    query: { rows: 1, code: attentionBackwardQueryWide(options) },
    key: { rows: 1, code: attentionBackwardKeyWide(options) },
  };
}

const hasSmallSubgroup = (caps: Caps): boolean =>
  fixedSubgroup(caps) === 4 || fixedSubgroup(caps) === 8;

const FAMILIES = {
  lanes: {
    usable: ({ headSize }, caps) => hasSmallSubgroup(caps) && headSize <= MAX_LANE_HEAD,
    kernels: lanesKernels,
  },
  tiled: {
    usable: (of, caps) => tilingFor(of, TILE_ARRAYS.key, caps) !== null,
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
    usable: (inputs, attrs, caps) => usable(sizesOf(need(inputs, qkvIndex), attrs), caps),
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
