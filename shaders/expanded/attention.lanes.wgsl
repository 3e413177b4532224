// attention y [2, 5, 6]; written by npm run shaders
enable subgroups;
diagnostic(off, subgroup_uniformity); // the outer loop ends by subgroupAny, for all lanes at once
alias Element = f32;
alias Quad = vec4f;

const HEAD_SIZE: u32 = 3u;
const SUBGROUP: u32 = 8u;
const LANE_TOKENS: u32 = 1u;
const TOKENS: u32 = LANE_TOKENS * SUBGROUP;
const ROW_LOADS: u32 = 1u;

alias Row = array<f32, ROW_LOADS>; // lane l holds elements l, l + SUBGROUP, …
alias PerToken = array<f32, LANE_TOKENS>; // of this lane's tokens
alias Vectors = array<array<f32, HEAD_SIZE>, LANE_TOKENS>;

// The products of each of the lane's vectors with the row.
fn dots(vectors: ptr<function, Vectors>, row: ptr<function, Row>) -> PerToken {
  var sum0 = 0.0;
  let value0 = subgroupBroadcast(row[0], 0u);
  sum0 = fma(vectors[0][0], value0, sum0);
  let value1 = subgroupBroadcast(row[0], 1u);
  sum0 = fma(vectors[0][1], value1, sum0);
  let value2 = subgroupBroadcast(row[0], 2u);
  sum0 = fma(vectors[0][2], value2, sum0);
  var sums: PerToken;
  sums[0] = sum0;
  return sums;
}

// vectors[t] += weights[t] · row
fn add_rows(
  vectors: ptr<function, Vectors>,
  weights: ptr<function, PerToken>,
  row: ptr<function, Row>,
) {
  let weight0 = weights[0];
  let value0 = subgroupBroadcast(row[0], 0u);
  vectors[0][0] = fma(weight0, value0, vectors[0][0]);
  let value1 = subgroupBroadcast(row[0], 1u);
  vectors[0][1] = fma(weight0, value1, vectors[0][1]);
  let value2 = subgroupBroadcast(row[0], 2u);
  vectors[0][2] = fma(weight0, value2, vectors[0][2]);
}

const LOWEST: f32 = -3.4028234e38;
const FAR: f32 = 24.0; // exp(±24) is far from f32's ends, and as exact as a score of 24 is
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

@group(0) @binding(0) var<storage, read> qkv: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;

@group(0) @binding(3) var<uniform> params: Params;

fn qkv_row(start: u32, lane: u32) -> Row {
  var row: Row;
  for (var i = 0u; i < ROW_LOADS; i++) {
    row[i] = f32(qkv[start + min(i * SUBGROUP + lane, HEAD_SIZE - 1u)]);
  }
  return row;
}

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let blocks = (params.tokens + TOKENS - 1u) / TOKENS;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  if (!head.exists) {
    return;
  }
  let first = head.block * TOKENS + lane;
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  var queries: Vectors;
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let start = head.q + min(first + t * SUBGROUP, last) * head.pitch;
    for (var d = 0u; d < params.head_size; d++) {
      queries[t][d] = f32(qkv[start + d]) * params.scale;
    }
  }
  var total: PerToken;
  var sums: Vectors;
  var shift = PerToken();

  loop {
    var largest: PerToken;
    for (var t = 0u; t < LANE_TOKENS; t++) {
      largest[t] = LOWEST;
    }
    total = PerToken();
    sums = Vectors();
    for (var key = 0u; key <= last; key++) {

      var k = qkv_row(head.k + key * head.pitch, lane);
      var v = qkv_row(head.v + key * head.pitch, lane);
      var weights = dots(&queries, &k);
      for (var t = 0u; t < LANE_TOKENS; t++) {
        largest[t] = max(largest[t], weights[t]);
        weights[t] = exp(weights[t] - shift[t]);
        total[t] += weights[t];

      }
      add_rows(&sums, &weights, &v);
    }
    var is_far = false;
    for (var t = 0u; t < LANE_TOKENS; t++) {
      let far = abs(largest[t] - shift[t]) > FAR;
      shift[t] = select(shift[t], largest[t], far);
      is_far |= far;
    }
    if (!subgroupAny(is_far)) {
      break;
    }
  }
  for (var t = 0u; t < LANE_TOKENS; t++) {
    let query = first + t * SUBGROUP;
    if (query <= last) {
      for (var d = 0u; d < params.head_size; d++) {

        y[head.y + query * head.y_pitch + d] = Element(sums[t][d] / total[t]);

      }
      lse[head.lse + query] = shift[t] + log(total[t]);
    }
  }
}
