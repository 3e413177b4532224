/** Attention with tiles of keys in workgroup memory: for GPUs, and wherever subgroups are missing. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { element, enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of the attention kernels with tiles in workgroup memory. */
export interface AttentionTiledOptions {
  readonly headSize: number;
  /** Tokens of a tile, a multiple of 4. */
  readonly tile: number;
  /** Weights are dropped: masks are drawn with random_key. */
  readonly dropout: boolean;
  /** qkv, y and g are stored as f16; everything else is f32. */
  readonly isHalf: boolean;
}

/**
 * y = softmax(scale · q · kᵀ) · v, lse = log Σ exp(scale · q · kᵀ). One invocation takes one query
 * and walks the keys with an online softmax; a workgroup, 64 queries of a head, shares the tiles.
 */
export const attentionTiled = ({
  headSize,
  tile,
  dropout,
  isHalf,
}: AttentionTiledOptions): string => wgsl`
${enableHalf(isHalf)}
const HEAD_SIZE: u32 = ${headSize}u;
const PARTS: u32 = ${Math.ceil(headSize / 4)}u; // vec4f of a row; zeros fill the last one
const TILE: u32 = ${tile}u;
const WORKGROUP: u32 = 64u;
${attentionLayout({ dropout })}
${element(isHalf)}
@group(0) @binding(0) var<storage, read> qkv: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
#if ${dropout}
@group(0) @binding(3) var<uniform> random_key: vec4u;
@group(0) @binding(4) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(3) var<uniform> params: Params;
#endif
const LOWEST: f32 = -3.4028234e38;
var<workgroup> keys: array<vec4f, ${tile * Math.ceil(headSize / 4)}>; // [TILE, PARTS]
var<workgroup> values: array<vec4f, ${tile * Math.ceil(headSize / 4)}>;

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
#if ${dropout}
      var weight = select(vec4f(), exp(score - top), is_token);
#else
      let weight = select(vec4f(), exp(score - top), is_token);
#endif
      let shrink = exp(largest - top);
      largest = top;
      total = fma(total, shrink, dot(weight, vec4f(1.0)));
#if ${dropout}
      let kept = kept_keys(head.lse + row, (first + key) / 4u);
      let stays = (vec4u(kept) & vec4u(1u, 2u, 4u, 8u)) != vec4u();
      weight = select(vec4f(), weight, stays);
#endif
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
#if ${dropout}
      y[head.y + row * head.y_pitch + d] = Element(sum[d / 4u][d % 4u] * params.kept_scale / total);
#else
      y[head.y + row * head.y_pitch + d] = Element(sum[d / 4u][d % 4u] / total);
#endif
    }
    lse[head.lse + row] = largest + log(total);
  }
}
`;
