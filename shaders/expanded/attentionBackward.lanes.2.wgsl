// attentionBackward dq [2, 5, 6]; written by npm run shaders
enable subgroups;
alias Element = f32;
alias Quad = vec4f;

const HEAD_SIZE: u32 = 3u;
const SUBGROUP: u32 = 8u;
const LANE_TOKENS: u32 = 1u;
const TOKENS: u32 = LANE_TOKENS * SUBGROUP;
const ROWS: u32 = 2u;
const ROW_PACKS: u32 = HEAD_SIZE / PACK_WIDTH;
const ROW_LOADS: u32 = 1u;

const PACK_WIDTH: u32 = 1u;

alias Pack = f32;
fn pack_sum(value: Pack) -> f32 {
  return value;
}

alias Stored = Element;
alias Rows = array<Pack, ROW_LOADS>;
alias PerToken = array<f32, LANE_TOKENS>;
alias PerRow = array<PerToken, ROWS>;
alias Vectors = array<array<f32, HEAD_SIZE>, LANE_TOKENS>;

fn dots(vectors: ptr<function, Vectors>, rows: ptr<function, Rows>) -> PerRow {
  var sum0_0 = 0.0;
  var sum0_1 = 0.0;
  let value0_0 = subgroupBroadcast(rows[0], 0u);
  let value0_1 = subgroupBroadcast(rows[0], 3u);
  sum0_0 = fma(vectors[0][0], value0_0, sum0_0);
  sum0_1 = fma(vectors[0][0], value0_1, sum0_1);
  let value1_0 = subgroupBroadcast(rows[0], 1u);
  let value1_1 = subgroupBroadcast(rows[0], 4u);
  sum0_0 = fma(vectors[0][1], value1_0, sum0_0);
  sum0_1 = fma(vectors[0][1], value1_1, sum0_1);
  let value2_0 = subgroupBroadcast(rows[0], 2u);
  let value2_1 = subgroupBroadcast(rows[0], 5u);
  sum0_0 = fma(vectors[0][2], value2_0, sum0_0);
  sum0_1 = fma(vectors[0][2], value2_1, sum0_1);
  var sums: PerRow;
  sums[0][0] = sum0_0;
  sums[1][0] = sum0_1;
  return sums;
}

fn add_rows(
  vectors: ptr<function, Vectors>,
  weights: ptr<function, PerRow>,
  rows: ptr<function, Rows>,
) {
  let weight0_0 = weights[0][0];
  let weight0_1 = weights[1][0];
  let value0_0 = subgroupBroadcast(rows[0], 0u);
  let value0_1 = subgroupBroadcast(rows[0], 3u);
  var sum0_0 = vectors[0][0];
  sum0_0 = fma(weight0_0, value0_0, sum0_0);
  sum0_0 = fma(weight0_1, value0_1, sum0_0);
  vectors[0][0] = sum0_0;
  let value1_0 = subgroupBroadcast(rows[0], 1u);
  let value1_1 = subgroupBroadcast(rows[0], 4u);
  var sum1_0 = vectors[0][1];
  sum1_0 = fma(weight0_0, value1_0, sum1_0);
  sum1_0 = fma(weight0_1, value1_1, sum1_0);
  vectors[0][1] = sum1_0;
  let value2_0 = subgroupBroadcast(rows[0], 2u);
  let value2_1 = subgroupBroadcast(rows[0], 5u);
  var sum2_0 = vectors[0][2];
  sum2_0 = fma(weight0_0, value2_0, sum2_0);
  sum2_0 = fma(weight0_1, value2_1, sum2_0);
  vectors[0][2] = sum2_0;
}

fn set_pack(vectors: ptr<function, Vectors>, t: u32, d: u32, pack: Pack) {

  vectors[t][d] = pack;

}

fn pack_of(vectors: ptr<function, Vectors>, t: u32, d: u32) -> Pack {

  return vectors[t][d];

}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  batches: u32,
  tokens: u32,
  queries: u32, // the first tokens, whose y is wanted
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
    sample * params.queries * width + head * HEAD_SIZE,
    index * params.queries,
  );
}

@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read> qkv: array<Stored>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<Pack>;

@group(0) @binding(5) var<uniform> params: Params;

fn qkv_rows(start: u32, step: u32, lane: u32) -> Rows {
  var rows: Rows;
  for (var i = 0u; i < ROW_LOADS; i++) {
    let pack = min(i * SUBGROUP + lane, ROWS * ROW_PACKS - 1u);
    let at = start / PACK_WIDTH + select(pack, step / PACK_WIDTH + pack - ROW_PACKS, pack >= ROW_PACKS);
    rows[i] = Pack(qkv[at]);
  }
  return rows;
}

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let blocks = (params.queries + TOKENS - 1u) / TOKENS;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  if (!head.exists) {
    return;
  }
  let first = head.block * TOKENS + lane;
  let last = params.tokens - 1u;
  let last_query = params.queries - 1u; // later ones are read from it
  var queries: Vectors;
  var cotangents: Vectors;
  var row_lse: PerToken;
  var row_delta: PerToken;
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let token = min(first + t * SUBGROUP, last_query);
    for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
      let query = Pack(qkv[(head.q + token * head.pitch + d) / PACK_WIDTH]);
      set_pack(&queries, t, d, query * params.scale);
      set_pack(&cotangents, t, d, Pack(g[(head.y + token * head.y_pitch + d) / PACK_WIDTH]));
    }
    row_lse[t] = lse[head.lse + token];
    row_delta[t] = delta[head.lse + token];
  }
  var dq = Vectors();

  for (var key = 0u; key <= last; key += ROWS) {

    let step = select(0u, head.pitch, key < last); // the last passes by twice, once without weight
    var k = qkv_rows(head.k + key * head.pitch, step, lane);
    var v = qkv_rows(head.v + key * head.pitch, step, lane);
    let score = dots(&queries, &k);
    var slope = dots(&cotangents, &v);
    var dscore: PerRow;
    for (var row = 0u; row < ROWS; row++) {
      for (var t = 0u; t < LANE_TOKENS; t++) {

        let weight = select(0.0, exp(score[row][t] - row_lse[t]), key + row <= last);
        dscore[row][t] = weight * (slope[row][t] - row_delta[t]);
      }
    }
    add_rows(&dq, &dscore, &k);
  }
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let query = first + t * SUBGROUP;
    if (query <= last_query) {
      for (var d = 0u; d < params.head_size; d += PACK_WIDTH) {
        dqkv[(head.q + query * head.pitch + d) / PACK_WIDTH] = pack_of(&dq, t, d) * params.scale;
      }
    }
  }
}
