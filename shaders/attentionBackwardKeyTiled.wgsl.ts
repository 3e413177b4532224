/** Third step of attention's gradient, with tiles of queries in workgroup memory: dk and dv. */
import type { AttentionTiledOptions } from "./attentionTiled.wgsl.ts";
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import { element, enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * With p and dscore as in attentionBackwardQueryTiled: dk = scale · dscoreᵀ · q, dv = pᵀ · g. One
 * invocation takes one key; a workgroup, 64 keys of a head, shares the tiles.
 */
export const attentionBackwardKeyTiled = ({
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
var<workgroup> queries: array<vec4f, ${tile * Math.ceil(headSize / 4)}>; // [TILE, PARTS]
var<workgroup> cotangents: array<vec4f, ${tile * Math.ceil(headSize / 4)}>;
#if ${dropout}
const BLOCKS: u32 = WORKGROUP / 4u; // of keys that share a draw
var<workgroup> kept: array<u32, ${tile * 16}>; // [TILE, BLOCKS], one bit for each key
#endif

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
#if ${dropout}
    for (var index = lid.x; index < TILE * BLOCKS; index += WORKGROUP) {
      let token = min(first + index / BLOCKS, last);
      kept[index] = kept_keys(head.lse + token, head.block * BLOCKS + index % BLOCKS);
    }
#endif
    workgroupBarrier();
    for (var query = 0u; query < min(TILE, params.tokens - first); query++) {
      var score = vec4f();
      var slope = vec4f();
      for (var part = 0u; part < PARTS; part++) {
        score = fma(key[part], queries[query * PARTS + part], score);
        slope = fma(value[part], cotangents[query * PARTS + part], slope);
      }
#if ${dropout}
      var p = exp(score.x + score.y + (score.z + score.w) - lse[head.lse + first + query]);
#else
      let p = exp(score.x + score.y + (score.z + score.w) - lse[head.lse + first + query]);
#endif
      let delta_here = delta[head.lse + first + query];
#if ${dropout}
      let stays = extractBits(kept[query * BLOCKS + lid.x / 4u], lid.x % 4u, 1u) == 1u;
      let factor = select(0.0, params.kept_scale, stays);
      let dscore = p * (factor * (slope.x + slope.y + (slope.z + slope.w)) - delta_here);
      p *= factor;
#else
      let dscore = p * (slope.x + slope.y + (slope.z + slope.w) - delta_here);
#endif
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
`;
