// matmul y [1, 5, 6] over 7; written by npm run shaders
const TILE_ROWS: u32 = 4u;
const TILE_COLS: u32 = 16u;
const ACROSS: u32 = 4u; // lanes along columns
const DEEP: u32 = 64u; // lanes along k
const LANES: u32 = ACROSS * DEEP;
const TURN: u32 = 4u * DEEP;
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

var<workgroup> partial: array<vec4f, 1024>; // [TILE_ROWS, LANES]

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

  let k_lane = lid.x / ACROSS;
  let group = lid.x % ACROSS;
  let k_stride = ACROSS;

  let col = tile.col + group * 4u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var k = tile.k_start; k < tile.k_end; k += TURN) {
    let left0 = load_a(tile, tile.row, k + k_lane + 0u * DEEP);
    let left1 = load_a(tile, tile.row, k + k_lane + 1u * DEEP);
    let left2 = load_a(tile, tile.row, k + k_lane + 2u * DEEP);
    let left3 = load_a(tile, tile.row, k + k_lane + 3u * DEEP);
    let right0 = load_b(tile, col, k + k_lane + 0u * DEEP);
    let right1 = load_b(tile, col, k + k_lane + 1u * DEEP);
    let right2 = load_b(tile, col, k + k_lane + 2u * DEEP);
    let right3 = load_b(tile, col, k + k_lane + 3u * DEEP);
    sum0 = fma(vec4f(left0[0]), right0, sum0);
    sum1 = fma(vec4f(left0[1]), right0, sum1);
    sum2 = fma(vec4f(left0[2]), right0, sum2);
    sum3 = fma(vec4f(left0[3]), right0, sum3);
    sum0 = fma(vec4f(left1[0]), right1, sum0);
    sum1 = fma(vec4f(left1[1]), right1, sum1);
    sum2 = fma(vec4f(left1[2]), right1, sum2);
    sum3 = fma(vec4f(left1[3]), right1, sum3);
    sum0 = fma(vec4f(left2[0]), right2, sum0);
    sum1 = fma(vec4f(left2[1]), right2, sum1);
    sum2 = fma(vec4f(left2[2]), right2, sum2);
    sum3 = fma(vec4f(left2[3]), right2, sum3);
    sum0 = fma(vec4f(left3[0]), right3, sum0);
    sum1 = fma(vec4f(left3[1]), right3, sum1);
    sum2 = fma(vec4f(left3[2]), right3, sum2);
    sum3 = fma(vec4f(left3[3]), right3, sum3);
  }
  partial[0u * LANES + lid.x] = sum0;
  partial[1u * LANES + lid.x] = sum1;
  partial[2u * LANES + lid.x] = sum2;
  partial[3u * LANES + lid.x] = sum3;
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

    store(tile.y_base, tile.row + k_lane, col, sum.x);
    store(tile.y_base, tile.row + k_lane, col + 1u, sum.y);
    store(tile.y_base, tile.row + k_lane, col + 2u, sum.z);
    store(tile.y_base, tile.row + k_lane, col + 3u, sum.w);

  }
}
