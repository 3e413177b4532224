/** Matrix product from register tiles alone: no subgroups, no workgroup memory, no barriers. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmulRegister}. */
export interface MatmulRegisterOptions extends MatmulInterface {
  /** Rows of one invocation. */
  readonly rows: number;
}

/**
 * One invocation computes LANE_ROWS × 4 elements of y, as outer products of a column of a and a
 * row of b; 16 invocations stand side by side, 2 below each other. sumR: row R of its tile.
 */
export const matmulRegister = ({ rows, ...shared }: MatmulRegisterOptions): string => wgsl`
${enableHalf(namesHalf(shared))}
const LANE_ROWS: u32 = ${rows}u;
const ACROSS: u32 = 16u;
const DOWN: u32 = 2u;
const TILE_ROWS: u32 = LANE_ROWS * DOWN;
const TILE_COLS: u32 = 4u * ACROSS;
${matmulInterface(shared)}
@compute @workgroup_size(ACROSS, DOWN)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let row = tile.row + lid.y * LANE_ROWS;
  let col = tile.col + lid.x * 4u;
  // Rows and columns past the edge are read from the last one, and not stored.
${unroll(rows, (r) => `  let a_at${r} = tile.a_base + min(row + ${r}u, params.m - 1u) * params.a_row;`)}
  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  let b_at = tile.b_base + cols * params.b_col;
${unroll(rows, (r) => `  var sum${r} = vec4f();`)}
  for (var k = tile.k_start; k < tile.k_end; k++) {
    let a_step = k * params.a_step;
    let at = b_at + k * params.b_step;
#if ${shared.vector}
    let right = vec4f(b[at.x / 4u]);
#else
    let right = vec4f(Quad(b[at.x], b[at.y], b[at.z], b[at.w]));
#endif
${unroll(rows, (r) => `    sum${r} = fma(vec4f(f32(a[a_at${r} + a_step])), right, sum${r});`)}
  }
#if ${shared.vector}
${unroll(rows, (r) => `  store(tile.y_base, row + ${r}u, col, sum${r});`)}
#else
  var sums: array<vec4f, LANE_ROWS>;
${unroll(rows, (r) => `  sums[${r}] = sum${r};`)}
  for (var r = 0u; r < min(LANE_ROWS, params.m - min(row, params.m)); r++) {
    for (var i = 0u; i < 4u; i++) {
      store(tile.y_base, row + r, col + i, sums[r][i]);
    }
  }
#endif
}
`;
