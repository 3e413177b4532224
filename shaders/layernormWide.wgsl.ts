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
 * Sums and squares are of gaps from the lane's first pack, n values at each place of it: where that
 * is D away from the others, their spread errs by 2⁻²⁴·n·D² at most, of (1 − 1/n)·D² or more. Means
 * m and squared deviations of n values each merge into Σ squares + n (m − mean)² (Chan et al. 1983).
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
  let count = f32((params.row_packs + ROW_LANES - 1u - min(lane, params.row_packs)) / ROW_LANES);
  var base: array<u32, ROWS_AT_ONCE>;
  var origin: array<Pack, ROWS_AT_ONCE>;
  var total: array<Pack, ROWS_AT_ONCE>;
  var squares: array<Pack, ROWS_AT_ONCE>;
  var centre: array<f32, ROWS_AT_ONCE>;
  var scale: array<f32, ROWS_AT_ONCE>;
  for (var r = 0u; r < ROWS_AT_ONCE; r++) {
    base[r] = min(first + r, params.rows - 1u) * params.row_packs; // surplus rows redo the last
    origin[r] = x[base[r] + min(lane, params.row_packs - 1u)];
    total[r] = Pack(0.0);
    squares[r] = Pack(0.0);
  }
  for (var c = lane + ROW_LANES; c < params.row_packs; c += ROW_LANES) {
    for (var r = 0u; r < ROWS_AT_ONCE; r++) {
      let gap = x[base[r] + c] - origin[r];
      total[r] += gap;
      squares[r] += gap * gap;
    }
  }
  for (var r = 0u; r < ROWS_AT_ONCE; r++) {
    let drift = total[r] / max(count, 1.0);
    centre[r] = row_sum(count * pack_sum(origin[r] + drift), lane) / cols;
    let apart = origin[r] - Pack(centre[r]) + drift; // in this order: large values cancel exactly
    let spread = squares[r] - total[r] * drift + count * apart * apart;
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
