// attentionBackward dk, dv [2, 5, 6]; written by npm run shaders
enable subgroups;
const HEAD_SIZE: u32 = 3u;
const SUBGROUP: u32 = 8u;
const ROW_GROUPS: u32 = 2u;
const ROWS: u32 = SUBGROUP * ROW_GROUPS;
const LANE_COLS: u32 = 8u;
const COLS: u32 = SUBGROUP * LANE_COLS;
const LANE_DIMS: u32 = 1u;

alias PerGroup = array<f32, ROW_GROUPS>; // of the rows that this lane loads
alias PerRow = array<f32, ROWS>;
alias PerCol = array<f32, LANE_COLS>;
alias PerDim = array<f32, LANE_DIMS>;
alias Tile = array<PerCol, ROWS>;
alias Result = array<PerDim, ROWS>;

// tile[row][col] += the row's element · the column's element
fn add_products(
  tile: ptr<function, Tile>,
  row_elements: ptr<function, PerGroup>,
  col_elements: ptr<function, PerCol>,
) {
  let col0 = col_elements[0];
  let col1 = col_elements[1];
  let col2 = col_elements[2];
  let col3 = col_elements[3];
  let col4 = col_elements[4];
  let col5 = col_elements[5];
  let col6 = col_elements[6];
  let col7 = col_elements[7];
  let value0 = subgroupBroadcast(row_elements[0], 0u);
  tile[0][0] = fma(value0, col0, tile[0][0]);
  tile[0][1] = fma(value0, col1, tile[0][1]);
  tile[0][2] = fma(value0, col2, tile[0][2]);
  tile[0][3] = fma(value0, col3, tile[0][3]);
  tile[0][4] = fma(value0, col4, tile[0][4]);
  tile[0][5] = fma(value0, col5, tile[0][5]);
  tile[0][6] = fma(value0, col6, tile[0][6]);
  tile[0][7] = fma(value0, col7, tile[0][7]);
  let value1 = subgroupBroadcast(row_elements[0], 1u);
  tile[1][0] = fma(value1, col0, tile[1][0]);
  tile[1][1] = fma(value1, col1, tile[1][1]);
  tile[1][2] = fma(value1, col2, tile[1][2]);
  tile[1][3] = fma(value1, col3, tile[1][3]);
  tile[1][4] = fma(value1, col4, tile[1][4]);
  tile[1][5] = fma(value1, col5, tile[1][5]);
  tile[1][6] = fma(value1, col6, tile[1][6]);
  tile[1][7] = fma(value1, col7, tile[1][7]);
  let value2 = subgroupBroadcast(row_elements[0], 2u);
  tile[2][0] = fma(value2, col0, tile[2][0]);
  tile[2][1] = fma(value2, col1, tile[2][1]);
  tile[2][2] = fma(value2, col2, tile[2][2]);
  tile[2][3] = fma(value2, col3, tile[2][3]);
  tile[2][4] = fma(value2, col4, tile[2][4]);
  tile[2][5] = fma(value2, col5, tile[2][5]);
  tile[2][6] = fma(value2, col6, tile[2][6]);
  tile[2][7] = fma(value2, col7, tile[2][7]);
  let value3 = subgroupBroadcast(row_elements[0], 3u);
  tile[3][0] = fma(value3, col0, tile[3][0]);
  tile[3][1] = fma(value3, col1, tile[3][1]);
  tile[3][2] = fma(value3, col2, tile[3][2]);
  tile[3][3] = fma(value3, col3, tile[3][3]);
  tile[3][4] = fma(value3, col4, tile[3][4]);
  tile[3][5] = fma(value3, col5, tile[3][5]);
  tile[3][6] = fma(value3, col6, tile[3][6]);
  tile[3][7] = fma(value3, col7, tile[3][7]);
  let value4 = subgroupBroadcast(row_elements[0], 4u);
  tile[4][0] = fma(value4, col0, tile[4][0]);
  tile[4][1] = fma(value4, col1, tile[4][1]);
  tile[4][2] = fma(value4, col2, tile[4][2]);
  tile[4][3] = fma(value4, col3, tile[4][3]);
  tile[4][4] = fma(value4, col4, tile[4][4]);
  tile[4][5] = fma(value4, col5, tile[4][5]);
  tile[4][6] = fma(value4, col6, tile[4][6]);
  tile[4][7] = fma(value4, col7, tile[4][7]);
  let value5 = subgroupBroadcast(row_elements[0], 5u);
  tile[5][0] = fma(value5, col0, tile[5][0]);
  tile[5][1] = fma(value5, col1, tile[5][1]);
  tile[5][2] = fma(value5, col2, tile[5][2]);
  tile[5][3] = fma(value5, col3, tile[5][3]);
  tile[5][4] = fma(value5, col4, tile[5][4]);
  tile[5][5] = fma(value5, col5, tile[5][5]);
  tile[5][6] = fma(value5, col6, tile[5][6]);
  tile[5][7] = fma(value5, col7, tile[5][7]);
  let value6 = subgroupBroadcast(row_elements[0], 6u);
  tile[6][0] = fma(value6, col0, tile[6][0]);
  tile[6][1] = fma(value6, col1, tile[6][1]);
  tile[6][2] = fma(value6, col2, tile[6][2]);
  tile[6][3] = fma(value6, col3, tile[6][3]);
  tile[6][4] = fma(value6, col4, tile[6][4]);
  tile[6][5] = fma(value6, col5, tile[6][5]);
  tile[6][6] = fma(value6, col6, tile[6][6]);
  tile[6][7] = fma(value6, col7, tile[6][7]);
  let value7 = subgroupBroadcast(row_elements[0], 7u);
  tile[7][0] = fma(value7, col0, tile[7][0]);
  tile[7][1] = fma(value7, col1, tile[7][1]);
  tile[7][2] = fma(value7, col2, tile[7][2]);
  tile[7][3] = fma(value7, col3, tile[7][3]);
  tile[7][4] = fma(value7, col4, tile[7][4]);
  tile[7][5] = fma(value7, col5, tile[7][5]);
  tile[7][6] = fma(value7, col6, tile[7][6]);
  tile[7][7] = fma(value7, col7, tile[7][7]);
  let value8 = subgroupBroadcast(row_elements[1], 0u);
  tile[8][0] = fma(value8, col0, tile[8][0]);
  tile[8][1] = fma(value8, col1, tile[8][1]);
  tile[8][2] = fma(value8, col2, tile[8][2]);
  tile[8][3] = fma(value8, col3, tile[8][3]);
  tile[8][4] = fma(value8, col4, tile[8][4]);
  tile[8][5] = fma(value8, col5, tile[8][5]);
  tile[8][6] = fma(value8, col6, tile[8][6]);
  tile[8][7] = fma(value8, col7, tile[8][7]);
  let value9 = subgroupBroadcast(row_elements[1], 1u);
  tile[9][0] = fma(value9, col0, tile[9][0]);
  tile[9][1] = fma(value9, col1, tile[9][1]);
  tile[9][2] = fma(value9, col2, tile[9][2]);
  tile[9][3] = fma(value9, col3, tile[9][3]);
  tile[9][4] = fma(value9, col4, tile[9][4]);
  tile[9][5] = fma(value9, col5, tile[9][5]);
  tile[9][6] = fma(value9, col6, tile[9][6]);
  tile[9][7] = fma(value9, col7, tile[9][7]);
  let value10 = subgroupBroadcast(row_elements[1], 2u);
  tile[10][0] = fma(value10, col0, tile[10][0]);
  tile[10][1] = fma(value10, col1, tile[10][1]);
  tile[10][2] = fma(value10, col2, tile[10][2]);
  tile[10][3] = fma(value10, col3, tile[10][3]);
  tile[10][4] = fma(value10, col4, tile[10][4]);
  tile[10][5] = fma(value10, col5, tile[10][5]);
  tile[10][6] = fma(value10, col6, tile[10][6]);
  tile[10][7] = fma(value10, col7, tile[10][7]);
  let value11 = subgroupBroadcast(row_elements[1], 3u);
  tile[11][0] = fma(value11, col0, tile[11][0]);
  tile[11][1] = fma(value11, col1, tile[11][1]);
  tile[11][2] = fma(value11, col2, tile[11][2]);
  tile[11][3] = fma(value11, col3, tile[11][3]);
  tile[11][4] = fma(value11, col4, tile[11][4]);
  tile[11][5] = fma(value11, col5, tile[11][5]);
  tile[11][6] = fma(value11, col6, tile[11][6]);
  tile[11][7] = fma(value11, col7, tile[11][7]);
  let value12 = subgroupBroadcast(row_elements[1], 4u);
  tile[12][0] = fma(value12, col0, tile[12][0]);
  tile[12][1] = fma(value12, col1, tile[12][1]);
  tile[12][2] = fma(value12, col2, tile[12][2]);
  tile[12][3] = fma(value12, col3, tile[12][3]);
  tile[12][4] = fma(value12, col4, tile[12][4]);
  tile[12][5] = fma(value12, col5, tile[12][5]);
  tile[12][6] = fma(value12, col6, tile[12][6]);
  tile[12][7] = fma(value12, col7, tile[12][7]);
  let value13 = subgroupBroadcast(row_elements[1], 5u);
  tile[13][0] = fma(value13, col0, tile[13][0]);
  tile[13][1] = fma(value13, col1, tile[13][1]);
  tile[13][2] = fma(value13, col2, tile[13][2]);
  tile[13][3] = fma(value13, col3, tile[13][3]);
  tile[13][4] = fma(value13, col4, tile[13][4]);
  tile[13][5] = fma(value13, col5, tile[13][5]);
  tile[13][6] = fma(value13, col6, tile[13][6]);
  tile[13][7] = fma(value13, col7, tile[13][7]);
  let value14 = subgroupBroadcast(row_elements[1], 6u);
  tile[14][0] = fma(value14, col0, tile[14][0]);
  tile[14][1] = fma(value14, col1, tile[14][1]);
  tile[14][2] = fma(value14, col2, tile[14][2]);
  tile[14][3] = fma(value14, col3, tile[14][3]);
  tile[14][4] = fma(value14, col4, tile[14][4]);
  tile[14][5] = fma(value14, col5, tile[14][5]);
  tile[14][6] = fma(value14, col6, tile[14][6]);
  tile[14][7] = fma(value14, col7, tile[14][7]);
  let value15 = subgroupBroadcast(row_elements[1], 7u);
  tile[15][0] = fma(value15, col0, tile[15][0]);
  tile[15][1] = fma(value15, col1, tile[15][1]);
  tile[15][2] = fma(value15, col2, tile[15][2]);
  tile[15][3] = fma(value15, col3, tile[15][3]);
  tile[15][4] = fma(value15, col4, tile[15][4]);
  tile[15][5] = fma(value15, col5, tile[15][5]);
  tile[15][6] = fma(value15, col6, tile[15][6]);
  tile[15][7] = fma(value15, col7, tile[15][7]);
}

