/** Matrix product for GPUs: square tiles of a and b in workgroup memory, 4 × 4 elements a lane. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { matmulLoads } from "./lib/matmulLoads.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** How kernels with tiles in workgroup memory read a and b. */
export interface MatmulReading extends MatmulInterface {
  /** Neighbouring lanes read along k where that is the contiguous axis. */
  readonly aAlongK: boolean;
  readonly bAlongK: boolean;
}

/** Options of {@link matmulWorkgroup}. */
export interface MatmulWorkgroupOptions extends MatmulReading {
  /** Rows and columns of a tile: 4 for each lane along an axis. */
  readonly side: number;
  /** Copies that a lane makes of either operand in a turn, of as many terms as lanes stand along an axis. */
  readonly copies: number;
  /** The next turn's loads are under way while a turn multiplies: for workgroups with few neighbours. */
  readonly loadsAhead: boolean;
}

/** A copy of a lane: where it lies in the tiles, and its loads from term `k` on. */
interface Copy {
  readonly index: number;
  readonly aSlot: string;
  readonly bSlot: string;
  readonly load: (operand: "a" | "b", k: string) => string;
}

/** The first terms of a turn come from the first copies of all lanes. */
function copyOf(index: number, lanes: number): Copy {
  const later = (step: number): string => (index === 0 ? "" : ` + ${index * step}u`);
  const slot = later(lanes * (lanes + 1)); // so many terms further down the tile
  const side = { a: "row", b: "col" };
  return {
    index,
    aSlot: `a_tile[a_k * PITCH + a_group${slot}]`,
    bSlot: `b_tile[b_k * PITCH + b_group${slot}]`,
    load: (operand, k) =>
      `load_${operand}(tile, tile.${side[operand]} + ${operand}_group * 4u, ${k} + ${operand}_k${later(lanes)})`,
  };
}

/** The lines that copy what this turn multiplies. */
const copyNow = ({ aSlot, bSlot, load }: Copy): string =>
  `    ${aSlot} = ${load("a", "k")};
    ${bSlot} = ${load("b", "k")};`;

const startAhead = ({ index, load }: Copy): string =>
  `  var next_a${index} = ${load("a", "tile.k_start")};
  var next_b${index} = ${load("b", "tile.k_start")};`;

const copyLoaded = ({ index, aSlot, bSlot }: Copy): string =>
  `    ${aSlot} = next_a${index};
    ${bSlot} = next_b${index};`;

const loadAhead = ({ index, load }: Copy): string =>
  `      next_a${index} = ${load("a", "k + TILE_K")};
      next_b${index} = ${load("b", "k + TILE_K")};`;

/**
 * One workgroup computes TILE_ROWS × TILE_COLS elements of y, TILE_K terms of k at a time. In each of
 * its copies a lane takes 4 rows of one column of a, and 4 columns of one row of b, so that both
 * tiles hold vec4f; a row of a tile is one vec4f longer than needed, so that lanes that write along
 * k meet different banks.
 */
export const matmulWorkgroup = ({
  aAlongK,
  bAlongK,
  side,
  copies,
  loadsAhead,
  ...shared
}: MatmulWorkgroupOptions): string => {
  const lanes = side / 4;
  const depth = copies * lanes;
  const cells = depth * (lanes + 1);
  const each = (lines: (copy: Copy) => string): string =>
    unroll(copies, (index) => lines(copyOf(index, lanes)));
  return wgsl`
${enableHalf(namesHalf(shared))}
const TILE_ROWS: u32 = ${side}u;
const TILE_COLS: u32 = ${side}u;
const TILE_K: u32 = ${depth}u;
const LANES: u32 = ${lanes}u; // along rows and along columns
const PITCH: u32 = ${lanes + 1}u;
${matmulInterface(shared)}
var<workgroup> a_tile: array<vec4f, ${cells}>; // [TILE_K, PITCH], a vec4f is 4 rows
var<workgroup> b_tile: array<vec4f, ${cells}>; // [TILE_K, PITCH], a vec4f is 4 columns

${matmulLoads(shared)}

@compute @workgroup_size(${lanes * lanes})
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
#if ${loadsAhead}
${each(startAhead)}
#endif
  for (var k = tile.k_start; k < tile.k_end; k += TILE_K) {
#if ${loadsAhead}
${each(copyLoaded)}
#else
${each(copyNow)}
#endif
    workgroupBarrier();
#if ${loadsAhead}
    if (k + TILE_K < tile.k_end) {
${each(loadAhead)}
    }
#endif
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
};
