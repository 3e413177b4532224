// matmul y [1, 5, 6] over 7; written by npm run shaders
const TILE_ROWS: u32 = 64u;
const TILE_COLS: u32 = 64u;
const TILE_K: u32 = 16u;
const LANES: u32 = 16u; // along rows and along columns
const PITCH: u32 = 17u;
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

var<workgroup> a_tile: array<vec4f, 272>; // [TILE_K, PITCH], a vec4f is 4 rows
var<workgroup> b_tile: array<vec4f, 272>; // [TILE_K, PITCH], a vec4f is 4 columns

// Terms past the end count as 0; rows and columns past the edge repeat the last one.
fn load_a(tile: Place, row: u32, k: u32) -> vec4f {
  let rows = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(params.m - 1u));
  let at = tile.a_base + rows * params.a_row + min(k, params.k - 1u) * params.a_step;
  let value = vec4f(Quad(a[at.x], a[at.y], a[at.z], a[at.w]));
  return select(vec4f(), value, k < tile.k_end);
}

fn load_b(tile: Place, col: u32, k: u32) -> vec4f {
  let k_base = tile.b_base + min(k, params.k - 1u) * params.b_step;

  let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
  let at = k_base + cols * params.b_col;
  let value = vec4f(Quad(b[at.x], b[at.y], b[at.z], b[at.w]));

  return select(vec4f(), value, k < tile.k_end);
}

@compute @workgroup_size(256)
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

  let a_k = fast;
  let a_group = slow;

  let b_k = slow;
  let b_group = fast;

  var sum: array<vec4f, 4>;

  for (var k = tile.k_start; k < tile.k_end; k += TILE_K) {

    a_tile[a_k * PITCH + a_group] = load_a(tile, tile.row + a_group * 4u, k + a_k);
    b_tile[b_k * PITCH + b_group] = load_b(tile, tile.col + b_group * 4u, k + b_k);

    workgroupBarrier();

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

    store(tile.y_base, row + r, col, sum[r].x);
    store(tile.y_base, row + r, col + 1u, sum[r].y);
    store(tile.y_base, row + r, col + 2u, sum[r].z);
    store(tile.y_base, row + r, col + 3u, sum[r].w);

  }
}
