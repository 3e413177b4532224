/** Second step of attention's gradient, with tiles of keys in workgroup memory: dq. */
import type { AttentionTiledOptions } from "./attentionTiled.wgsl.ts";
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { element, enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * p = exp(scale · q · kᵀ − lse), dscore = p · (g · vᵀ − delta), dq = scale · dscore · k. One
 * invocation takes one query; a workgroup, 64 queries of a head, shares the tiles.
 */
export const attentionBackwardQueryTiled = ({
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
@group(0) @binding(0) var<storage, read> g: array<Element>;
@group(0) @binding(1) var<storage, read> qkv: array<Element>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;
#if ${dropout}
@group(0) @binding(5) var<uniform> random_key: vec4u;
@group(0) @binding(6) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(5) var<uniform> params: Params;
#endif
var<workgroup> keys: array<vec4f, ${tile * Math.ceil(headSize / 4)}>; // [TILE, PARTS]
var<workgroup> values: array<vec4f, ${tile * Math.ceil(headSize / 4)}>;

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
  var query: array<vec4f, PARTS>;
  var cotangent: array<vec4f, PARTS>;
  var dq: array<vec4f, PARTS>;
  for (var part = 0u; part < PARTS; part++) {
    query[part] = qkv_part(head.q + row * head.pitch, part) * params.scale;
    cotangent[part] = g_part(head.y + row * head.y_pitch, part);
  }
  let row_lse = lse[head.lse + row];
  let row_delta = delta[head.lse + row];
  for (var first = 0u; first < params.tokens; first += TILE) {
    workgroupBarrier(); // the last tile has been read
    for (var index = lid.x; index < TILE * PARTS; index += WORKGROUP) {
      let token = min(first + index / PARTS, last) * head.pitch;
      keys[index] = qkv_part(head.k + token, index % PARTS);
      values[index] = qkv_part(head.v + token, index % PARTS);
    }
    workgroupBarrier();
#if ${dropout}
    var kept = 0u; // one bit for each of 4 keys
#endif
    for (var key = 0u; key < min(TILE, params.tokens - first); key++) {
#if ${dropout}
      if (key % 4u == 0u) {
        kept = kept_keys(head.lse + row, (first + key) / 4u);
      }
#endif
      var score = vec4f();
      var slope = vec4f();
      for (var part = 0u; part < PARTS; part++) {
        score = fma(query[part], keys[key * PARTS + part], score);
        slope = fma(cotangent[part], values[key * PARTS + part], slope);
      }
      let p = exp(score.x + score.y + (score.z + score.w) - row_lse);
#if ${dropout}
      let factor = select(0.0, params.kept_scale, (kept & 1u) == 1u);
      kept >>= 1u;
      let dscore = p * (factor * (slope.x + slope.y + (slope.z + slope.w)) - row_delta);
#else
      let dscore = p * (slope.x + slope.y + (slope.z + slope.w) - row_delta);
#endif
      for (var part = 0u; part < PARTS; part++) {
        dq[part] = fma(vec4f(dscore), keys[key * PARTS + part], dq[part]);
      }
    }
  }
  if (wanted <= last) {
    for (var d = 0u; d < HEAD_SIZE; d++) {
      dqkv[head.q + row * head.pitch + d] = dq[d / 4u][d % 4u] * params.scale;
    }
  }
}
`;
