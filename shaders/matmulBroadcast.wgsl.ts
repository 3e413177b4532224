/** Matrix product for software adapters: loads are dear there, so lanes pass rows of a around. */
import { matmulInterface } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmulBroadcast}. */
export interface MatmulBroadcastOptions extends MatmulInterface {
  /** The adapter's one subgroup size; a workgroup is one subgroup. */
  readonly subgroup: number;
  /** Rows of a that one lane loads per term; a tile has subgroup times as many rows. */
  readonly rowGroups: number;
  /** Groups of 4 columns of one lane. */
  readonly colGroups: number;
}

/**
 * One workgroup is one subgroup and computes TILE_ROWS × TILE_COLS elements of y. Per term k a lane
 * loads ROW_GROUPS elements of a, which all lanes get by shuffles, and its own 4 · COL_GROUPS
 * columns of b. The loops over tile sizes unroll, so that sum stays in registers.
 */
export const matmulBroadcast = ({
  vector,
  hasBias,
  subgroup,
  rowGroups,
  colGroups,
}: MatmulBroadcastOptions): string => wgsl`
enable subgroups;
const SUBGROUP: u32 = ${subgroup}u;
const ROW_GROUPS: u32 = ${rowGroups}u;
const COL_GROUPS: u32 = ${colGroups}u;
const GROUP_COLS: u32 = 4u * SUBGROUP;
const TILE_ROWS: u32 = SUBGROUP * ROW_GROUPS;
const TILE_COLS: u32 = GROUP_COLS * COL_GROUPS;
${matmulInterface({ vector, hasBias })}
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
  let first_col = tile.col + lane * 4u;
  // Rows and columns past the edge are read from the last one, and not stored.
  var a_at: array<u32, ROW_GROUPS>;
  for (var r = 0u; r < ROW_GROUPS; r++) {
    let row = min(tile.row + r * SUBGROUP + lane, params.m - 1u);
    a_at[r] = tile.a_base + row * params.a_row;
  }
  var b_at: array<vec4u, COL_GROUPS>;
  for (var c = 0u; c < COL_GROUPS; c++) {
    let col = first_col + c * GROUP_COLS;
#if ${vector}
    b_at[c] = vec4u(tile.b_base + min(col, params.n - 4u));
#else
    let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
    b_at[c] = tile.b_base + cols * params.b_col;
#endif
  }
  var right: array<vec4f, COL_GROUPS>;
  var sum: array<array<vec4f, COL_GROUPS>, TILE_ROWS>;
  for (var k = tile.k_start; k < tile.k_end; k++) {
    for (var c = 0u; c < COL_GROUPS; c++) {
      let at = b_at[c] + k * params.b_step;
#if ${vector}
      right[c] = b[at.x / 4u];
#else
      right[c] = vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);
#endif
    }
    for (var r = 0u; r < ROW_GROUPS; r++) {
      let left = a[a_at[r] + k * params.a_step];
      for (var i = 0u; i < SUBGROUP; i++) {
        let row = r * SUBGROUP + i;
        let value = vec4f(subgroupShuffle(left, i));
        for (var c = 0u; c < COL_GROUPS; c++) {
          sum[row][c] = fma(value, right[c], sum[row][c]);
        }
      }
    }
  }
  for (var r = 0u; r < TILE_ROWS; r++) {
    for (var c = 0u; c < COL_GROUPS; c++) {
      let col = first_col + c * GROUP_COLS;
#if ${vector}
      store(tile.y_base, tile.row + r, col, sum[r][c]);
#else
      store(tile.y_base, tile.row + r, col, sum[r][c].x);
      store(tile.y_base, tile.row + r, col + 1u, sum[r][c].y);
      store(tile.y_base, tile.row + r, col + 2u, sum[r][c].z);
      store(tile.y_base, tile.row + r, col + 3u, sum[r][c].w);
#endif
    }
  }
}
`;
