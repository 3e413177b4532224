// attentionBackward dk, dv [2, 5, 6]; written by npm run shaders
const HEAD_SIZE: u32 = 3u;
const PARTS: u32 = 1u; // vec4f of a row; zeros fill the last one
const TILE: u32 = 16u;
const WORKGROUP: u32 = 64u;
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

alias Element = f32;
alias Quad = vec4f;

@group(0) @binding(0) var<storage, read> g: array<Element>;
@group(0) @binding(1) var<storage, read> qkv: array<Element>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;

@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> queries: array<vec4f, 16>; // [TILE, PARTS]
var<workgroup> cotangents: array<vec4f, 16>;

fn qkv_part(start: u32, part: u32) -> vec4f {
  let d = vec4u(0u, 1u, 2u, 3u) + 4u * part;
  let at = start + min(d, vec4u(HEAD_SIZE - 1u));
  let value = vec4f(Quad(qkv[at.x], qkv[at.y], qkv[at.z], qkv[at.w]));
  return select(vec4f(), value, d < vec4u(HEAD_SIZE));
}

fn g_part(start: u32, part: u32) -> vec4f {
  let d = vec4u(0u, 1u, 2u, 3u) + 4u * part;
  let at = start + min(d, vec4u(HEAD_SIZE - 1u));
  let value = vec4f(Quad(g[at.x], g[at.y], g[at.z], g[at.w]));
  return select(vec4f(), value, d < vec4u(HEAD_SIZE));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let blocks = (params.tokens + WORKGROUP - 1u) / WORKGROUP;
  let head = find_head(flat_workgroup(wid, groups), blocks);
  if (!head.exists) {
    return;
  }
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  let wanted = head.block * WORKGROUP + lid.x;
  let row = min(wanted, last);
  var key: array<vec4f, PARTS>;
  var value: array<vec4f, PARTS>;
  var dk: array<vec4f, PARTS>;
  var dv: array<vec4f, PARTS>;
  for (var part = 0u; part < PARTS; part++) {
    key[part] = qkv_part(head.k + row * head.pitch, part) * params.scale;
    value[part] = qkv_part(head.v + row * head.pitch, part);
  }
  for (var first = 0u; first < params.tokens; first += TILE) {
    workgroupBarrier(); // the last tile has been read
    for (var index = lid.x; index < TILE * PARTS; index += WORKGROUP) {
      let token = min(first + index / PARTS, last);
      queries[index] = qkv_part(head.q + token * head.pitch, index % PARTS);
      cotangents[index] = g_part(head.y + token * head.y_pitch, index % PARTS);
    }

    workgroupBarrier();
    for (var query = 0u; query < min(TILE, params.tokens - first); query++) {
      var score = vec4f();
      var slope = vec4f();
      for (var part = 0u; part < PARTS; part++) {
        score = fma(key[part], queries[query * PARTS + part], score);
        slope = fma(value[part], cotangents[query * PARTS + part], slope);
      }

      let p = exp(score.x + score.y + (score.z + score.w) - lse[head.lse + first + query]);

      let delta_here = delta[head.lse + first + query];

      let dscore = p * (slope.x + slope.y + (slope.z + slope.w) - delta_here);

      for (var part = 0u; part < PARTS; part++) {
        dv[part] = fma(vec4f(p), cotangents[query * PARTS + part], dv[part]);
        dk[part] = fma(vec4f(dscore), queries[query * PARTS + part], dk[part]);
      }
    }
  }
  if (wanted <= last) {
    for (var d = 0u; d < HEAD_SIZE; d++) {
      dqkv[head.k + row * head.pitch + d] = dk[d / 4u][d % 4u] * params.scale;
      dqkv[head.v + row * head.pitch + d] = dv[d / 4u][d % 4u];
    }
  }
}
