// attentionBackward delta [2, 2, 5]; written by npm run shaders
const HEAD_SIZE: u32 = 3u;
const WORKGROUP: u32 = 64u;
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

alias Element = f32;
alias Quad = vec4f;

alias Stored = Element;
const PACK_WIDTH: u32 = 1u;

alias Pack = f32;
fn pack_sum(value: Pack) -> f32 {
  return value;
}

@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read_write> delta: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let blocks = (params.queries + WORKGROUP - 1u) / WORKGROUP;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  let row = head.block * WORKGROUP + lid.x;
  if (!head.exists || row >= params.queries) {
    return;
  }
  let start = (head.y + row * head.y_pitch) / PACK_WIDTH;
  var dots = Pack();
  for (var at = start; at < start + HEAD_SIZE / PACK_WIDTH; at++) {
    dots = fma(Pack(g[at]), Pack(y[at]), dots);
  }
  delta[head.lse + row] = pack_sum(dots);
}
