/** Matrix product for GPUs: the next tiles are loaded while lanes multiply 8 rows of these. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import type { MatmulReading } from "./matmulWorkgroup.wgsl.ts";
import { matmulLoads } from "./lib/matmulLoads.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** A lane's 8 rows of one term times its columns. */
const multiplyRows = unroll(8, (row) => {
  const left = `${row < 4 ? "upper" : "lower"}.${("xyzw"[row % 4] ?? "").repeat(4)}`;
  return `      sum[${row}] = fma(${left}, right, sum[${row}]);`;
});

/**
 * One workgroup computes 128 rows and 64 columns of y, 8 terms of k a turn. Both tiles are
 * there twice: a turn reads one pair and fills the other, so that one barrier is enough. A lane
 * copies 4 rows of one column of a; half of them copy 4 columns of one row of b. Rows of
 * the tiles are one vec4f longer than needed, so that lanes that write along k meet different banks.
 */
export const matmulDoubleBuffered = ({
  aAlongK,
  bAlongK,
  ...shared
}: MatmulReading): string => wgsl`
${enableHalf(namesHalf(shared))}
const TILE_ROWS: u32 = 128u;
const TILE_COLS: u32 = 64u;
const TILE_K: u32 = 8u;
const ACROSS: u32 = 16u; // lanes along columns; as many stand along rows
const A_GROUPS: u32 = 32u; // of 4 rows
const B_GROUPS: u32 = 16u; // of 4 columns
const A_PITCH: u32 = 33u;
const B_PITCH: u32 = 17u;
const A_SIZE: u32 = TILE_K * A_PITCH;
const B_SIZE: u32 = TILE_K * B_PITCH;
const B_LANES: u32 = TILE_K * B_GROUPS;
${matmulInterface(shared)}
var<workgroup> a_tiles: array<vec4f, 528>; // [2, TILE_K, A_PITCH], a vec4f is 4 rows
var<workgroup> b_tiles: array<vec4f, 272>; // [2, TILE_K, B_PITCH], a vec4f is 4 columns

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
#if ${aAlongK}
  let a_k = lid.x % TILE_K;
  let a_group = lid.x / TILE_K;
#else
  let a_k = lid.x / A_GROUPS;
  let a_group = lid.x % A_GROUPS;
#endif
#if ${bAlongK}
  let b_k = lid.x % TILE_K;
  let b_group = lid.x / TILE_K;
#else
  let b_k = lid.x / B_GROUPS;
  let b_group = lid.x % B_GROUPS;
#endif
  let copies_b = lid.x < B_LANES;
  let a_row = tile.row + a_group * 4u;
  let b_col = tile.col + b_group * 4u;
  let a_slot = a_k * A_PITCH + a_group;
  let b_slot = b_k * B_PITCH + b_group;
  let fast = lid.x % ACROSS;
  let slow = lid.x / ACROSS;
  var next_a = load_a(tile, a_row, tile.k_start + a_k);
  var next_b: vec4f;
  if (copies_b) {
    next_b = load_b(tile, b_col, tile.k_start + b_k);
  }
  var sum: array<vec4f, 8>; // a row each
  var half = 0u; // the pair of tiles of this turn
  for (var k = tile.k_start; k < tile.k_end; k += TILE_K) {
    a_tiles[half * A_SIZE + a_slot] = next_a;
    if (copies_b) {
      b_tiles[half * B_SIZE + b_slot] = next_b;
    }
    workgroupBarrier(); // one is enough: all lanes left this pair before the last turn's
    next_a = load_a(tile, a_row, k + TILE_K + a_k);
    if (copies_b) {
      next_b = load_b(tile, b_col, k + TILE_K + b_k);
    }
    for (var term = 0u; term < TILE_K; term++) {
      let a_at = half * A_SIZE + term * A_PITCH + slow * 2u;
      let upper = a_tiles[a_at];
      let lower = a_tiles[a_at + 1u];
      let right = b_tiles[half * B_SIZE + term * B_PITCH + fast];
${multiplyRows}
    }
    half = 1u - half;
  }
  let row = tile.row + slow * 8u;
  let col = tile.col + fast * 4u;
  // Bounds that are not constant keep this a loop: 32 stores written out take compilers seconds.
  var sums = sum; // so that the loop's indices do not keep the accumulators out of registers
  for (var r = 0u; r < min(8u, params.m - min(row, params.m)); r++) {
#if ${shared.vector}
    store(tile.y_base, row + r, col, sums[r]);
#else
    for (var i = 0u; i < 4u; i++) {
      store(tile.y_base, row + r, col + i, sums[r][i]);
    }
#endif
  }
}
`;
