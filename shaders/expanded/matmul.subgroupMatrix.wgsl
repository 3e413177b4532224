// matmul y [1, 5, 6] over 7; written by npm run shaders
enable f16;

enable subgroups;
enable chromium_experimental_subgroup_matrix;
const TILE_ROWS: u32 = 64u;
const TILE_COLS: u32 = 64u;
const TILE_K: u32 = 32u;
const PART_ROWS: u32 = 32u;
const PART_COLS: u32 = 32u;
const SUBGROUP: u32 = 32u;
const SUBGROUPS: u32 = 4u;
const ACROSS: u32 = TILE_COLS / PART_COLS; // subgroups along columns
const LANES: u32 = SUBGROUP * SUBGROUPS;
const LINE_A: u32 = 4u;
const LINE_B: u32 = 8u;
const PITCH_A: u32 = 5u;
const PITCH_B: u32 = 9u;
const A_SIZE: u32 = 320u;
const B_SIZE: u32 = 288u;
const UNIT_ROWS: u32 = 16u;
const PART_QUADS: u32 = PART_COLS / 4u;
const STRIP_PITCH: u32 = PART_QUADS + 1u; // keeps rows in different banks
alias Left = subgroup_matrix_left<f16, 16, 16>; // columns, rows
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
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
alias Element = f16;
alias Quad = vec4<f16>;

alias Cell = f32;
alias Columns = Element;
const CELL: u32 = 1u;

@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<Element>;

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

// [2, lines, PITCH] chunks; at last a's hold the sums, [SUBGROUPS, UNIT_ROWS, STRIP_PITCH] vec4f
var<workgroup> a_tiles: array<vec4u, 640>;
var<workgroup> b_tiles: array<vec4u, 576>;

fn slot_a(chunk: u32) -> u32 {
  return chunk / LINE_A * PITCH_A + chunk % LINE_A;
}

fn load_a(tile: Place, chunk: u32, k: u32) -> vec4u {
  let line = chunk / LINE_A;
  let within = chunk % LINE_A * 8u;

  let outer = tile.row + line;
  let term = k + within;

  if (outer >= params.m || term >= tile.k_end) {
    return vec4u();
  }
  let start = tile.a_base + outer * params.a_row + term * params.a_step;

  let count = tile.k_end - term;

  return vec4u(halves_a(start, 0u, count), halves_a(start, 4u, count));

}

// 4 halves of a chunk from its half number first on; zeros past the last one that there is.
fn halves_a(start: u32, first: u32, count: u32) -> vec2u {
  let wanted = first + vec4u(0u, 1u, 2u, 3u);
  let at = start + min(wanted, vec4u(count - 1u));
  let value = Quad(a[at.x], a[at.y], a[at.z], a[at.w]);
  return bitcast<vec2u>(select(Quad(), value, wanted < vec4u(count)));
}

fn slot_b(chunk: u32) -> u32 {
  return chunk / LINE_B * PITCH_B + chunk % LINE_B;
}

fn load_b(tile: Place, chunk: u32, k: u32) -> vec4u {
  let line = chunk / LINE_B;
  let within = chunk % LINE_B * 8u;

  let outer = tile.col + within;
  let term = k + line;

  if (outer >= params.n || term >= tile.k_end) {
    return vec4u();
  }
  let start = tile.b_base + outer * params.b_col + term * params.b_step;

  let count = params.n - outer;

  return vec4u(halves_b(start, 0u, count), halves_b(start, 4u, count));

}

// 4 halves of a chunk from its half number first on; zeros past the last one that there is.
fn halves_b(start: u32, first: u32, count: u32) -> vec2u {
  let wanted = first + vec4u(0u, 1u, 2u, 3u);
  let at = start + min(wanted, vec4u(count - 1u));
  let value = Quad(b[at.x], b[at.y], b[at.z], b[at.w]);
  return bitcast<vec2u>(select(Quad(), value, wanted < vec4u(count)));
}

