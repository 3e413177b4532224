// attention y [2, 5, 6]; written by npm run shaders
alias Element = f32;
alias Quad = vec4f;

const HEAD_SIZE: u32 = 3u;
const WORKGROUP: u32 = 64u;
const LANE_COLS: u32 = 1u;

// Columns past the end are read from the last one, and not stored.
fn column(c: u32, lane: u32) -> u32 {
  return min(c * WORKGROUP + lane, HEAD_SIZE - 1u);
}

const ROW_LANES: u32 = 64u;
const LOWEST: f32 = -3.4028234e38;

var<workgroup> row_partials: array<f32, 64>;
fn row_sum(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  row_partials[lane] = value;
  workgroupBarrier();
  for (var width = ROW_LANES / 2u; width > 0u; width /= 2u) {
    if (lane < width) {
      row_partials[lane] += row_partials[lane + width];
    }
    workgroupBarrier();
  }
  return row_partials[0];
}
fn row_max(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  row_partials[lane] = value;
  workgroupBarrier();
  for (var width = ROW_LANES / 2u; width > 0u; width /= 2u) {
    if (lane < width) {
      row_partials[lane] = max(row_partials[lane], row_partials[lane + width]);
    }
    workgroupBarrier();
  }
  return row_partials[0];
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

@group(0) @binding(0) var<storage, read> qkv: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;

@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> weights: array<f32, WORKGROUP>; // of this turn's keys

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x;
  let head = find_head(flat_workgroup(wid, groups), params.queries);
  if (!head.exists) {
    return;
  }
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  let query = head.block;
  let q = head.q + query * head.pitch;
  var largest = LOWEST;
  var total = 0.0;
  var sums: array<f32, LANE_COLS>;
  for (var first = 0u; first < params.tokens; first += WORKGROUP) {
    let key = first + lane;
    let k = head.k + min(key, last) * head.pitch;
    var score = 0.0;
    for (var d = 0u; d < HEAD_SIZE; d++) {
      score = fma(f32(qkv[q + d]), f32(qkv[k + d]), score);
    }
    score *= params.scale;
    // A token past the end repeats the last: no new maximum. All lanes have read weights by then.
    let top = max(largest, row_max(score, lane));
    let weight = select(0.0, exp(score - top), key <= last);
    let shrink = exp(largest - top);
    largest = top;
    total = fma(total, shrink, row_sum(weight, lane));

    weights[lane] = weight;

    workgroupBarrier();
    for (var c = 0u; c < LANE_COLS; c++) {
      let v = head.v + first * head.pitch + column(c, lane);
      var added = 0.0;
      for (var i = 0u; i < min(WORKGROUP, params.tokens - first); i++) {
        added = fma(weights[i], f32(qkv[v + i * head.pitch]), added);
      }
      sums[c] = fma(sums[c], shrink, added);
    }
  }
  for (var c = 0u; c < LANE_COLS; c++) {
    if (c * WORKGROUP + lane < HEAD_SIZE) {

      let sum = sums[c];

      y[head.y + query * head.y_pitch + column(c, lane)] = Element(sum / total);
    }
  }
  if (lane == 0u) {
    lse[head.lse + query] = largest + log(total);
  }
}
