// attentionBackward dk, dv [2, 5, 6]; written by npm run shaders
alias Element = f32;
alias Quad = vec4f;

const HEAD_SIZE: u32 = 3u;
const WORKGROUP: u32 = 64u;
const LANE_COLS: u32 = 1u;

// Columns past the end are read from the last one, and not stored.
fn column(c: u32, lane: u32) -> u32 {
  return min(c * WORKGROUP + lane, HEAD_SIZE - 1u);
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

@group(0) @binding(0) var<storage, read> g: array<Element>;
@group(0) @binding(1) var<storage, read> qkv: array<Element>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;

@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> weights: array<f32, WORKGROUP>; // of this turn's queries
var<workgroup> dscores: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x;
  let head = find_head(flat_workgroup(wid, groups), params.tokens);
  if (!head.exists) {
    return;
  }
  let last_query = params.queries - 1u; // later ones are read from it
  let key = head.block;
  let k = head.k + key * head.pitch;
  let v = head.v + key * head.pitch;
  var dk: array<f32, LANE_COLS>;
  var dv: array<f32, LANE_COLS>;
  for (var first = 0u; first < params.queries; first += WORKGROUP) {
    let query = min(first + lane, last_query);
    let q = head.q + query * head.pitch;
    let g_at = head.y + query * head.y_pitch;
    var score = 0.0;
    var slope = 0.0;
    for (var d = 0u; d < HEAD_SIZE; d++) {
      score = fma(f32(qkv[q + d]), f32(qkv[k + d]), score);
      slope = fma(f32(g[g_at + d]), f32(qkv[v + d]), slope);
    }
    let p = exp(score * params.scale - lse[head.lse + query]);
    workgroupBarrier(); // the last turn's have been read

    weights[lane] = p;
    dscores[lane] = p * (slope - delta[head.lse + query]);

    workgroupBarrier();
    for (var c = 0u; c < LANE_COLS; c++) {
      for (var i = 0u; i < min(WORKGROUP, params.queries - first); i++) {
        let token = first + i;
        let q_at = head.q + token * head.pitch + column(c, lane);
        dk[c] = fma(dscores[i], f32(qkv[q_at]), dk[c]);
        dv[c] = fma(weights[i], f32(g[head.y + token * head.y_pitch + column(c, lane)]), dv[c]);
      }
    }
  }
  for (var c = 0u; c < LANE_COLS; c++) {
    if (c * WORKGROUP + lane < HEAD_SIZE) {
      dqkv[k + column(c, lane)] = dk[c] * params.scale;
      dqkv[v + column(c, lane)] = dv[c];
      if (key > last_query) {
        dqkv[head.q + key * head.pitch + column(c, lane)] = 0.0; // of no query
      }
    }
  }
}
