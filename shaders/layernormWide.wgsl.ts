/** Layer normalisation of rows too wide for registers. y = (x − mean) · rstd · weight + bias. */
import type { Epilogue } from "./lib/epilogue.wgsl.ts";
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import type { PackWidth } from "./lib/pack.wgsl.ts";
import { pack } from "./lib/pack.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** How {@link layernormWide} and its gradient share out rows. */
export interface WideRowOptions {
  /** Lanes of a subgroup. */
  readonly lanes: number;
  readonly subgroupsPerWorkgroup: number;
  readonly width: PackWidth;
  /** Rows that a subgroup takes at once, with one load of weight and bias. */
  readonly rowsAtOnce: number;
}

/** Options of {@link layernormWide}. */
export interface LayernormWideOptions extends WideRowOptions {
  /** What happens to each Pack of y before it is stored; absent: nothing. */
  readonly epilogue?: Epilogue;
}

/**
 * A subgroup takes ROWS_AT_ONCE rows, each lane every ROW_LANES-th pack of them; x is read twice.
 * Each place of a lane's packs has a mean and squared deviations of its own, updated value by value
 * (Welford 1962) on gaps from its first, so that large means cancel; the places then merge into
 * Σ squares + n (m − mean)² (Chan et al. 1983).
 * x, y: [rows, cols]; weight, bias: [cols]; mean, rstd: [rows].
 */
export const layernormWide = ({ epilogue, ...options }: LayernormWideOptions): string => wgsl`
${enableHalf(epilogue?.isHalf ?? false)}
enable subgroups;
const SUBGROUPS: u32 = ${options.subgroupsPerWorkgroup}u;
const ROWS_AT_ONCE: u32 = ${options.rowsAtOnce}u;
${pack(options.width)}
${rowReduce({ lanes: options.lanes, subgroup: true })}
${flatWorkgroup}
struct Params {
  rows: u32,
  row_packs: u32,
  eps: f32,
${epilogue?.fields ?? ""}
}
@group(0) @binding(0) var<storage, read> x: array<Pack>;
@group(0) @binding(1) var<storage, read> weight: array<Pack>;
@group(0) @binding(2) var<storage, read> bias: array<Pack>;
@group(0) @binding(3) var<storage, read_write> y: array<${epilogue?.output ?? "Pack"}>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(${epilogue?.paramsBinding ?? 6}) var<uniform> params: Params;
#if ${epilogue !== undefined}
${epilogue?.text ?? ""}
#else
fn finish(at: u32, value: Pack) {
  y[at] = value;
}
#endif

@compute @workgroup_size(${options.lanes * options.subgroupsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let first = (flat_workgroup(wid, groups) * SUBGROUPS + lid.x / ROW_LANES) * ROWS_AT_ONCE;
  let cols = f32(params.row_packs * PACK_WIDTH);
  var base: array<u32, ROWS_AT_ONCE>;
  var origin: array<Pack, ROWS_AT_ONCE>;
  var total: array<Pack, ROWS_AT_ONCE>;
  var drift: array<Pack, ROWS_AT_ONCE>;
  var squares: array<Pack, ROWS_AT_ONCE>;
  var centre: array<f32, ROWS_AT_ONCE>;
  var scale: array<f32, ROWS_AT_ONCE>;
  for (var r = 0u; r < ROWS_AT_ONCE; r++) {
    base[r] = min(first + r, params.rows - 1u) * params.row_packs; // surplus rows redo the last
    origin[r] = x[base[r] + min(lane, params.row_packs - 1u)];
    total[r] = select(Pack(0.0), origin[r], lane < params.row_packs);
    drift[r] = Pack(0.0);
    squares[r] = Pack(0.0);
  }
  var count = select(0.0, 1.0, lane < params.row_packs);
  for (var c = lane + ROW_LANES; c < params.row_packs; c += ROW_LANES) {
    count += 1.0;
    let share = 1.0 / count;
    for (var r = 0u; r < ROWS_AT_ONCE; r++) {
      let value = x[base[r] + c];
      total[r] += value;
      let gap = value - origin[r];
      let before = gap - drift[r];
      drift[r] += before * share;
      squares[r] += before * (gap - drift[r]);
    }
  }
  for (var r = 0u; r < ROWS_AT_ONCE; r++) {
    centre[r] = row_sum(pack_sum(total[r]), lane) / cols;
    let apart = origin[r] - Pack(centre[r]) + drift[r]; // in this order: large values cancel exactly
    let spread = squares[r] + count * apart * apart;
    scale[r] = 1.0 / sqrt(row_sum(pack_sum(spread), lane) / cols + params.eps);
    if (lane == 0u && first + r < params.rows) {
      mean[first + r] = centre[r];
      rstd[first + r] = scale[r];
    }
  }
  for (var c = lane; c < params.row_packs; c += ROW_LANES) {
    let slope = weight[c];
    let shift = bias[c];
    for (var r = 0u; r < ROWS_AT_ONCE; r++) {
      if (first + r < params.rows) {
        let normal = (x[base[r] + c] - Pack(centre[r])) * scale[r];
        finish(base[r] + c, normal * slope + shift);
      }
    }
  }
}
`;