// result[row] += the row's weight, as lane holder has it, · this lane's elements of the vector
fn add_weighted(
  result: ptr<function, Result>,
  weights: ptr<function, PerRow>,
  holder: u32,
  vector: ptr<function, PerDim>,
) {
  let element0 = vector[0];
  let value0 = subgroupShuffle(weights[0], holder);
  result[0][0] = fma(value0, element0, result[0][0]);
  let value1 = subgroupShuffle(weights[1], holder);
  result[1][0] = fma(value1, element0, result[1][0]);
  let value2 = subgroupShuffle(weights[2], holder);
  result[2][0] = fma(value2, element0, result[2][0]);
  let value3 = subgroupShuffle(weights[3], holder);
  result[3][0] = fma(value3, element0, result[3][0]);
  let value4 = subgroupShuffle(weights[4], holder);
  result[4][0] = fma(value4, element0, result[4][0]);
  let value5 = subgroupShuffle(weights[5], holder);
  result[5][0] = fma(value5, element0, result[5][0]);
  let value6 = subgroupShuffle(weights[6], holder);
  result[6][0] = fma(value6, element0, result[6][0]);
  let value7 = subgroupShuffle(weights[7], holder);
  result[7][0] = fma(value7, element0, result[7][0]);
  let value8 = subgroupShuffle(weights[8], holder);
  result[8][0] = fma(value8, element0, result[8][0]);
  let value9 = subgroupShuffle(weights[9], holder);
  result[9][0] = fma(value9, element0, result[9][0]);
  let value10 = subgroupShuffle(weights[10], holder);
  result[10][0] = fma(value10, element0, result[10][0]);
  let value11 = subgroupShuffle(weights[11], holder);
  result[11][0] = fma(value11, element0, result[11][0]);
  let value12 = subgroupShuffle(weights[12], holder);
  result[12][0] = fma(value12, element0, result[12][0]);
  let value13 = subgroupShuffle(weights[13], holder);
  result[13][0] = fma(value13, element0, result[13][0]);
  let value14 = subgroupShuffle(weights[14], holder);
  result[14][0] = fma(value14, element0, result[14][0]);
  let value15 = subgroupShuffle(weights[15], holder);
  result[15][0] = fma(value15, element0, result[15][0]);
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  batches: u32,
  tokens: u32,
  heads: u32,
  scale: f32, // 1 / √HEAD_SIZE
  head_size: u32, // = HEAD_SIZE, for loops that compilers must not unroll: their bodies are large
}

