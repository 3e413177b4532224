/** Dropout of attention weights: which ones stay, drawn wherever a kernel meets them. */
import { philox } from "./philox.wgsl.ts";

/**
 * A row of [batch, heads, queries, tokens] weights has whole blocks of 4 random words, so that one
 * draw serves 4 keys of a query. Needs the uniform random_key: vec4u, seed and step.
 */
export const attentionDropout = `${philox}
// Bit i: the weight of key 4 · block + i stays. row: of the query, as in lse.
fn kept_keys(row: u32, block: u32) -> u32 {
  let blocks = (params.tokens + 3u) / 4u;
  let words = random_bits(random_key, params.stream, row * blocks + block);
  let bits = select(vec4u(), vec4u(1u, 2u, 4u, 8u), words >= vec4u(params.threshold));
  return bits.x | bits.y | bits.z | bits.w;
}
`;
