/** Layer normalisation. y[row, c] = (x − mean) · rstd · weight + bias, rstd = 1 / √(var + eps). */
import type { Epilogue } from "./lib/epilogue.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import type { RowPackOptions } from "./lib/rowPacks.wgsl.ts";
import { rowPacks } from "./lib/rowPacks.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link layernorm}. */
export interface LayernormOptions extends RowPackOptions {
  /** What happens to each Pack of y before it is stored; absent: nothing. */
  readonly epilogue?: Epilogue;
}

/**
 * ROW_LANES lanes take rows_each rows one after the other; x is read once, weight and bias once for
 * all of them. x, y: [rows, cols]; weight, bias: [cols]; mean, rstd: [rows].
 */
export const layernorm = ({ epilogue, ...options }: LayernormOptions): string => wgsl`
${enableHalf(epilogue?.isHalf ?? false)}
#if ${options.subgroup}
enable subgroups;
#endif
${rowPacks(options)}
struct Params {
  rows: u32,
  rows_each: u32,
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

@compute @workgroup_size(${options.lanes * options.rowsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let group = flat_workgroup(wid, groups) * ROWS_PER_WORKGROUP + lid.x / ROW_LANES;
  var scales: array<Pack, LANE_PACKS>;
  var shifts: array<Pack, LANE_PACKS>;
  for (var k = 0u; k < LANE_PACKS; k++) {
    scales[k] = weight[column(k, lane)];
    shifts[k] = bias[column(k, lane)];
  }
  for (var step = 0u; step < params.rows_each; step++) {
    let wanted = group * params.rows_each + step;
    let row = min(wanted, params.rows - 1u); // surplus lanes redo the last row and store nothing
    let base = row * ROW_PACKS;
    var kept: array<Pack, LANE_PACKS>;
    var total = Pack(0.0);
    for (var k = 0u; k < LANE_PACKS; k++) {
      kept[k] = x[base + column(k, lane)];
      total += select(Pack(0.0), kept[k], inside(k, lane));
    }
    let centre = row_sum(pack_sum(total), lane) / COLS;
    var squares = Pack(0.0);
    for (var k = 0u; k < LANE_PACKS; k++) {
      kept[k] -= Pack(centre);
      squares += select(Pack(0.0), kept[k] * kept[k], inside(k, lane));
    }
    let variance = row_sum(pack_sum(squares), lane) / COLS;
    let scale = 1.0 / sqrt(variance + params.eps);
    if (wanted < params.rows) {
      for (var k = 0u; k < LANE_PACKS; k++) {
        if (inside(k, lane)) {
          finish(base + column(k, lane), kept[k] * scale * scales[k] + shifts[k]);
        }
      }
      if (lane == 0u) {
        mean[row] = centre;
        rstd[row] = scale;
      }
    }
  }
}
`;
