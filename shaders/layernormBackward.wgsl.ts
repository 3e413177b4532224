/** Gradient of layernorm. dx = rstd · (gw − Σ gw / D − x̂ · Σ gw·x̂ / D), gw = g · weight. */
import type { Epilogue } from "./lib/epilogue.wgsl.ts";
import type { RowPackOptions } from "./lib/rowPacks.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { rowPacks } from "./lib/rowPacks.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link layernormBackward}. */
export interface LayernormBackwardOptions extends RowPackOptions {
  /** A workgroup's subgroups add up their shares of dweight and dbias: one block. */
  readonly sharesSums: boolean;
  /** What happens to each Pack of dx before it is stored; absent: nothing. */
  readonly epilogue?: Epilogue;
}

/**
 * ROW_LANES lanes take rows_each rows: g and x are read once, for dx and for their share of
 * dweight = Σ g·x̂ and dbias = Σ g, which stay in registers until the rows are done. A block is
 * those rows, or with shared sums those of a workgroup, whose shares are added in subgroups' order.
 * g, x, dx: [rows, cols]; partials: [blocks, 2, cols].
 */
export const layernormBackward = ({
  epilogue,
  sharesSums,
  ...options
}: LayernormBackwardOptions): string => wgsl`
${enableHalf(epilogue?.isHalf ?? false)}
#if ${options.subgroup}
enable subgroups;
#endif
${rowPacks(options)}
struct Params {
  rows: u32,
  rows_each: u32,
${epilogue?.fields ?? ""}
}
@group(0) @binding(0) var<storage, read> g: array<Pack>;
@group(0) @binding(1) var<storage, read> x: array<Pack>;
@group(0) @binding(2) var<storage, read> weight: array<Pack>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> rstd: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<${epilogue?.output ?? "Pack"}>;
@group(0) @binding(6) var<storage, read_write> partials: array<Pack>;
@group(0) @binding(${epilogue?.paramsBinding ?? 7}) var<uniform> params: Params;
#if ${epilogue !== undefined}
${epilogue?.text ?? ""}
#else
fn finish(at: u32, value: Pack) {
  dx[at] = value;
}
#endif
#if ${sharesSums}
var<workgroup> shares: array<Pack, ${2 * options.lanes * options.rowsPerWorkgroup}>; // [ROWS_PER_WORKGROUP, 2, ROW_LANES]
#endif

@compute @workgroup_size(${options.lanes * options.rowsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let group = flat_workgroup(wid, groups);
  let member = lid.x / ROW_LANES;
  let first = (group * ROWS_PER_WORKGROUP + member) * params.rows_each;
  var scales: array<Pack, LANE_PACKS>;
  var dweight: array<Pack, LANE_PACKS>;
  var dbias: array<Pack, LANE_PACKS>;
  for (var k = 0u; k < LANE_PACKS; k++) {
    scales[k] = select(Pack(0.0), weight[column(k, lane)], inside(k, lane));
    dweight[k] = Pack(0.0);
    dbias[k] = Pack(0.0);
  }
  for (var step = 0u; step < params.rows_each; step++) {
    let wanted = first + step;
    let row = min(wanted, params.rows - 1u); // surplus lanes redo the last row and store nothing
    let live = select(0.0, 1.0, wanted < params.rows);
    let base = row * ROW_PACKS;
    let centre = mean[row];
    let scale = rstd[row];
    var gw: array<Pack, LANE_PACKS>;
    var normal: array<Pack, LANE_PACKS>; // x̂
    var gw_total = Pack(0.0);
    var dot_total = Pack(0.0);
    for (var k = 0u; k < LANE_PACKS; k++) {
      let slope = g[base + column(k, lane)];
      normal[k] = (x[base + column(k, lane)] - Pack(centre)) * scale;
      gw[k] = slope * scales[k];
      gw_total += gw[k];
      dot_total += gw[k] * normal[k];
      dweight[k] += slope * normal[k] * live;
      dbias[k] += slope * live;
    }
    let gw_mean = row_sum(pack_sum(gw_total), lane) / COLS;
    let dot_mean = row_sum(pack_sum(dot_total), lane) / COLS;
    if (wanted < params.rows) {
      for (var k = 0u; k < LANE_PACKS; k++) {
        if (inside(k, lane)) {
          let slope = (gw[k] - Pack(gw_mean) - normal[k] * dot_mean) * scale;
          finish(base + column(k, lane), slope);
        }
      }
    }
  }
#if ${sharesSums}
  let is_live = group * ROWS_PER_WORKGROUP * params.rows_each < params.rows;
  for (var k = 0u; k < LANE_PACKS; k++) {
    workgroupBarrier(); // the last shares have been read
    shares[2u * member * ROW_LANES + lane] = dweight[k];
    shares[(2u * member + 1u) * ROW_LANES + lane] = dbias[k];
    workgroupBarrier();
    if (member < 2u && is_live && inside(k, lane)) { // 0 adds up dweight, 1 dbias
      var total = Pack(0.0);
      for (var giver = 0u; giver < ROWS_PER_WORKGROUP; giver++) {
        total += shares[(2u * giver + member) * ROW_LANES + lane];
      }
      partials[(2u * group + member) * ROW_PACKS + column(k, lane)] = total;
    }
  }
#else
  let block = group * ROWS_PER_WORKGROUP + member;
  if (first < params.rows) {
    for (var k = 0u; k < LANE_PACKS; k++) {
      if (inside(k, lane)) {
        partials[2u * block * ROW_PACKS + column(k, lane)] = dweight[k];
        partials[(2u * block + 1u) * ROW_PACKS + column(k, lane)] = dbias[k];
      }
    }
  }
#endif
}
`;
