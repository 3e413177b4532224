// attentionBackward dq [2, 5, 6]; written by npm run shaders
enable subgroups;
const HEAD_SIZE: u32 = 3u;
const SUBGROUP: u32 = 8u;
const ROW_GROUPS: u32 = 2u;
const ROWS: u32 = SUBGROUP * ROW_GROUPS;
const LANE_COLS: u32 = 8u;
const COLS: u32 = SUBGROUP * LANE_COLS;
const LANE_DIMS: u32 = 1u; // columns of dq that a lane adds up
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
  var q_at: array<u32, ROW_GROUPS>;
  var g_at: array<u32, ROW_GROUPS>;
  var row_lse: array<f32, ROWS>;
  var row_delta: array<f32, ROWS>;
  for (var group = 0u; group < ROW_GROUPS; group++) {
    let row = min(first_row + group * SUBGROUP + lane, last);
    q_at[group] = head.q + row * head.pitch;
    g_at[group] = head.y + row * head.y_pitch;
    let lane_lse = lse[head.lse + row];
    let lane_delta = delta[head.lse + row];
    for (var i = 0u; i < SUBGROUP; i++) {
      row_lse[group * SUBGROUP + i] = subgroupShuffle(lane_lse, i);
      row_delta[group * SUBGROUP + i] = subgroupShuffle(lane_delta, i);
    }
  }
  var dims: array<u32, LANE_DIMS>;
  for (var d = 0u; d < LANE_DIMS; d++) {
    dims[d] = min(d * SUBGROUP + lane, HEAD_SIZE - 1u);
  }
  var sum: array<array<f32, LANE_DIMS>, ROWS>;
  for (var first_col = 0u; first_col < params.tokens; first_col += COLS) {
    var k_at: array<u32, LANE_COLS>;
    var v_at: array<u32, LANE_COLS>;
    for (var j = 0u; j < LANE_COLS; j++) {
      let token = min(first_col + j * SUBGROUP + lane, last);
      k_at[j] = head.k + token * head.pitch;
      v_at[j] = head.v + token * head.pitch;
    }
    var score = array<array<f32, LANE_COLS>, ROWS>();
    var slope = array<array<f32, LANE_COLS>, ROWS>();
    for (var c = 0u; c < params.head_size; c++) {
      var keys: array<f32, LANE_COLS>;
      for (var j = 0u; j < LANE_COLS; j++) {
        keys[j] = qkv[k_at[j] + c];
      }
      for (var group = 0u; group < ROW_GROUPS; group++) {
        let query = qkv[q_at[group] + c];
        for (var i = 0u; i < SUBGROUP; i++) {
          let r = group * SUBGROUP + i;
          let value = subgroupShuffle(query, i);
          for (var j = 0u; j < LANE_COLS; j++) {
            score[r][j] = fma(value, keys[j], score[r][j]);
          }
        }
      }
    }
    for (var c = 0u; c < params.head_size; c++) {
      var values: array<f32, LANE_COLS>;
      for (var j = 0u; j < LANE_COLS; j++) {
        values[j] = qkv[v_at[j] + c];
      }
      for (var group = 0u; group < ROW_GROUPS; group++) {
        let cotangent = g[g_at[group] + c];
        for (var i = 0u; i < SUBGROUP; i++) {
          let r = group * SUBGROUP + i;
          let value = subgroupShuffle(cotangent, i);
          for (var j = 0u; j < LANE_COLS; j++) {
            slope[r][j] = fma(value, values[j], slope[r][j]);
          }
        }
      }
    }
    var dscore: array<array<f32, ROWS>, LANE_COLS>; // of this lane's keys
    for (var r = 0u; r < ROWS; r++) {
      for (var j = 0u; j < LANE_COLS; j++) {
        let p = exp(fma(score[r][j], params.scale, -row_lse[r]));
        dscore[j][r] = p * (slope[r][j] - row_delta[r]);
      }
    }
    // The bounds are not constant, so that the loops stay loops: their bodies are large.
    let cols = min(COLS, params.tokens - first_col);
    for (var j = 0u; j * SUBGROUP < cols; j++) {
      var mine: array<f32, ROWS>;
      for (var r = 0u; r < ROWS; r++) {
        mine[r] = dscore[j][r];
      }
      for (var i = 0u; i < min(SUBGROUP, cols - j * SUBGROUP); i++) {
        let key_at = head.k + (first_col + j * SUBGROUP + i) * head.pitch;
        var key: array<f32, LANE_DIMS>;
        for (var d = 0u; d < LANE_DIMS; d++) {
          key[d] = qkv[key_at + dims[d]];
        }
        for (var r = 0u; r < ROWS; r++) {
          let value = subgroupShuffle(mine[r], i);
          for (var d = 0u; d < LANE_DIMS; d++) {
            sum[r][d] = fma(value, key[d], sum[r][d]);
          }
        }
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var d = 0u; d < LANE_DIMS; d++) {
      if (first_row + r <= last && d * SUBGROUP + lane < HEAD_SIZE) {
        dqkv[head.q + (first_row + r) * head.pitch + dims[d]] = sum[r][d] * params.scale;
      }
    }
  }
}
