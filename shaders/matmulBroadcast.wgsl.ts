/** Matrix product for software adapters: loads are dear there, so lanes pass rows of a around. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmulBroadcast}. */
export interface MatmulBroadcastOptions extends Omit<MatmulInterface, "hasBias" | "startsAtBias"> {
  /** The adapter's one subgroup size; a workgroup is one subgroup. */
  readonly subgroup: number;
  /** Rows of a that one lane loads per term; a tile has subgroup times as many rows. */
  readonly rowGroups: number;
  /** Groups of 4 columns of one lane. */
  readonly colGroups: number;
  /**
   * Terms of one turn of the loop; they divide every part's. With 2, a row's sums stay in registers
   * over two terms: 1.1 to 1.3 times faster on lavapipe. With 4, the loaded operands spill.
   */
  readonly depth: number;
  /**
   * Neighbouring terms of a are neighbours in memory, and depth is 2: one load takes both. On lavapipe
   * a load costs each lane 7 instructions of its own and 5 for every number, and loads are most of the
   * kernel: 1.04 to 1.09 times as fast.
   */
  readonly pairs: boolean;
  /**
   * b is f16 and n a multiple of 8: a lane's columns lie side by side, and one load of four words takes
   * all 8 of them. Lavapipe loads a word in the time of a half float.
   */
  readonly octets: boolean;
}

/** Term t, one row of the tile: each lane's columns take the row's element of a times theirs of b. */
const multiplyRow = (row: number, t: number, options: MatmulBroadcastOptions): string =>
  [
    `    let value${row}_${t} = vec4f(subgroupBroadcast(left${t}_${Math.floor(row / options.subgroup)}, ${row % options.subgroup}u));`,
    unroll(
      options.colGroups,
      (c) => `    sum${row}_${c} = fma(value${row}_${t}, right${t}_${c}, sum${row}_${c});`,
    ),
  ].join("\n");

/** What a lane reads of a for group r of its rows. */
const loadLeft = (r: number, { pairs, depth, isHalf }: MatmulBroadcastOptions): string =>
  pairs
    ? `    let pair${r} = ${isHalf ? "unpack2x16float" : "vec2f"}(a[(a_at${r} + k) / 2u]);
    let left0_${r} = pair${r}.x;
    let left1_${r} = pair${r}.y;`
    : unroll(depth, (t) => `    let left${t}_${r} = f32(a[a_at${r} + k${t} * params.a_step]);`);

/** What a lane reads of b for term t: its own columns. */
const loadRight = (t: number, { octets, colGroups }: MatmulBroadcastOptions): string =>
  octets
    ? `    let octet${t} = b[(b_at0 + k${t} * params.b_step) / 8u];
    let right${t}_0 = vec4f(unpack2x16float(octet${t}.x), unpack2x16float(octet${t}.y));
    let right${t}_1 = vec4f(unpack2x16float(octet${t}.z), unpack2x16float(octet${t}.w));`
    : unroll(
        colGroups,
        (c) => `    let right${t}_${c} = load_b(b_at${c} + k${t} * params.b_step);`,
      );

/** The loop's body: all of a turn's loads, then row by row the products of its terms. */
const turn = (options: MatmulBroadcastOptions): string => {
  const { subgroup, rowGroups, depth } = options;
  return [
    unroll(depth, (t) => `    let k${t} = k + ${t}u;`),
    unroll(depth, (t) => loadRight(t, options)),
    unroll(rowGroups, (r) => loadLeft(r, options)),
    unroll(rowGroups * subgroup, (row) => unroll(depth, (t) => multiplyRow(row, t, options))),
  ].join("\n");
};

/** Rows that one turn of the last loop stores; 4 take compilers longer and save no more. */
const rowsPerTurn = ({ vector }: MatmulBroadcastOptions): number => (vector ? 2 : 1);

/** Terms whose columns of a tile, 512 KiB, fill half of a CPU's own cache. */
const DOWN_TERMS = 2048;

/** One of the values, by the bits of `turn` from `bit` on: registers have no index. */
function chosen(values: readonly string[], bit = 0): string {
  const [only = ""] = values;
  if (values.length === 1) return only;
  const half = (rest: 0 | 1): string =>
    chosen(
      values.filter((_, index) => index % 2 === rest),
      bit + 1,
    );
  return `select(${half(0)}, ${half(1)}, bit${bit})`;
}

