// attention y [2, 5, 6]; written by npm run shaders
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

@group(0) @binding(0) var<storage, read> qkv: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;

@group(0) @binding(3) var<uniform> params: Params;

const LOWEST: f32 = -3.4028234e38;
var<workgroup> keys: array<vec4f, 16>; // [TILE, PARTS]
var<workgroup> values: array<vec4f, 16>;

fn qkv_part(start: u32, part: u32) -> vec4f {
  let d = vec4u(0u, 1u, 2u, 3u) + 4u * part;
  let at = start + min(d, vec4u(HEAD_SIZE - 1u));
  let value = vec4f(Quad(qkv[at.x], qkv[at.y], qkv[at.z], qkv[at.w]));
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
  var query: array<vec4f, PARTS>;
  var sum: array<vec4f, PARTS>;
  for (var part = 0u; part < PARTS; part++) {
    query[part] = qkv_part(head.q + row * head.pitch, part) * params.scale;
  }
  var largest = LOWEST;
  var total = 0.0;
  for (var first = 0u; first < params.tokens; first += TILE) {
    workgroupBarrier(); // the last tile has been read
    for (var index = lid.x; index < TILE * PARTS; index += WORKGROUP) {
      let token = min(first + index / PARTS, last) * head.pitch;
      keys[index] = qkv_part(head.k + token, index % PARTS);
      values[index] = qkv_part(head.v + token, index % PARTS);
    }
    workgroupBarrier();
    let count = min(TILE, params.tokens - first); // not constant, so that the loop stays a loop
    for (var key = 0u; key < count; key += 4u) {
      var dots = array<vec4f, 4>(); // without a value, Tint zeroes it only once
      for (var part = 0u; part < PARTS; part++) {
        let at = key * PARTS + part;
        dots[0] = fma(query[part], keys[at], dots[0]);
        dots[1] = fma(query[part], keys[at + PARTS], dots[1]);
        dots[2] = fma(query[part], keys[at + 2u * PARTS], dots[2]);
        dots[3] = fma(query[part], keys[at + 3u * PARTS], dots[3]);
      }
      let score = vec4f(1.0) * mat4x4f(dots[0], dots[1], dots[2], dots[3]); // each one's sum
      // A token past the end repeats the last: no new maximum.
      let top = max(max(largest, max(score.x, score.y)), max(score.z, score.w));
      let is_token = vec4u(first + key) + vec4u(0u, 1u, 2u, 3u) <= vec4u(last);

      let weight = select(vec4f(), exp(score - top), is_token);

      let shrink = exp(largest - top);
      largest = top;
      total = fma(total, shrink, dot(weight, vec4f(1.0)));

      for (var part = 0u; part < PARTS; part++) {
        let at = key * PARTS + part;
        var added = weight.x * values[at];
        added = fma(weight.yyyy, values[at + PARTS], added);
        added = fma(weight.zzzz, values[at + 2u * PARTS], added);
        added = fma(weight.wwww, values[at + 3u * PARTS], added);
        sum[part] = fma(sum[part], vec4f(shrink), added);
      }
    }
  }
  if (wanted <= last) {
    for (var d = 0u; d < HEAD_SIZE; d++) {

      y[head.y + row * head.y_pitch + d] = Element(sum[d / 4u][d % 4u] / total);

    }
    lse[head.lse + row] = largest + log(total);
  }
}
