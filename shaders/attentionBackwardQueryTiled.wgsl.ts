/** Second step of attention's gradient, with tiles of keys in workgroup memory: dq. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import {
  attentionTiles,
  isPacked,
  loadPart,
  storePart,
  tileProducts,
  tileSums,
  tilingOf,
} from "./lib/attentionTiles.wgsl.ts";
import type { AttentionTiledOptions } from "./lib/attentionTiles.wgsl.ts";
import { enableHalf } from "./lib/half.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/**
 * p = exp(scale · q · kᵀ − lse), dscore = p · (g · vᵀ − delta), dq = scale · dscore · k. A workgroup
 * takes ROWS queries of a head; lanes share them as in attentionTiled.
 */
export const attentionBackwardQueryTiled = (o: AttentionTiledOptions): string => {
  const { stride, quadStride, lanes } = tilingOf(o);
  return wgsl`
${enableHalf(o.isHalf)}
${attentionTiles(o)}
${attentionLayout({ dropout: o.dropout })}
@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read> qkv: array<Stored>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
#if ${isPacked(o)}
@group(0) @binding(4) var<storage, read_write> dqkv: array<vec4f>;
#else
@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;
#endif
#if ${o.dropout}
@group(0) @binding(5) var<uniform> random_key: vec4u;
@group(0) @binding(6) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(5) var<uniform> params: Params;
#endif
var<workgroup> queries: array<vec4f, ${o.rows * stride}>; // [ROWS, STRIDE]
var<workgroup> cotangents: array<vec4f, ${o.rows * stride}>;
var<workgroup> keys: array<vec4f, ${o.tile * stride}>; // [TILE, STRIDE], in slots
var<workgroup> values: array<vec4f, ${o.tile * stride}>;
var<workgroup> dscores: array<vec4f, ${o.rows * quadStride}>; // [ROWS, QUAD_STRIDE]
${loadPart("qkv", o)}
${loadPart("g", o)}
${storePart("dqkv", { scalar: "f32", quad: "vec4f" }, o)}
${tileProducts("scores_of", "queries", "keys")}
${tileProducts("slopes_of", "cotangents", "values")}
${tileSums("add_keys", "dscores", "keys")}
@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let head = find_head(flat_workgroup(wid, groups), (params.queries + ROWS - 1u) / ROWS);
  if (!head.exists) {
    return;
  }
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  let last_query = params.queries - 1u;
  let first_row = head.block * ROWS;
  for (var index = lid.x; index < ROWS * PARTS; index += LANES) {
    let row = min(first_row + index / PARTS, last_query);
    let at = (index / PARTS) * STRIDE + index % PARTS;
    queries[at] = qkv_part(head.q + row * head.pitch, index % PARTS) * params.scale;
    cotangents[at] = g_part(head.y + row * head.y_pitch, index % PARTS);
  }
  let quad = lid.x % QUADS; // of keys that the lane scores, for every SCORED-th row
  let score_row = lid.x / QUADS;
  var row_lse: array<f32, SCORE_ROWS>;
  var row_delta: array<f32, SCORE_ROWS>;
  for (var r = 0u; r < SCORE_ROWS; r++) {
    let row = head.lse + min(first_row + score_row + r * SCORED, last_query);
    row_lse[r] = lse[row];
    row_delta[r] = delta[row];
  }
  var dq = array<vec4f, SUMS>();
  for (var first = 0u; first < params.tokens; first += TILE) {
    workgroupBarrier(); // the last tile has been read
    for (var index = lid.x; index < TILE * PARTS; index += LANES) {
      let slot = index / PARTS;
      let start = min(first + tile_token(slot), last) * head.pitch;
      keys[slot * STRIDE + index % PARTS] = qkv_part(head.k + start, index % PARTS);
      values[slot * STRIDE + index % PARTS] = qkv_part(head.v + start, index % PARTS);
    }
    workgroupBarrier();
    let scores = scores_of(score_row, quad);
    let slopes = slopes_of(score_row, quad);
    let is_token = vec4u(first + 4u * quad) + vec4u(0u, 1u, 2u, 3u) <= vec4u(last);
    for (var r = 0u; r < SCORE_ROWS; r++) {
      let row = score_row + r * SCORED;
      let p = select(vec4f(), exp(scores[r] - row_lse[r]), is_token);
#if ${o.dropout}
      let kept = kept_keys(head.lse + min(first_row + row, last_query), first / 4u + quad);
      let stays = (vec4u(kept) & vec4u(1u, 2u, 4u, 8u)) != vec4u();
      let slope = select(vec4f(), slopes[r] * params.kept_scale, stays);
#else
      let slope = slopes[r];
#endif
      dscores[row * QUAD_STRIDE + quad] = p * (slope - row_delta[r]);
    }
    workgroupBarrier();
    dq = add_keys(dq, lid.x, (min(TILE, params.tokens - first) + 3u) / 4u);
  }
  for (var at = 0u; at < SUMS; at++) {
    let row = first_row + lid.x % ROW_LANES + at / PARTS_EACH * ROW_LANES;
    let part = lid.x / ROW_LANES + at % PARTS_EACH * PART_LANES;
    if (part < PARTS && row <= last_query) {
      store_part(head.q + row * head.pitch, part, dq[at] * params.scale);
    }
  }
}
`;
};
