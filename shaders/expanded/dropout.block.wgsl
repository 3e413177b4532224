// dropout y [7, 9]; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

fn mul_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let low = a_low * b_low;
  let cross = a_high * b_low + (low >> 16u); // at most 2^32 − 2^16: no overflow
  let middle = a_low * b_high + (cross & 0xffffu);
  return a_high * b_high + (cross >> 16u) + (middle >> 16u);
}
fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let high0 = mul_high(0xd2511f53u, c.x);
    let high1 = mul_high(0xcd9e8d57u, c.z);
    c = vec4u(high1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
fn random_bits(key: vec4u, stream: u32, index: u32) -> vec4u {
  return philox(vec4u(index, stream, key.z, key.w), key.xy);
}
fn random_below(bits: u32, limit: u32) -> u32 {
  return mul_high(bits, limit);
}

alias Element = f32;
alias Quad = vec4f;

struct Params {
  size: u32,
  stream: u32,
  threshold: u32, // rate · 2^32
  scale: f32, // 1 / (1 − rate)
}

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<uniform> key: vec4u;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let block = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (block * 4u >= params.size) {
    return;
  }
  let bits = random_bits(key, params.stream, block);
  let factor = select(vec4f(0.0), vec4f(params.scale), bits >= vec4u(params.threshold));

  for (var k = 0u; k < 4u && block * 4u + k < params.size; k++) {
    y[block * 4u + k] = Element(f32(x[block * 4u + k]) * factor[k]);
  }

}