/** The last loop's body: the next rows of the tile go to memory. */
const storeTurn = (options: MatmulBroadcastOptions): string => {
  const { subgroup, rowGroups, colGroups } = options;
  const each = rowsPerTurn(options);
  const turns = (rowGroups * subgroup) / each;
  const store = (row: number, c: number): string => {
    const sums = Array.from({ length: turns }, (_, index) => `sum${index * each + row}_${c}`);
    return `    store4(tile, row + ${row}u, col + ${c}u * GROUP_STEP, ${chosen(sums)});`;
  };
  return [
    unroll(
      Math.ceil(Math.log2(turns)),
      (bit) => `    let bit${bit} = (turn & ${1 << bit}u) != 0u;`,
    ),
    unroll(each, (row) => unroll(colGroups, (c) => store(row, c))),
  ].join("\n");
};

/**
 * One workgroup is one subgroup and computes TILE_ROWS × TILE_COLS elements of y. Per term a lane
 * loads one element of a per group of rows (or two terms' at once), which all lanes get by broadcasts, and its own 4
 * columns of b per group of columns. sumR_C: row R of the tile, the lane's 4 columns of group C; it
 * starts at the bias, so that products with and without one are the same pipeline.
 */
export function matmulBroadcast(options: MatmulBroadcastOptions): string {
  const { subgroup, rowGroups, colGroups: cols } = options;
  const rows = rowGroups * subgroup;
  const packs = { a: options.pairs ? "Pair" : "Element", b: options.octets ? "vec4u" : "Columns" };
  return wgsl`
${enableHalf(namesHalf(options))}
enable subgroups;
const SUBGROUP: u32 = ${subgroup}u;
const ROW_GROUPS: u32 = ${rowGroups}u;
const COL_GROUPS: u32 = ${cols}u;
const DEPTH: u32 = ${options.depth}u;
const GROUP_COLS: u32 = 4u * SUBGROUP;
const TILE_ROWS: u32 = SUBGROUP * ROW_GROUPS;
const TILE_COLS: u32 = GROUP_COLS * COL_GROUPS;
const ROWS_PER_TURN: u32 = ${rowsPerTurn(options)}u;
const LANE_COLS: u32 = ${options.octets ? 8 : 4}u;
const GROUP_STEP: u32 = ${options.octets ? "4u" : "GROUP_COLS"}; // between a lane's groups
alias Pair = ${options.isHalf ? "u32" : "vec2f"};
${matmulInterface({ ...options, packs, hasBias: true, startsAtBias: true, downTerms: DOWN_TERMS })}
// Rows and columns past the edge are read from the last one, and not stored.
fn row_start(tile: Place, row: u32) -> u32 {
  return tile.a_base + min(tile.row + row, params.m - 1u) * params.a_row;
}
#if ${options.vector}
fn cols_start(tile: Place, col: u32) -> u32 {
  return tile.b_base + min(col, params.n - LANE_COLS);
}
#if ${!options.octets}

fn load_b(at: u32) -> vec4f {
  return vec4f(b[at / 4u]);
}
#endif

fn start(col: u32) -> vec4f {
  return select(vec4f(), bias[min(col, params.n - 4u) / 4u], params.has_bias != 0u);
}

fn store4(tile: Place, row: u32, col: u32, sum: vec4f) {
  store(tile.y_base, row, col, sum);
}
#else
fn cols_start(tile: Place, col: u32) -> vec4u {
  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  return tile.b_base + cols * params.b_col;
}

fn load_b(at: vec4u) -> vec4f {
  return vec4f(Quad(b[at.x], b[at.y], b[at.z], b[at.w]));
}

fn start(col: u32) -> vec4f {
  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  let first = vec4f(bias[cols.x], bias[cols.y], bias[cols.z], bias[cols.w]);
  return select(vec4f(), first, params.has_bias != 0u);
}

fn store4(tile: Place, row: u32, col: u32, sum: vec4f) {
  var rest = sum;
  for (var c = col; c < min(col + 4u, params.n); c++) {
    store(tile.y_base, row, c, rest.x);
    rest = rest.yzww;
  }
}
#endif

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let col = tile.col + lane * LANE_COLS;
${unroll(rowGroups, (r) => `  let a_at${r} = row_start(tile, ${r}u * SUBGROUP + lane);`)}
${unroll(options.octets ? 1 : cols, (c) => `  let b_at${c} = cols_start(tile, col + ${c}u * GROUP_STEP);`)}
${unroll(cols, (c) => `  let start${c} = start(col + ${c}u * GROUP_STEP);`)}
${unroll(rows, (row) => unroll(cols, (c) => `  var sum${row}_${c} = start${c};`))}
  for (var k = tile.k_start; k < tile.k_end; k += DEPTH) {
${turn(options)}
  }
  // Bounds are no constants: compilers would write all turns out, and take seconds for the stores.
  let row_end = min(tile.row + TILE_ROWS, params.m);
  for (var row = tile.row; row < row_end; row += ROWS_PER_TURN) {
    let turn = (row - tile.row) / ROWS_PER_TURN;
${storeTurn(options)}
  }
}
`;
}
