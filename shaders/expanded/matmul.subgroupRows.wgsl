// matmul y [1, 5, 6] over 7; written by npm run shaders
enable subgroups;
const LANES: u32 = 32u;
const DEPTH: u32 = 8u;
const COL_GROUPS: u32 = 1u;
const GROUP_COLS: u32 = 4u * LANES;
const TILE_ROWS: u32 = 8u;
const TILE_COLS: u32 = GROUP_COLS * COL_GROUPS;
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

}
alias Element = f32;
alias Quad = vec4f;

alias Cell = f32;
alias Columns = Element;
const CELL: u32 = 1u;

@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<Columns>;

@group(0) @binding(2) var<storage, read_write> y: array<Cell>;

@group(0) @binding(3) var<uniform> params: Params;

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

  return Place(
    part < params.splits * params.batches,

    tile / tile_cols * TILE_ROWS,
    tile % tile_cols * TILE_COLS,

    k_start,
    min(k_start + params.k_each, params.k),
    batch * params.a_batch,
    batch * params.b_batch,
    part * params.m * params.n,
  );
}

fn finish(at: u32, value: Cell) {
  y[at] = value;
}

fn store(y_base: u32, row: u32, col: u32, sum: Cell) {
  if (row < params.m && col < params.n) {

    finish((y_base + row * params.n + col) / CELL, sum);

  }
}

// Rows and columns past the edge are read from the last one, and not stored; terms count as 0.
fn load_a(tile: Place, row: u32, k: u32) -> f32 {
  let row_at = tile.a_base + min(tile.row + row, params.m - 1u) * params.a_row;
  let value = f32(a[row_at + min(k, params.k - 1u) * params.a_step]);
  return select(0.0, value, k < tile.k_end);
}

fn cols_start(tile: Place, col: u32) -> vec4u {
  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  return tile.b_base + cols * params.b_col;
}

