/** Matrix product for GPUs: tiles of a and b in workgroup memory, 4 × 4 elements a lane. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { matmulLoads } from "./lib/matmulLoads.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link matmulWorkgroup}. */
export interface MatmulWorkgroupOptions extends MatmulInterface {
  /** Neighbouring lanes read along k where that is the contiguous axis. */
  readonly aAlongK: boolean;
  readonly bAlongK: boolean;
}

/**
 * One workgroup computes 64 × 64 elements of y, 16 terms of k at a time. A lane copies 4 rows of
 * one column of a, and 4 columns of one row of b, so that both tiles hold vec4f; a row of a tile
 * is 17 long, so that lanes that write along k meet different banks.
 */
export const matmulWorkgroup = ({
  aAlongK,
  bAlongK,
  ...shared
}: MatmulWorkgroupOptions): string => wgsl`
${enableHalf(namesHalf(shared))}
const TILE_ROWS: u32 = 64u;
const TILE_COLS: u32 = 64u;
const TILE_K: u32 = 16u;
const LANES: u32 = 16u; // along rows and along columns
const PITCH: u32 = 17u;
${matmulInterface(shared)}
var<workgroup> a_tile: array<vec4f, 272>; // [TILE_K, PITCH], a vec4f is 4 rows
var<workgroup> b_tile: array<vec4f, 272>; // [TILE_K, PITCH], a vec4f is 4 columns

${matmulLoads(shared)}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let fast = lid.x % LANES;
  let slow = lid.x / LANES;
#if ${aAlongK}
  let a_k = fast;
  let a_group = slow;
#else
  let a_k = slow;
  let a_group = fast;
#endif
#if ${bAlongK}
  let b_k = fast;
  let b_group = slow;
#else
  let b_k = slow;
  let b_group = fast;
#endif
  var sum: array<vec4f, 4>;
  for (var k = tile.k_start; k < tile.k_end; k += TILE_K) {
    a_tile[a_k * PITCH + a_group] = load_a(tile, tile.row + a_group * 4u, k + a_k);
    b_tile[b_k * PITCH + b_group] = load_b(tile, tile.col + b_group * 4u, k + b_k);
    workgroupBarrier();
    for (var term = 0u; term < TILE_K; term++) {
      let left = a_tile[term * PITCH + slow];
      let right = b_tile[term * PITCH + fast];
      sum[0] = fma(left.xxxx, right, sum[0]);
      sum[1] = fma(left.yyyy, right, sum[1]);
      sum[2] = fma(left.zzzz, right, sum[2]);
      sum[3] = fma(left.wwww, right, sum[3]);
    }
    workgroupBarrier();
  }
  let row = tile.row + slow * 4u;
  let col = tile.col + fast * 4u;
  for (var r = 0u; r < 4u; r++) {
#if ${shared.vector}
    store(tile.y_base, row + r, col, sum[r]);
#else
    store(tile.y_base, row + r, col, sum[r].x);
    store(tile.y_base, row + r, col + 1u, sum[r].y);
    store(tile.y_base, row + r, col + 2u, sum[r].z);
    store(tile.y_base, row + r, col + 3u, sum[r].w);
#endif
  }
}
`;
