// matmul y [1, 6, 8] over 5 + cast + gelu; written by npm run shaders
enable f16;

enable subgroups;
const SUBGROUP: u32 = 8u;
const ROW_GROUPS: u32 = 2u;
const COL_GROUPS: u32 = 2u;
const DEPTH: u32 = 1u;
const GROUP_COLS: u32 = 4u * SUBGROUP;
const TILE_ROWS: u32 = SUBGROUP * ROW_GROUPS;
const TILE_COLS: u32 = GROUP_COLS * COL_GROUPS;
const ROWS_PER_TURN: u32 = 2u;
const LANE_COLS: u32 = 8u;
const GROUP_STEP: u32 = 4u; // between a lane's groups
alias Pair = u32;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  m: u32,
  n: u32,
  k: u32,
  batches: u32,
  splits: u32,
  k_each: u32, // terms of one split
  a_row: u32, // elements that one step along m, k or the batch skips
  a_step: u32,
  a_batch: u32,
  b_col: u32, // and along n, k or the batch
  b_step: u32,
  b_batch: u32,

  has_bias: u32, // 0: the binding holds something else

}
alias Element = f16;
alias Quad = vec4<f16>;

alias Cell = vec4f;
alias Columns = Quad;
const CELL: u32 = 4u;

@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<vec4u>;

@group(0) @binding(2) var<storage, read> bias: array<Cell>;
@group(0) @binding(3) var<storage, read_write> y: array<Half>;

@group(0) @binding(5) var<uniform> params: Params;

struct Place {
  exists: bool, // false in the surplus workgroups of a folded grid
  row: u32, // of the tile's corner
  col: u32,
  k_start: u32,
  k_end: u32,
  a_base: u32, // element where this batch's a, b and y start
  b_base: u32,
  y_base: u32,
}

fn place(group: u32) -> Place {
  let tile_cols = (params.n + TILE_COLS - 1u) / TILE_COLS;
  let tile_rows = (params.m + TILE_ROWS - 1u) / TILE_ROWS;
  let tiles = tile_cols * tile_rows;
  let tile = group % tiles;
  let part = group / tiles; // = split · batches + batch
  let batch = part % params.batches;
  let k_start = part / params.batches * params.k_each;

  let is_down = params.k_each <= 2048u;

  return Place(
    part < params.splits * params.batches,

    select(tile / tile_cols, tile % tile_rows, is_down) * TILE_ROWS,
    select(tile % tile_cols, tile / tile_rows, is_down) * TILE_COLS,

    k_start,
    min(k_start + params.k_each, params.k),
    batch * params.a_batch,
    batch * params.b_batch,
    part * params.m * params.n,
  );
}

alias Value = vec4f;
alias Half = vec4<f16>;
fn cast_stage(x: Value) -> Value {
  return x;
}
fn erfcx_(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = -0.0593638308;
  p = p * t + 0.286013931;
  p = p * t - 0.490179539;
  p = p * t + 0.281475186;
  p = p * t - 0.028971957;
  p = p * t + 0.203678474;
  p = p * t + 0.242853627;
  p = p * t + 0.282409579;
  p = p * t + 0.282084465;
  return p * t;
}
fn erf_series(x: f32) -> f32 {
  let s = x * x;
  var p = 7.853858e-5;
  p = p * s - 8.010193e-4;
  p = p * s + 5.1883277e-3;
  p = p * s - 2.6853811e-2;
  p = p * s + 0.11283585;
  p = p * s - 0.37612626;
  p = p * s + 1.1283791;
  return x * p;
}
fn erf_(x: f32) -> f32 {
  let z = min(abs(x), 12.0); // keeps z² finite; erfc(12) is below f32
  let outside = sign(x) * (1.0 - exp(-z * z) * erfcx_(z));
  return select(outside, erf_series(x), abs(x) < 1.0);
}
const SQRT_HALF: f32 = 0.70710678;
const INV_SQRT_TWO_PI: f32 = 0.39894228;
struct Normal {
  cdf: f32,
  density: f32,
}
fn normal_(x: f32) -> Normal {
  let z = min(abs(x), 16.0); // the density at 16 is below f32
  let bell = exp(-0.5 * z * z);
  let tail = 0.5 * bell * erfcx_(z * SQRT_HALF);
  return Normal(select(tail, 1.0 - tail, x > 0.0), INV_SQRT_TWO_PI * bell);
}

