// attentionMaps maps [2, 2, 5, 5]; written by npm run shaders
const HEAD_SIZE: u32 = 3u;
const WORKGROUP: u32 = 64u;
const LOWEST: f32 = -3.4028234e38;
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

@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> maps: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let blocks = (params.tokens + WORKGROUP - 1u) / WORKGROUP;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  let row = head.block * WORKGROUP + lid.x;
  if (!head.exists || row >= params.tokens) {
    return;
  }
  let q_at = head.q + row * head.pitch;
  let base = (head.lse + row) * params.tokens;
  var largest = LOWEST;
  for (var key = 0u; key < params.tokens; key++) {
    let k_at = head.k + key * head.pitch;
    var dot = 0.0;
    for (var d = 0u; d < HEAD_SIZE; d++) {
      dot = fma(qkv[q_at + d], qkv[k_at + d], dot);
    }
    maps[base + key] = dot * params.scale;
    largest = max(largest, dot * params.scale);
  }
  var total = 0.0;
  for (var key = 0u; key < params.tokens; key++) {
    let weight = exp(maps[base + key] - largest);
    maps[base + key] = weight;
    total += weight;
  }
  for (var key = 0u; key < params.tokens; key++) {
    maps[base + key] /= total;
  }
}