struct Head {
  exists: bool, // false in the surplus workgroups of a folded grid
  block: u32, // of tokens, within the head
  pitch: u32, // elements from one token of qkv to the next
  q: u32, // elements where the head's q, k and v start in qkv
  k: u32,
  v: u32,
  y_pitch: u32, // elements from one token of y to the next
  y: u32, // element where the head starts in y
  lse: u32, // and in lse
}

// The head and the block of tokens of a workgroup, the blocks of a head side by side.
fn find_head(group: u32, blocks: u32) -> Head {
  let index = group / blocks; // = sample · heads + head
  let sample = index / params.heads;
  let head = index % params.heads;
  let width = params.heads * HEAD_SIZE;
  let q = sample * params.tokens * 3u * width + head * HEAD_SIZE;
  return Head(
    sample < params.batches,
    group % blocks,
    3u * width,
    q,
    q + width,
    q + 2u * width,
    width,
    sample * params.tokens * width + head * HEAD_SIZE,
    index * params.tokens,
  );
}

@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let blocks = (params.tokens + ROWS - 1u) / ROWS;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  if (!head.exists) {
    return;
  }
  let first_row = head.block * ROWS;
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  var k_at: array<u32, ROW_GROUPS>;
  var v_at: array<u32, ROW_GROUPS>;
  for (var group = 0u; group < ROW_GROUPS; group++) {
    let row = min(first_row + group * SUBGROUP + lane, last);
    k_at[group] = head.k + row * head.pitch;
    v_at[group] = head.v + row * head.pitch;
  }
  var dims: array<u32, LANE_DIMS>;
  for (var d = 0u; d < LANE_DIMS; d++) {
    dims[d] = min(d * SUBGROUP + lane, HEAD_SIZE - 1u);
  }
  var dk: Result;
  var dv: Result;
  for (var first_col = 0u; first_col < params.tokens; first_col += COLS) {
    var q_at: array<u32, LANE_COLS>;
    var g_at: array<u32, LANE_COLS>;
    var col_lse: PerCol;
    var col_delta: PerCol;
    for (var j = 0u; j < LANE_COLS; j++) {
      let token = min(first_col + j * SUBGROUP + lane, last);
      q_at[j] = head.q + token * head.pitch;
      g_at[j] = head.y + token * head.y_pitch;
      col_lse[j] = lse[head.lse + token];
      col_delta[j] = delta[head.lse + token];
    }
    var score = Tile();
    var slope = Tile();
    for (var c = 0u; c < params.head_size; c++) {
      var queries: PerCol;
      for (var j = 0u; j < LANE_COLS; j++) {
        queries[j] = qkv[q_at[j] + c];
      }
      var key: PerGroup;
      for (var group = 0u; group < ROW_GROUPS; group++) {
        key[group] = qkv[k_at[group] + c];
      }
      add_products(&score, &key, &queries);
    }
    for (var c = 0u; c < params.head_size; c++) {
      var cotangents: PerCol;
      for (var j = 0u; j < LANE_COLS; j++) {
        cotangents[j] = g[g_at[j] + c];
      }
      var weight: PerGroup;
      for (var group = 0u; group < ROW_GROUPS; group++) {
        weight[group] = qkv[v_at[group] + c];
      }
      add_products(&slope, &weight, &cotangents);
    }
    var p: array<PerRow, LANE_COLS>; // of this lane's queries
    var dscore: array<PerRow, LANE_COLS>;
    for (var r = 0u; r < ROWS; r++) {
      for (var j = 0u; j < LANE_COLS; j++) {
        let weight = exp(fma(score[r][j], params.scale, -col_lse[j]));
        p[j][r] = weight;
        dscore[j][r] = weight * (slope[r][j] - col_delta[j]);
      }
    }
    // The bounds are not constant, so that the loops stay loops: their bodies are large.
    let cols = min(COLS, params.tokens - first_col);
    for (var j = 0u; j * SUBGROUP < cols; j++) {
      var my_p: PerRow;
      var my_dscore: PerRow;
      for (var r = 0u; r < ROWS; r++) {
        my_p[r] = p[j][r];
        my_dscore[r] = dscore[j][r];
      }
      for (var i = 0u; i < min(SUBGROUP, cols - j * SUBGROUP); i++) {
        let token = first_col + j * SUBGROUP + i;
        var query: PerDim;
        var cotangent: PerDim;
        for (var d = 0u; d < LANE_DIMS; d++) {
          query[d] = qkv[head.q + token * head.pitch + dims[d]];
          cotangent[d] = g[head.y + token * head.y_pitch + dims[d]];
        }
        add_weighted(&dv, &my_p, i, &cotangent);
        add_weighted(&dk, &my_dscore, i, &query);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var d = 0u; d < LANE_DIMS; d++) {
      if (first_row + r <= last && d * SUBGROUP + lane < HEAD_SIZE) {
        let at = (first_row + r) * head.pitch + dims[d];
        dqkv[head.k + at] = dk[r][d] * params.scale;
        dqkv[head.v + at] = dv[r][d];
      }
    }
  }
}
