/** Matrix product for GPUs without workgroup memory: subgroups of any size pass rows of a around. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmulSubgroupRows}. */
export interface MatmulSubgroupRowsOptions extends MatmulInterface {
  /** Lanes of a workgroup; the hardware cuts them into subgroups as it likes. */
  readonly lanes: number;
  /** Terms that a subgroup's lanes load at once: at most the smallest subgroup size. */
  readonly depth: number;
  /** Rows of a tile, all of which every lane computes. */
  readonly rows: number;
  /** Groups of 4 columns of one lane. */
  readonly colGroups: number;
}

/** Term t of a turn: the lane's columns of b, then each row's element of a, from lane t, times them. */
const multiplyTerm = (t: number, { rows, colGroups }: MatmulSubgroupRowsOptions): string =>
  [
    `    let k${t} = min(k + ${t}u, params.k - 1u) * params.b_step;`,
    unroll(colGroups, (c) => `    let right${t}_${c} = load_b(b_at${c} + k${t});`),
    unroll(rows, (r) =>
      [
        `    let value${t}_${r} = vec4f(subgroupBroadcast(left${r}, ${t}u));`,
        unroll(
          colGroups,
          (c) => `    sum${r}_${c} = fma(value${t}_${r}, right${t}_${c}, sum${r}_${c});`,
        ),
      ].join("\n"),
    ),
  ].join("\n");

/**
 * One workgroup computes TILE_ROWS × TILE_COLS elements of y, each lane all rows of its own
 * columns. So every subgroup needs the same elements of a: its lanes load DEPTH terms of each row,
 * lane l term l % DEPTH, and broadcast them one by one. sumR_C: row R, the lane's group C.
 */
export function matmulSubgroupRows(options: MatmulSubgroupRowsOptions): string {
  const { lanes, depth, rows, colGroups: cols } = options;
  return wgsl`
${enableHalf(namesHalf(options))}
enable subgroups;
const LANES: u32 = ${lanes}u;
const DEPTH: u32 = ${depth}u;
const COL_GROUPS: u32 = ${cols}u;
const GROUP_COLS: u32 = 4u * LANES;
const TILE_ROWS: u32 = ${rows}u;
const TILE_COLS: u32 = GROUP_COLS * COL_GROUPS;
${matmulInterface(options)}
// Rows and columns past the edge are read from the last one, and not stored; terms count as 0.
fn load_a(tile: Place, row: u32, k: u32) -> f32 {
  let row_at = tile.a_base + min(tile.row + row, params.m - 1u) * params.a_row;
  let value = f32(a[row_at + min(k, params.k - 1u) * params.a_step]);
  return select(0.0, value, k < tile.k_end);
}
#if ${options.vector}
fn cols_start(tile: Place, col: u32) -> u32 {
  return tile.b_base + min(col, params.n - 4u);
}

fn load_b(at: u32) -> vec4f {
  return vec4f(b[at / 4u]);
}
#else
fn cols_start(tile: Place, col: u32) -> vec4u {
  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  return tile.b_base + cols * params.b_col;
}

fn load_b(at: vec4u) -> vec4f {
  return vec4f(Quad(b[at.x], b[at.y], b[at.z], b[at.w]));
}
#endif

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let col = tile.col + lid.x * 4u;
${unroll(cols, (c) => `  let b_at${c} = cols_start(tile, col + ${c}u * GROUP_COLS);`)}
${unroll(rows, (r) => unroll(cols, (c) => `  var sum${r}_${c} = vec4f();`))}
  for (var k = tile.k_start; k < tile.k_end; k += DEPTH) {
${unroll(rows, (r) => `    let left${r} = load_a(tile, ${r}u, k + lane % DEPTH);`)}
${unroll(depth, (t) => multiplyTerm(t, options))}
  }
  // Bounds that are not constant keep this a loop: written out, stores take compilers seconds.
  var sums: array<array<vec4f, COL_GROUPS>, TILE_ROWS>;
${unroll(rows, (r) => unroll(cols, (c) => `  sums[${r}][${c}] = sum${r}_${c};`))}
  for (var row = 0u; row < min(TILE_ROWS, params.m - tile.row); row++) {
    for (var c = 0u; c < COL_GROUPS; c++) {
#if ${options.vector}
      store(tile.y_base, tile.row + row, col + c * GROUP_COLS, sums[row][c]);
#else
      for (var i = 0u; i < 4u; i++) {
        store(tile.y_base, tile.row + row, col + c * GROUP_COLS + i, sums[row][c][i]);
      }
#endif
    }
  }
}
`;
}
