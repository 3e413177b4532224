// matmul y [1, 5, 6] over 7; written by npm run shaders
const LANE_ROWS: u32 = 8u;
const ACROSS: u32 = 16u;
const DOWN: u32 = 2u;
const TILE_ROWS: u32 = LANE_ROWS * DOWN;
const TILE_COLS: u32 = 4u * ACROSS;
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

@compute @workgroup_size(ACROSS, DOWN)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let row = tile.row + lid.y * LANE_ROWS;
  let col = tile.col + lid.x * 4u;
  // Rows and columns past the edge are read from the last one, and not stored.
  let a_at0 = tile.a_base + min(row + 0u, params.m - 1u) * params.a_row;
  let a_at1 = tile.a_base + min(row + 1u, params.m - 1u) * params.a_row;
  let a_at2 = tile.a_base + min(row + 2u, params.m - 1u) * params.a_row;
  let a_at3 = tile.a_base + min(row + 3u, params.m - 1u) * params.a_row;
  let a_at4 = tile.a_base + min(row + 4u, params.m - 1u) * params.a_row;
  let a_at5 = tile.a_base + min(row + 5u, params.m - 1u) * params.a_row;
  let a_at6 = tile.a_base + min(row + 6u, params.m - 1u) * params.a_row;
  let a_at7 = tile.a_base + min(row + 7u, params.m - 1u) * params.a_row;
  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  let b_at = tile.b_base + cols * params.b_col;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  for (var k = tile.k_start; k < tile.k_end; k++) {
    let a_step = k * params.a_step;
    let at = b_at + k * params.b_step;

    let right = vec4f(Quad(b[at.x], b[at.y], b[at.z], b[at.w]));

    sum0 = fma(vec4f(f32(a[a_at0 + a_step])), right, sum0);
    sum1 = fma(vec4f(f32(a[a_at1 + a_step])), right, sum1);
    sum2 = fma(vec4f(f32(a[a_at2 + a_step])), right, sum2);
    sum3 = fma(vec4f(f32(a[a_at3 + a_step])), right, sum3);
    sum4 = fma(vec4f(f32(a[a_at4 + a_step])), right, sum4);
    sum5 = fma(vec4f(f32(a[a_at5 + a_step])), right, sum5);
    sum6 = fma(vec4f(f32(a[a_at6 + a_step])), right, sum6);
    sum7 = fma(vec4f(f32(a[a_at7 + a_step])), right, sum7);
  }

  var sums: array<vec4f, LANE_ROWS>;
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
  sums[4] = sum4;
  sums[5] = sum5;
  sums[6] = sum6;
  sums[7] = sum7;
  for (var r = 0u; r < min(LANE_ROWS, params.m - min(row, params.m)); r++) {
    for (var i = 0u; i < 4u; i++) {
      store(tile.y_base, row + r, col + i, sums[r][i]);
    }
  }

}
