/** What the attention kernels for software adapters share: tokens in lanes, vectors in registers. */
import { element } from "./half.wgsl.ts";
import { unroll } from "./unroll.ts";
import { wgsl } from "./wgsl.ts";

/** Options of the attention kernels for software adapters. */
export interface AttentionLanesOptions {
  readonly headSize: number;
  /** The adapter's one subgroup size; a workgroup is one subgroup. */
  readonly subgroup: number;
  /** Tokens of one lane; their vectors stay in its registers. */
  readonly laneTokens: number;
  /** Weights are dropped: masks are drawn with random_key. */
  readonly dropout: boolean;
  /** qkv, y and g are stored as f16; everything else is f32. */
  readonly isHalf: boolean;
}

/** The row's element d, for all lanes. */
const shareElement = (d: number, subgroup: number): string =>
  `  let value${d} = subgroupBroadcast(row[${Math.floor(d / subgroup)}], ${d % subgroup}u);`;

/**
 * A lane owns LANE_TOKENS tokens; all other tokens pass by, one at a time, as a Row that is spread
 * over the lanes and read through shuffles. So no result ever crosses lanes.
 */
export const attentionLanes = ({
  headSize,
  subgroup,
  laneTokens,
  isHalf,
}: Omit<AttentionLanesOptions, "dropout">): string => wgsl`
${element(isHalf)}
const HEAD_SIZE: u32 = ${headSize}u;
const SUBGROUP: u32 = ${subgroup}u;
const LANE_TOKENS: u32 = ${laneTokens}u;
const TOKENS: u32 = LANE_TOKENS * SUBGROUP;
const ROW_LOADS: u32 = ${Math.ceil(headSize / subgroup)}u;

alias Row = array<f32, ROW_LOADS>; // lane l holds elements l, l + SUBGROUP, …
alias PerToken = array<f32, LANE_TOKENS>; // of this lane's tokens
alias Vectors = array<array<f32, HEAD_SIZE>, LANE_TOKENS>;

// The products of each of the lane's vectors with the row.
fn dots(vectors: ptr<function, Vectors>, row: ptr<function, Row>) -> PerToken {
${unroll(laneTokens, (t) => `  var sum${t} = 0.0;`)}
${unroll(headSize, (d) =>
  [
    shareElement(d, subgroup),
    unroll(laneTokens, (t) => `  sum${t} = fma(vectors[${t}][${d}], value${d}, sum${t});`),
  ].join("\n"),
)}
  var sums: PerToken;
${unroll(laneTokens, (t) => `  sums[${t}] = sum${t};`)}
  return sums;
}

// vectors[t] += weights[t] · row
fn add_rows(
  vectors: ptr<function, Vectors>,
  weights: ptr<function, PerToken>,
  row: ptr<function, Row>,
) {
${unroll(laneTokens, (t) => `  let weight${t} = weights[${t}];`)}
${unroll(headSize, (d) =>
  [
    shareElement(d, subgroup),
    unroll(
      laneTokens,
      (t) => `  vectors[${t}][${d}] = fma(weight${t}, value${d}, vectors[${t}][${d}]);`,
    ),
  ].join("\n"),
)}
}
`;
