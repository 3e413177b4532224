/** Matrix product, the plain way. y[m, n] = Σ_k a[m, k] · b[k, n] (+ bias[n]). */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmul}. */
export type MatmulOptions = Omit<MatmulInterface, "vector">;

/** One invocation computes one element of y; a workgroup an 8 × 8 block. */
export const matmul = (options: MatmulOptions): string => wgsl`
${enableHalf(namesHalf(options))}
const TILE_ROWS: u32 = 8u;
const TILE_COLS: u32 = 8u;
${matmulInterface({ ...options, vector: false })}
@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let tile = place(flat_workgroup(wid, groups));
  let row = tile.row + lid.y;
  let col = tile.col + lid.x;
  if (!tile.exists || row >= params.m || col >= params.n) {
    return;
  }
  let a_base = tile.a_base + row * params.a_row;
  let b_base = tile.b_base + col * params.b_col;
  var sum = 0.0;
  for (var k = tile.k_start; k < tile.k_end; k++) {
    let left = f32(a[a_base + k * params.a_step]);
    sum = fma(left, f32(b[b_base + k * params.b_step]), sum);
  }
  store(tile.y_base, row, col, sum);
}
`;
