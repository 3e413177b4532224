/** Matrix product of a few rows, for GPUs: reading b once is all its time, so lanes share out k. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface, namesHalf } from "./lib/matmul.wgsl.ts";
import { matmulLoads } from "./lib/matmulLoads.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";
import type { MatmulReading } from "./matmulWorkgroup.wgsl.ts";

/** Options of {@link matmulFewRows}. */
export interface MatmulFewRowsOptions extends Omit<MatmulReading, "aAlongK"> {
  /** Rows of a tile, all of which every lane computes; at most 4. */
  readonly rows: number;
  /** Terms of one turn of a lane, whose loads are all under way at once. */
  readonly terms: number;
}

/** A turn: its loads, then each row's element of a times the lane's columns of b. */
const turn = ({ rows, terms }: MatmulFewRowsOptions): string =>
  [
    unroll(terms, (t) => `    let left${t} = load_a(tile, tile.row, k + k_lane + ${t}u * DEEP);`),
    unroll(terms, (t) => `    let right${t} = load_b(tile, col, k + k_lane + ${t}u * DEEP);`),
    unroll(terms, (t) =>
      unroll(rows, (r) => `    sum${r} = fma(vec4f(left${t}[${r}]), right${t}, sum${r});`),
    ),
  ].join("\n");

/**
 * One workgroup computes TILE_ROWS × 16 elements of y. 4 lanes stand along the columns, 4 of them
 * each, and 64 along k; neighbouring lanes read what is contiguous in b. sumR: row R, the lane's own
 * terms, which a tree adds up over the lanes.
 */
export const matmulFewRows = (options: MatmulFewRowsOptions): string => wgsl`
${enableHalf(namesHalf(options))}
const TILE_ROWS: u32 = ${options.rows}u;
const TILE_COLS: u32 = 16u;
const ACROSS: u32 = 4u; // lanes along columns
const DEEP: u32 = 64u; // lanes along k
const LANES: u32 = ACROSS * DEEP;
const TURN: u32 = ${options.terms}u * DEEP;
${matmulInterface(options)}
var<workgroup> partial: array<vec4f, ${256 * options.rows}>; // [TILE_ROWS, LANES]

${matmulLoads(options)}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
#if ${options.bAlongK}
  let k_lane = lid.x % DEEP;
  let group = lid.x / DEEP;
  let k_stride = 1u;
#else
  let k_lane = lid.x / ACROSS;
  let group = lid.x % ACROSS;
  let k_stride = ACROSS;
#endif
  let col = tile.col + group * 4u;
${unroll(options.rows, (r) => `  var sum${r} = vec4f();`)}
  for (var k = tile.k_start; k < tile.k_end; k += TURN) {
${turn(options)}
  }
${unroll(options.rows, (r) => `  partial[${r}u * LANES + lid.x] = sum${r};`)}
  workgroupBarrier();
  for (var apart = DEEP / 2u; apart > 0u; apart /= 2u) {
    if (k_lane < apart) {
      for (var r = 0u; r < TILE_ROWS; r++) {
        partial[r * LANES + lid.x] += partial[r * LANES + lid.x + apart * k_stride];
      }
    }
    workgroupBarrier();
  }
  if (k_lane < TILE_ROWS) { // each row is stored by a lane of its own
    let sum = partial[k_lane * LANES + lid.x - k_lane * k_stride];
#if ${options.vector}
    store(tile.y_base, tile.row + k_lane, col, sum);
#else
    store(tile.y_base, tile.row + k_lane, col, sum.x);
    store(tile.y_base, tile.row + k_lane, col + 1u, sum.y);
    store(tile.y_base, tile.row + k_lane, col + 2u, sum.z);
    store(tile.y_base, tile.row + k_lane, col + 3u, sum.w);
#endif
  }
}
`;
