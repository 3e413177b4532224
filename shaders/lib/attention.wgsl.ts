/** What all attention kernels share: params, and where a head's rows lie in qkv. */
import { flatWorkgroup } from "./grid.wgsl.ts";
import { wgsl } from "./wgsl.ts";

/** Options of {@link attentionLayout}. */
export interface AttentionLayoutOptions {
  /** The kernel draws masks: see attentionDropout.wgsl.ts. */
  readonly dropout: boolean;
}

/**
 * qkv: [batch, tokens, 3, heads, HEAD], y and g: [batch, queries, heads, HEAD]; lse and delta:
 * [batch, heads, queries]: the first tokens are the queries. Needs the constant HEAD_SIZE.
 */
export const attentionLayout = ({ dropout }: AttentionLayoutOptions): string => wgsl`
${flatWorkgroup}
struct Params {
  batches: u32,
  tokens: u32,
  queries: u32, // the first tokens, whose y is wanted
  heads: u32,
  scale: f32, // 1 / √HEAD_SIZE
  head_size: u32, // = HEAD_SIZE, for loops that compilers must not unroll: their bodies are large
#if ${dropout}
  stream: u32, // of random words
  threshold: u32, // rate · 2^32
  kept_scale: f32, // 1 / (1 − rate)
#endif
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
`;