// Stores the strip, UNIT_ROWS × PART_COLS sums whose first one belongs at row and col.
fn store_strip(tile: Place, strip: u32, row: u32, col: u32, lane: u32) {
  for (var i = lane; i < UNIT_ROWS * PART_QUADS; i += SUBGROUP) {
    let quad = i % PART_QUADS;
    let sums = bitcast<vec4f>(a_tiles[strip + i / PART_QUADS * STRIP_PITCH + quad]);
    let y_row = row + i / PART_QUADS;
    let y_col = col + quad * 4u;

    for (var c = 0u; c < 4u; c++) {
      store(tile.y_base, y_row, y_col + c, sums[c]);
    }

  }
}

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(subgroup_id) subgroup_id: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let part = subgroup_id % SUBGROUPS; // a bound that compilers can see, for their checks
  let part_row = part / ACROSS * PART_ROWS;
  let part_col = part % ACROSS * PART_COLS;
  var next_a0 = load_a(tile, lid.x + 0u * LANES, tile.k_start);
  var next_a1 = load_a(tile, lid.x + 1u * LANES, tile.k_start);
  var next_b0 = load_b(tile, lid.x + 0u * LANES, tile.k_start);
  var next_b1 = load_b(tile, lid.x + 1u * LANES, tile.k_start);
  var sum0_0: Sum;
  var sum0_1: Sum;
  var sum1_0: Sum;
  var sum1_1: Sum;
  for (var k = tile.k_start; k < tile.k_end; k += TILE_K) {
    let half = (k - tile.k_start) / TILE_K % 2u; // the pair of tiles of this turn
    a_tiles[half * A_SIZE + slot_a(lid.x + 0u * LANES)] = next_a0;
    a_tiles[half * A_SIZE + slot_a(lid.x + 1u * LANES)] = next_a1;
    b_tiles[half * B_SIZE + slot_b(lid.x + 0u * LANES)] = next_b0;
    b_tiles[half * B_SIZE + slot_b(lid.x + 1u * LANES)] = next_b1;
    workgroupBarrier(); // one is enough: all lanes left this pair before the last turn's
    next_a0 = load_a(tile, lid.x + 0u * LANES, k + TILE_K);
    next_a1 = load_a(tile, lid.x + 1u * LANES, k + TILE_K);
    next_b0 = load_b(tile, lid.x + 0u * LANES, k + TILE_K);
    next_b1 = load_b(tile, lid.x + 1u * LANES, k + TILE_K);

    let a_at = half * A_SIZE + part_row * PITCH_A;

    let b_at = half * B_SIZE + part_col / 8u;

    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&a_tiles, a_at + 0u, 5u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&a_tiles, a_at + 80u, 5u);
      let b0 = subgroupMatrixLoad<Right, row_major>(&b_tiles, b_at + 0u, 9u);
      let b1 = subgroupMatrixLoad<Right, row_major>(&b_tiles, b_at + 2u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
    {
      let a0 = subgroupMatrixLoad<Left, row_major>(&a_tiles, a_at + 2u, 5u);
      let a1 = subgroupMatrixLoad<Left, row_major>(&a_tiles, a_at + 82u, 5u);
      let b0 = subgroupMatrixLoad<Right, row_major>(&b_tiles, b_at + 144u, 9u);
      let b1 = subgroupMatrixLoad<Right, row_major>(&b_tiles, b_at + 146u, 9u);
      sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b0, sum0_0);
      sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b1, sum0_1);
      sum1_0 = subgroupMatrixMultiplyAccumulate(a1, b0, sum1_0);
      sum1_1 = subgroupMatrixMultiplyAccumulate(a1, b1, sum1_1);
    }
  }
  // Row after row of units goes out through a_tiles; barriers part its readers from its writers.
  let strip = part * UNIT_ROWS * STRIP_PITCH;
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&a_tiles, strip + 0u, sum0_0, STRIP_PITCH);
  subgroupMatrixStore<row_major>(&a_tiles, strip + 4u, sum0_1, STRIP_PITCH);
  workgroupBarrier();
  store_strip(tile, strip, tile.row + part_row + 0u, tile.col + part_col, lane);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&a_tiles, strip + 0u, sum1_0, STRIP_PITCH);
  subgroupMatrixStore<row_major>(&a_tiles, strip + 4u, sum1_1, STRIP_PITCH);
  workgroupBarrier();
  store_strip(tile, strip, tile.row + part_row + 16u, tile.col + part_col, lane);
}
