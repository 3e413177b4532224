// matmul y [1, 5, 6] over 7; written by npm run shaders
const TILE_ROWS: u32 = 8u;
const TILE_COLS: u32 = 8u;
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

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let tile = place(flat_workgroup(wid, groups));
  let row = tile.row + lid.y;
  let col = tile.col + lid.x;
  if (!tile.exists || row >= params.m || col >= params.n) {
    return;
  }
  let a_base = tile.a_base + row * params.a_row;
  let b_base = tile.b_base + col * params.b_col;
  var sum = 0.0;
  for (var k = tile.k_start; k < tile.k_end; k++) {
    let left = f32(a[a_base + k * params.a_step]);
    sum = fma(left, f32(b[b_base + k * params.b_step]), sum);
  }
  store(tile.y_base, row, col, sum);
}
