/** Philox4x32-10 (Salmon et al., 2011): counter-based random bits; its host twin is util/philox.ts. */

/**
 * `philox(counter, key)`: 128 random bits, the same on every adapter since all of it is integers.
 * `random_bits(key, stream, index)`: words 4·index to 4·index + 3 of a stream, where key holds the
 * seed and the step (low and high words of each). `random_below(bits, limit)`: 0 … limit − 1.
 */
export const philox = `fn mul_high(a: u32, b: u32) -> u32 {
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
`;
