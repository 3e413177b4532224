/** How matmul kernels with tiles in workgroup memory read a and b. Needs matmulInterface. */
import type { MatmulInterface } from "./matmul.wgsl.ts";
import { wgsl } from "./wgsl.ts";

/** `load_a`: 4 rows of one term; `load_b`: 4 columns of one. */
export const matmulLoads = ({ vector }: Pick<MatmulInterface, "vector">): string => wgsl`
// Terms past the end count as 0; rows and columns past the edge repeat the last one.
fn load_a(tile: Place, row: u32, k: u32) -> vec4f {
  let rows = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(params.m - 1u));
  let at = tile.a_base + rows * params.a_row + min(k, params.k - 1u) * params.a_step;
  let value = vec4f(Quad(a[at.x], a[at.y], a[at.z], a[at.w]));
  return select(vec4f(), value, k < tile.k_end);
}

fn load_b(tile: Place, col: u32, k: u32) -> vec4f {
  let k_base = tile.b_base + min(k, params.k - 1u) * params.b_step;
#if ${vector}
  let value = vec4f(b[(k_base + min(col, params.n - 4u)) / 4u]);
#else
  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  let at = k_base + cols * params.b_col;
  let value = vec4f(Quad(b[at.x], b[at.y], b[at.z], b[at.w]));
#endif
  return select(vec4f(), value, k < tile.k_end);
}
`;
