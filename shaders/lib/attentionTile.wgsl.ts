/** What the attention kernels for large heads share: tiles of scores, rows spread by shuffles. */
import { unroll } from "./unroll.ts";
import { wgsl } from "./wgsl.ts";

/** Options of the attention kernels for software adapters and large heads. */
export interface AttentionTileOptions {
  readonly headSize: number;
  /** The adapter's one subgroup size; a workgroup is one subgroup. */
  readonly subgroup: number;
  /** Tokens along the rows of a tile, per lane. */
  readonly rowGroups: number;
}

const LANE_COLS = 8;

/** For each row of the tile: a value that all lanes get, times each of the lane's own numbers. */
const rowTimes = (
  rows: number,
  count: number,
  [sums, own]: readonly [string, string],
  share: (row: number) => string,
): string =>
  unroll(rows, (row) =>
    [
      `  let value${row} = ${share(row)};`,
      unroll(
        count,
        (i) => `  ${sums}[${row}][${i}] = fma(value${row}, ${own}${i}, ${sums}[${row}][${i}]);`,
      ),
    ].join("\n"),
  );

/**
 * A tile is ROWS tokens by COLS tokens; a lane holds LANE_COLS columns for all rows. A result is
 * ROWS tokens by HEAD_SIZE elements; a lane holds LANE_DIMS elements for all rows.
 */
export function attentionTile({ headSize, subgroup, rowGroups }: AttentionTileOptions): string {
  const rows = subgroup * rowGroups;
  const laneDims = Math.ceil(headSize / subgroup);
  return wgsl`
const HEAD_SIZE: u32 = ${headSize}u;
const SUBGROUP: u32 = ${subgroup}u;
const ROW_GROUPS: u32 = ${rowGroups}u;
const ROWS: u32 = SUBGROUP * ROW_GROUPS;
const LANE_COLS: u32 = ${LANE_COLS}u;
const COLS: u32 = SUBGROUP * LANE_COLS;
const LANE_DIMS: u32 = ${laneDims}u;

alias PerGroup = array<f32, ROW_GROUPS>; // of the rows that this lane loads
alias PerRow = array<f32, ROWS>;
alias PerCol = array<f32, LANE_COLS>;
alias PerDim = array<f32, LANE_DIMS>;
alias Tile = array<PerCol, ROWS>;
alias Result = array<PerDim, ROWS>;

// tile[row][col] += the row's element · the column's element
fn add_products(
  tile: ptr<function, Tile>,
  row_elements: ptr<function, PerGroup>,
  col_elements: ptr<function, PerCol>,
) {
${unroll(LANE_COLS, (j) => `  let col${j} = col_elements[${j}];`)}
${rowTimes(rows, LANE_COLS, ["tile", "col"], (row) => `subgroupBroadcast(row_elements[${Math.floor(row / subgroup)}], ${row % subgroup}u)`)}
}

// result[row] += the row's weight, as lane holder has it, · this lane's elements of the vector
fn add_weighted(
  result: ptr<function, Result>,
  weights: ptr<function, PerRow>,
  holder: u32,
  vector: ptr<function, PerDim>,
) {
${unroll(laneDims, (d) => `  let element${d} = vector[${d}];`)}
${rowTimes(rows, laneDims, ["result", "element"], (row) => `subgroupShuffle(weights[${row}], holder)`)}
}
`;
}
