// matmul y [1, 5, 6] over 7; written by npm run shaders
enable subgroups;
const SUBGROUP: u32 = 8u;
const ROW_GROUPS: u32 = 2u;
const COL_GROUPS: u32 = 2u;
const GROUP_COLS: u32 = 4u * SUBGROUP;
const TILE_ROWS: u32 = SUBGROUP * ROW_GROUPS;
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

alias Cell = f32;
const CELL: u32 = 1u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<Cell>;

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
  let tiles = tile_cols * ((params.m + TILE_ROWS - 1u) / TILE_ROWS);
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

fn store(y_base: u32, row: u32, col: u32, sum: Cell) {
  if (row < params.m && col < params.n) {

    y[(y_base + row * params.n + col) / CELL] = sum;

  }
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
  let first_col = tile.col + lane * 4u;
  // Rows and columns past the edge are read from the last one, and not stored.
  var a_at: array<u32, ROW_GROUPS>;
  for (var r = 0u; r < ROW_GROUPS; r++) {
    let row = min(tile.row + r * SUBGROUP + lane, params.m - 1u);
    a_at[r] = tile.a_base + row * params.a_row;
  }
  var b_at: array<vec4u, COL_GROUPS>;
  for (var c = 0u; c < COL_GROUPS; c++) {
    let col = first_col + c * GROUP_COLS;

    let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(params.n - 1u));
    b_at[c] = tile.b_base + cols * params.b_col;

  }
  var right: array<vec4f, COL_GROUPS>;
  var sum: array<array<vec4f, COL_GROUPS>, TILE_ROWS>;
  for (var k = tile.k_start; k < tile.k_end; k++) {
    for (var c = 0u; c < COL_GROUPS; c++) {
      let at = b_at[c] + k * params.b_step;

      right[c] = vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);

    }
    for (var r = 0u; r < ROW_GROUPS; r++) {
      let left = a[a_at[r] + k * params.a_step];
      for (var i = 0u; i < SUBGROUP; i++) {
        let row = r * SUBGROUP + i;
        let value = vec4f(subgroupShuffle(left, i));
        for (var c = 0u; c < COL_GROUPS; c++) {
          sum[row][c] = fma(value, right[c], sum[row][c]);
        }
      }
    }
  }
  for (var r = 0u; r < TILE_ROWS; r++) {
    for (var c = 0u; c < COL_GROUPS; c++) {
      let col = first_col + c * GROUP_COLS;

      store(tile.y_base, tile.row + r, col, sum[r][c].x);
      store(tile.y_base, tile.row + r, col + 1u, sum[r][c].y);
      store(tile.y_base, tile.row + r, col + 2u, sum[r][c].z);
      store(tile.y_base, tile.row + r, col + 3u, sum[r][c].w);

    }
  }
}
