/** What the attention kernels for software adapters share: tokens in lanes, vectors in registers. */
import { element, stored } from "./half.wgsl.ts";
import { pack } from "./pack.wgsl.ts";
import type { PackWidth } from "./pack.wgsl.ts";
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
  /** Floats of a load; it divides headSize. */
  readonly width: PackWidth;
  /**
   * Tokens that pass by in one turn of the loop. Its masks make lavapipe load, blend and store every
   * sum once a turn; but of long vectors the code for 2 no longer fits a CPU's instruction cache.
   */
  readonly rows: 1 | 2;
}

type RowsOptions = Pick<AttentionLanesOptions, "headSize" | "subgroup" | "width" | "rows">;

/** Element d of one of the rows that pass by, for all lanes. */
function shareElement(row: number, d: number, { headSize, subgroup, width }: RowsOptions): string {
  const pack = Math.floor((row * headSize + d) / width);
  const part = width === 1 ? "" : `.${"xyzw".charAt(d % width)}`;
  const value = `rows[${Math.floor(pack / subgroup)}]${part}`;
  return `  let value${d}_${row} = subgroupBroadcast(${value}, ${pack % subgroup}u);`;
}

const shareAll = (d: number, options: RowsOptions): string =>
  unroll(options.rows, (row) => shareElement(row, d, options));

/** `NAME_rows(start, step, lane)`: Rows of the array NAME that begin at start and at start + step. */
export const rowsOf = (name: string): string => wgsl`
fn ${name}_rows(start: u32, step: u32, lane: u32) -> Rows {
  var rows: Rows;
  for (var i = 0u; i < ROW_LOADS; i++) {
    let pack = min(i * SUBGROUP + lane, ROWS * ROW_PACKS - 1u);
    let at = start / PACK_WIDTH + select(pack, step / PACK_WIDTH + pack - ROW_PACKS, pack >= ROW_PACKS);
    rows[i] = Pack(${name}[at]);
  }
  return rows;
}`;

/**
 * A lane owns LANE_TOKENS tokens; all other tokens pass by, ROWS at a time, as Rows that are spread
 * over the lanes and read through shuffles. So no result ever crosses lanes.
 *
 * - `Rows`: one after the other in packs of PACK_WIDTH floats; lane l holds packs l, l + SUBGROUP, …
 * - `PerRow`: a number for each row and each of the lane's tokens.
 * - `dots(vectors, rows)`: the products of each of the lane's vectors with the rows.
 * - `add_rows(vectors, weights, rows)`: vectors[t] += Σ weights[row][t] · row.
 * - `set_pack(vectors, t, d, pack)`, `pack_of(vectors, t, d)`: elements d to d + PACK_WIDTH − 1 of vector t.
 */
export const attentionLanes = ({
  laneTokens,
  isHalf,
  ...options
}: Omit<AttentionLanesOptions, "dropout">): string => {
  const { headSize, subgroup, width, rows } = options;
  const every = (text: (t: number, row: number) => string): string =>
    unroll(laneTokens, (t) => unroll(rows, (row) => text(t, row)));
  return wgsl`
${element(isHalf)}
const HEAD_SIZE: u32 = ${headSize}u;
const SUBGROUP: u32 = ${subgroup}u;
const LANE_TOKENS: u32 = ${laneTokens}u;
const TOKENS: u32 = LANE_TOKENS * SUBGROUP;
const ROWS: u32 = ${rows}u;
const ROW_PACKS: u32 = HEAD_SIZE / PACK_WIDTH;
const ROW_LOADS: u32 = ${Math.ceil((rows * headSize) / width / subgroup)}u;

${pack(width)}
${stored(width)}
alias Rows = array<Pack, ROW_LOADS>;
alias PerToken = array<f32, LANE_TOKENS>;
alias PerRow = array<PerToken, ROWS>;
alias Vectors = array<array<f32, HEAD_SIZE>, LANE_TOKENS>;

fn dots(vectors: ptr<function, Vectors>, rows: ptr<function, Rows>) -> PerRow {
${every((t, row) => `  var sum${t}_${row} = 0.0;`)}
${unroll(headSize, (d) =>
  [
    shareAll(d, options),
    every(
      (t, row) => `  sum${t}_${row} = fma(vectors[${t}][${d}], value${d}_${row}, sum${t}_${row});`,
    ),
  ].join("\n"),
)}
  var sums: PerRow;
${every((t, row) => `  sums[${row}][${t}] = sum${t}_${row};`)}
  return sums;
}

fn add_rows(
  vectors: ptr<function, Vectors>,
  weights: ptr<function, PerRow>,
  rows: ptr<function, Rows>,
) {
${every((t, row) => `  let weight${t}_${row} = weights[${row}][${t}];`)}
${unroll(headSize, (d) =>
  [
    shareAll(d, options),
    unroll(laneTokens, (t) => `  var sum${d}_${t} = vectors[${t}][${d}];`),
    every((t, row) => `  sum${d}_${t} = fma(weight${t}_${row}, value${d}_${row}, sum${d}_${t});`),
    unroll(laneTokens, (t) => `  vectors[${t}][${d}] = sum${d}_${t};`),
  ].join("\n"),
)}
}

fn set_pack(vectors: ptr<function, Vectors>, t: u32, d: u32, pack: Pack) {
#if ${width === 4}
  vectors[t][d] = pack.x;
  vectors[t][d + 1u] = pack.y;
  vectors[t][d + 2u] = pack.z;
  vectors[t][d + 3u] = pack.w;
#else
  vectors[t][d] = pack;
#endif
}

fn pack_of(vectors: ptr<function, Vectors>, t: u32, d: u32) -> Pack {
#if ${width === 4}
  return vec4f(vectors[t][d], vectors[t][d + 1u], vectors[t][d + 2u], vectors[t][d + 3u]);
#else
  return vectors[t][d];
#endif
}
`;
};