fn load_b(at: vec4u) -> vec4f {
  return vec4f(Quad(b[at.x], b[at.y], b[at.z], b[at.w]));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let col = tile.col + lid.x * 4u;
  let b_at0 = cols_start(tile, col + 0u * GROUP_COLS);
  var sum0_0 = vec4f();
  var sum1_0 = vec4f();
  var sum2_0 = vec4f();
  var sum3_0 = vec4f();
  var sum4_0 = vec4f();
  var sum5_0 = vec4f();
  var sum6_0 = vec4f();
  var sum7_0 = vec4f();
  for (var k = tile.k_start; k < tile.k_end; k += DEPTH) {
    let left0 = load_a(tile, 0u, k + lane % DEPTH);
    let left1 = load_a(tile, 1u, k + lane % DEPTH);
    let left2 = load_a(tile, 2u, k + lane % DEPTH);
    let left3 = load_a(tile, 3u, k + lane % DEPTH);
    let left4 = load_a(tile, 4u, k + lane % DEPTH);
    let left5 = load_a(tile, 5u, k + lane % DEPTH);
    let left6 = load_a(tile, 6u, k + lane % DEPTH);
    let left7 = load_a(tile, 7u, k + lane % DEPTH);
    let k0 = min(k + 0u, params.k - 1u) * params.b_step;
    let right0_0 = load_b(b_at0 + k0);
    let value0_0 = vec4f(subgroupBroadcast(left0, 0u));
    sum0_0 = fma(value0_0, right0_0, sum0_0);
    let value0_1 = vec4f(subgroupBroadcast(left1, 0u));
    sum1_0 = fma(value0_1, right0_0, sum1_0);
    let value0_2 = vec4f(subgroupBroadcast(left2, 0u));
    sum2_0 = fma(value0_2, right0_0, sum2_0);
    let value0_3 = vec4f(subgroupBroadcast(left3, 0u));
    sum3_0 = fma(value0_3, right0_0, sum3_0);
    let value0_4 = vec4f(subgroupBroadcast(left4, 0u));
    sum4_0 = fma(value0_4, right0_0, sum4_0);
    let value0_5 = vec4f(subgroupBroadcast(left5, 0u));
    sum5_0 = fma(value0_5, right0_0, sum5_0);
    let value0_6 = vec4f(subgroupBroadcast(left6, 0u));
    sum6_0 = fma(value0_6, right0_0, sum6_0);
    let value0_7 = vec4f(subgroupBroadcast(left7, 0u));
    sum7_0 = fma(value0_7, right0_0, sum7_0);
    let k1 = min(k + 1u, params.k - 1u) * params.b_step;
    let right1_0 = load_b(b_at0 + k1);
    let value1_0 = vec4f(subgroupBroadcast(left0, 1u));
    sum0_0 = fma(value1_0, right1_0, sum0_0);
    let value1_1 = vec4f(subgroupBroadcast(left1, 1u));
    sum1_0 = fma(value1_1, right1_0, sum1_0);
    let value1_2 = vec4f(subgroupBroadcast(left2, 1u));
    sum2_0 = fma(value1_2, right1_0, sum2_0);
    let value1_3 = vec4f(subgroupBroadcast(left3, 1u));
    sum3_0 = fma(value1_3, right1_0, sum3_0);
    let value1_4 = vec4f(subgroupBroadcast(left4, 1u));
    sum4_0 = fma(value1_4, right1_0, sum4_0);
    let value1_5 = vec4f(subgroupBroadcast(left5, 1u));
    sum5_0 = fma(value1_5, right1_0, sum5_0);
    let value1_6 = vec4f(subgroupBroadcast(left6, 1u));
    sum6_0 = fma(value1_6, right1_0, sum6_0);
    let value1_7 = vec4f(subgroupBroadcast(left7, 1u));
    sum7_0 = fma(value1_7, right1_0, sum7_0);
    let k2 = min(k + 2u, params.k - 1u) * params.b_step;
    let right2_0 = load_b(b_at0 + k2);
    let value2_0 = vec4f(subgroupBroadcast(left0, 2u));
    sum0_0 = fma(value2_0, right2_0, sum0_0);
    let value2_1 = vec4f(subgroupBroadcast(left1, 2u));
    sum1_0 = fma(value2_1, right2_0, sum1_0);
    let value2_2 = vec4f(subgroupBroadcast(left2, 2u));
    sum2_0 = fma(value2_2, right2_0, sum2_0);
    let value2_3 = vec4f(subgroupBroadcast(left3, 2u));
    sum3_0 = fma(value2_3, right2_0, sum3_0);
    let value2_4 = vec4f(subgroupBroadcast(left4, 2u));
    sum4_0 = fma(value2_4, right2_0, sum4_0);
    let value2_5 = vec4f(subgroupBroadcast(left5, 2u));
    sum5_0 = fma(value2_5, right2_0, sum5_0);
    let value2_6 = vec4f(subgroupBroadcast(left6, 2u));
    sum6_0 = fma(value2_6, right2_0, sum6_0);
    let value2_7 = vec4f(subgroupBroadcast(left7, 2u));
    sum7_0 = fma(value2_7, right2_0, sum7_0);
    let k3 = min(k + 3u, params.k - 1u) * params.b_step;
    let right3_0 = load_b(b_at0 + k3);
    let value3_0 = vec4f(subgroupBroadcast(left0, 3u));
    sum0_0 = fma(value3_0, right3_0, sum0_0);
    let value3_1 = vec4f(subgroupBroadcast(left1, 3u));
    sum1_0 = fma(value3_1, right3_0, sum1_0);
    let value3_2 = vec4f(subgroupBroadcast(left2, 3u));
    sum2_0 = fma(value3_2, right3_0, sum2_0);
    let value3_3 = vec4f(subgroupBroadcast(left3, 3u));
    sum3_0 = fma(value3_3, right3_0, sum3_0);
    let value3_4 = vec4f(subgroupBroadcast(left4, 3u));
    sum4_0 = fma(value3_4, right3_0, sum4_0);
    let value3_5 = vec4f(subgroupBroadcast(left5, 3u));
    sum5_0 = fma(value3_5, right3_0, sum5_0);
    let value3_6 = vec4f(subgroupBroadcast(left6, 3u));
    sum6_0 = fma(value3_6, right3_0, sum6_0);
    let value3_7 = vec4f(subgroupBroadcast(left7, 3u));
    sum7_0 = fma(value3_7, right3_0, sum7_0);
    let k4 = min(k + 4u, params.k - 1u) * params.b_step;
    let right4_0 = load_b(b_at0 + k4);
    let value4_0 = vec4f(subgroupBroadcast(left0, 4u));
    sum0_0 = fma(value4_0, right4_0, sum0_0);
    let value4_1 = vec4f(subgroupBroadcast(left1, 4u));
    sum1_0 = fma(value4_1, right4_0, sum1_0);
    let value4_2 = vec4f(subgroupBroadcast(left2, 4u));
    sum2_0 = fma(value4_2, right4_0, sum2_0);
    let value4_3 = vec4f(subgroupBroadcast(left3, 4u));
    sum3_0 = fma(value4_3, right4_0, sum3_0);
    let value4_4 = vec4f(subgroupBroadcast(left4, 4u));
    sum4_0 = fma(value4_4, right4_0, sum4_0);
    let value4_5 = vec4f(subgroupBroadcast(left5, 4u));
    sum5_0 = fma(value4_5, right4_0, sum5_0);
    let value4_6 = vec4f(subgroupBroadcast(left6, 4u));
    sum6_0 = fma(value4_6, right4_0, sum6_0);
    let value4_7 = vec4f(subgroupBroadcast(left7, 4u));
    sum7_0 = fma(value4_7, right4_0, sum7_0);
    let k5 = min(k + 5u, params.k - 1u) * params.b_step;
    let right5_0 = load_b(b_at0 + k5);
    let value5_0 = vec4f(subgroupBroadcast(left0, 5u));
    sum0_0 = fma(value5_0, right5_0, sum0_0);
    let value5_1 = vec4f(subgroupBroadcast(left1, 5u));
    sum1_0 = fma(value5_1, right5_0, sum1_0);
    let value5_2 = vec4f(subgroupBroadcast(left2, 5u));
    sum2_0 = fma(value5_2, right5_0, sum2_0);
    let value5_3 = vec4f(subgroupBroadcast(left3, 5u));
    sum3_0 = fma(value5_3, right5_0, sum3_0);
    let value5_4 = vec4f(subgroupBroadcast(left4, 5u));
    sum4_0 = fma(value5_4, right5_0, sum4_0);
    let value5_5 = vec4f(subgroupBroadcast(left5, 5u));
    sum5_0 = fma(value5_5, right5_0, sum5_0);
    let value5_6 = vec4f(subgroupBroadcast(left6, 5u));
    sum6_0 = fma(value5_6, right5_0, sum6_0);
    let value5_7 = vec4f(subgroupBroadcast(left7, 5u));
    sum7_0 = fma(value5_7, right5_0, sum7_0);
    let k6 = min(k + 6u, params.k - 1u) * params.b_step;
    let right6_0 = load_b(b_at0 + k6);
    let value6_0 = vec4f(subgroupBroadcast(left0, 6u));
    sum0_0 = fma(value6_0, right6_0, sum0_0);
    let value6_1 = vec4f(subgroupBroadcast(left1, 6u));
    sum1_0 = fma(value6_1, right6_0, sum1_0);
    let value6_2 = vec4f(subgroupBroadcast(left2, 6u));
    sum2_0 = fma(value6_2, right6_0, sum2_0);
    let value6_3 = vec4f(subgroupBroadcast(left3, 6u));
    sum3_0 = fma(value6_3, right6_0, sum3_0);
    let value6_4 = vec4f(subgroupBroadcast(left4, 6u));
    sum4_0 = fma(value6_4, right6_0, sum4_0);
    let value6_5 = vec4f(subgroupBroadcast(left5, 6u));
    sum5_0 = fma(value6_5, right6_0, sum5_0);
    let value6_6 = vec4f(subgroupBroadcast(left6, 6u));
    sum6_0 = fma(value6_6, right6_0, sum6_0);
    let value6_7 = vec4f(subgroupBroadcast(left7, 6u));
    sum7_0 = fma(value6_7, right6_0, sum7_0);
    let k7 = min(k + 7u, params.k - 1u) * params.b_step;
    let right7_0 = load_b(b_at0 + k7);
    let value7_0 = vec4f(subgroupBroadcast(left0, 7u));
    sum0_0 = fma(value7_0, right7_0, sum0_0);
    let value7_1 = vec4f(subgroupBroadcast(left1, 7u));
    sum1_0 = fma(value7_1, right7_0, sum1_0);
    let value7_2 = vec4f(subgroupBroadcast(left2, 7u));
    sum2_0 = fma(value7_2, right7_0, sum2_0);
    let value7_3 = vec4f(subgroupBroadcast(left3, 7u));
    sum3_0 = fma(value7_3, right7_0, sum3_0);
    let value7_4 = vec4f(subgroupBroadcast(left4, 7u));
    sum4_0 = fma(value7_4, right7_0, sum4_0);
    let value7_5 = vec4f(subgroupBroadcast(left5, 7u));
    sum5_0 = fma(value7_5, right7_0, sum5_0);
    let value7_6 = vec4f(subgroupBroadcast(left6, 7u));
    sum6_0 = fma(value7_6, right7_0, sum6_0);
    let value7_7 = vec4f(subgroupBroadcast(left7, 7u));
    sum7_0 = fma(value7_7, right7_0, sum7_0);
  }
  // Bounds that are not constant keep this a loop: written out, stores take compilers seconds.
  var sums: array<array<vec4f, COL_GROUPS>, TILE_ROWS>;
  sums[0][0] = sum0_0;
  sums[1][0] = sum1_0;
  sums[2][0] = sum2_0;
  sums[3][0] = sum3_0;
  sums[4][0] = sum4_0;
  sums[5][0] = sum5_0;
  sums[6][0] = sum6_0;
  sums[7][0] = sum7_0;
  for (var row = 0u; row < min(TILE_ROWS, params.m - tile.row); row++) {
    for (var c = 0u; c < COL_GROUPS; c++) {

      for (var i = 0u; i < 4u; i++) {
        store(tile.y_base, tile.row + row, col + c * GROUP_COLS + i, sums[row][c][i]);
      }

    }
  }
}