fn gelu_(x: f32) -> f32 { return x * normal_(x).cdf; }
fn gelu_stage(x: Value) -> Value {
  return Value(gelu_(x.x), gelu_(x.y), gelu_(x.z), gelu_(x.w));
}
@group(0) @binding(4) var<storage, read_write> stored2: array<Half>;
fn finish(at: u32, value0: Value) {
  let value1 = Value(Half(cast_stage(value0)));
  y[at] = Half(value1);
  let value2 = Value(Half(gelu_stage(value1)));
  stored2[at] = Half(value2);
}

fn store(y_base: u32, row: u32, col: u32, sum: Cell) {
  if (row < params.m && col < params.n) {

    finish((y_base + row * params.n + col) / CELL, sum);

  }
}

// Rows and columns past the edge are read from the last one, and not stored.
fn row_start(tile: Place, row: u32) -> u32 {
  return tile.a_base + min(tile.row + row, params.m - 1u) * params.a_row;
}

fn cols_start(tile: Place, col: u32) -> u32 {
  return tile.b_base + min(col, params.n - LANE_COLS);
}

fn start(col: u32) -> vec4f {
  return select(vec4f(), bias[min(col, params.n - 4u) / 4u], params.has_bias != 0u);
}

fn store4(tile: Place, row: u32, col: u32, sum: vec4f) {
  store(tile.y_base, row, col, sum);
}

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let col = tile.col + lane * LANE_COLS;
  let a_at0 = row_start(tile, 0u * SUBGROUP + lane);
  let a_at1 = row_start(tile, 1u * SUBGROUP + lane);
  let b_at0 = cols_start(tile, col + 0u * GROUP_STEP);
  let start0 = start(col + 0u * GROUP_STEP);
  let start1 = start(col + 1u * GROUP_STEP);
  var sum0_0 = start0;
  var sum0_1 = start1;
  var sum1_0 = start0;
  var sum1_1 = start1;
  var sum2_0 = start0;
  var sum2_1 = start1;
  var sum3_0 = start0;
  var sum3_1 = start1;
  var sum4_0 = start0;
  var sum4_1 = start1;
  var sum5_0 = start0;
  var sum5_1 = start1;
  var sum6_0 = start0;
  var sum6_1 = start1;
  var sum7_0 = start0;
  var sum7_1 = start1;
  var sum8_0 = start0;
  var sum8_1 = start1;
  var sum9_0 = start0;
  var sum9_1 = start1;
  var sum10_0 = start0;
  var sum10_1 = start1;
  var sum11_0 = start0;
  var sum11_1 = start1;
  var sum12_0 = start0;
  var sum12_1 = start1;
  var sum13_0 = start0;
  var sum13_1 = start1;
  var sum14_0 = start0;
  var sum14_1 = start1;
  var sum15_0 = start0;
  var sum15_1 = start1;
  for (var k = tile.k_start; k < tile.k_end; k += DEPTH) {
    let k0 = k + 0u;
    let octet0 = b[(b_at0 + k0 * params.b_step) / 8u];
    let right0_0 = vec4f(unpack2x16float(octet0.x), unpack2x16float(octet0.y));
    let right0_1 = vec4f(unpack2x16float(octet0.z), unpack2x16float(octet0.w));
    let left0_0 = f32(a[a_at0 + k0 * params.a_step]);
    let left0_1 = f32(a[a_at1 + k0 * params.a_step]);
    let value0_0 = vec4f(subgroupBroadcast(left0_0, 0u));
    sum0_0 = fma(value0_0, right0_0, sum0_0);
    sum0_1 = fma(value0_0, right0_1, sum0_1);
    let value1_0 = vec4f(subgroupBroadcast(left0_0, 1u));
    sum1_0 = fma(value1_0, right0_0, sum1_0);
    sum1_1 = fma(value1_0, right0_1, sum1_1);
    let value2_0 = vec4f(subgroupBroadcast(left0_0, 2u));
    sum2_0 = fma(value2_0, right0_0, sum2_0);
    sum2_1 = fma(value2_0, right0_1, sum2_1);
    let value3_0 = vec4f(subgroupBroadcast(left0_0, 3u));
    sum3_0 = fma(value3_0, right0_0, sum3_0);
    sum3_1 = fma(value3_0, right0_1, sum3_1);
    let value4_0 = vec4f(subgroupBroadcast(left0_0, 4u));
    sum4_0 = fma(value4_0, right0_0, sum4_0);
    sum4_1 = fma(value4_0, right0_1, sum4_1);
    let value5_0 = vec4f(subgroupBroadcast(left0_0, 5u));
    sum5_0 = fma(value5_0, right0_0, sum5_0);
    sum5_1 = fma(value5_0, right0_1, sum5_1);
    let value6_0 = vec4f(subgroupBroadcast(left0_0, 6u));
    sum6_0 = fma(value6_0, right0_0, sum6_0);
    sum6_1 = fma(value6_0, right0_1, sum6_1);
    let value7_0 = vec4f(subgroupBroadcast(left0_0, 7u));
    sum7_0 = fma(value7_0, right0_0, sum7_0);
    sum7_1 = fma(value7_0, right0_1, sum7_1);
    let value8_0 = vec4f(subgroupBroadcast(left0_1, 0u));
    sum8_0 = fma(value8_0, right0_0, sum8_0);
    sum8_1 = fma(value8_0, right0_1, sum8_1);
    let value9_0 = vec4f(subgroupBroadcast(left0_1, 1u));
    sum9_0 = fma(value9_0, right0_0, sum9_0);
    sum9_1 = fma(value9_0, right0_1, sum9_1);
    let value10_0 = vec4f(subgroupBroadcast(left0_1, 2u));
    sum10_0 = fma(value10_0, right0_0, sum10_0);
    sum10_1 = fma(value10_0, right0_1, sum10_1);
    let value11_0 = vec4f(subgroupBroadcast(left0_1, 3u));
    sum11_0 = fma(value11_0, right0_0, sum11_0);
    sum11_1 = fma(value11_0, right0_1, sum11_1);
    let value12_0 = vec4f(subgroupBroadcast(left0_1, 4u));
    sum12_0 = fma(value12_0, right0_0, sum12_0);
    sum12_1 = fma(value12_0, right0_1, sum12_1);
    let value13_0 = vec4f(subgroupBroadcast(left0_1, 5u));
    sum13_0 = fma(value13_0, right0_0, sum13_0);
    sum13_1 = fma(value13_0, right0_1, sum13_1);
    let value14_0 = vec4f(subgroupBroadcast(left0_1, 6u));
    sum14_0 = fma(value14_0, right0_0, sum14_0);
    sum14_1 = fma(value14_0, right0_1, sum14_1);
    let value15_0 = vec4f(subgroupBroadcast(left0_1, 7u));
    sum15_0 = fma(value15_0, right0_0, sum15_0);
    sum15_1 = fma(value15_0, right0_1, sum15_1);
  }
  // Bounds are no constants: compilers would write all turns out, and take seconds for the stores.
  let row_end = min(tile.row + TILE_ROWS, params.m);
  for (var row = tile.row; row < row_end; row += ROWS_PER_TURN) {
    let turn = (row - tile.row) / ROWS_PER_TURN;
    let bit0 = (turn & 1u) != 0u;
    let bit1 = (turn & 2u) != 0u;
    let bit2 = (turn & 4u) != 0u;
    store4(tile, row + 0u, col + 0u * GROUP_STEP, select(select(select(sum0_0, sum8_0, bit2), select(sum4_0, sum12_0, bit2), bit1), select(select(sum2_0, sum10_0, bit2), select(sum6_0, sum14_0, bit2), bit1), bit0));
    store4(tile, row + 0u, col + 1u * GROUP_STEP, select(select(select(sum0_1, sum8_1, bit2), select(sum4_1, sum12_1, bit2), bit1), select(select(sum2_1, sum10_1, bit2), select(sum6_1, sum14_1, bit2), bit1), bit0));
    store4(tile, row + 1u, col + 0u * GROUP_STEP, select(select(select(sum1_0, sum9_0, bit2), select(sum5_0, sum13_0, bit2), bit1), select(select(sum3_0, sum11_0, bit2), select(sum7_0, sum15_0, bit2), bit1), bit0));
    store4(tile, row + 1u, col + 1u * GROUP_STEP, select(select(select(sum1_1, sum9_1, bit2), select(sum5_1, sum13_1, bit2), bit1), select(select(sum3_1, sum11_1, bit2), select(sum7_1, sum15_1, bit2), bit1), bit0));
  }
}
