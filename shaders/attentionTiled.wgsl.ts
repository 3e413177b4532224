/** Attention with tiles of keys in workgroup memory: for GPUs, and wherever subgroups are missing. */
import { attentionLayout } from "./lib/attention.wgsl.ts";
import { attentionDropout } from "./lib/attentionDropout.wgsl.ts";
import {
  attentionTiles,
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
 * y = softmax(scale · q · kᵀ) · v, lse = log Σ exp(scale · q · kᵀ). A workgroup takes ROWS queries of
 * a head and walks the keys with an online softmax. Of each tile a lane scores 4 keys for a query or
 * two; lanes agree on the queries' largest scores; then a lane adds weighted values to a few vec4f
 * of y. So many lanes share a query that short sequences fill a GPU.
 */
export const attentionTiled = (o: AttentionTiledOptions): string => {
  const { stride, quads, quadStride, lanes } = tilingOf(o);
  return wgsl`
${enableHalf(o.isHalf)}
${attentionTiles(o)}
${attentionLayout({ dropout: o.dropout })}
@group(0) @binding(0) var<storage, read> qkv: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
#if ${o.dropout}
@group(0) @binding(3) var<uniform> random_key: vec4u;
@group(0) @binding(4) var<uniform> params: Params;
${attentionDropout}
#else
@group(0) @binding(3) var<uniform> params: Params;
#endif
const LOWEST: f32 = -3.4028234e38;
var<workgroup> queries: array<vec4f, ${o.rows * stride}>; // [ROWS, STRIDE]
var<workgroup> keys: array<vec4f, ${o.tile * stride}>; // [TILE, STRIDE], in slots
var<workgroup> values: array<vec4f, ${o.tile * stride}>;
var<workgroup> weights: array<vec4f, ${o.rows * quadStride}>; // [ROWS, QUAD_STRIDE]
var<workgroup> lane_values: array<f32, ${o.rows * quads}>; // [ROWS, QUADS]: largest scores, then sums
var<workgroup> shrinks: array<f32, ${o.rows}>; // what a new largest score leaves of a row's sums
${loadPart("qkv", o)}
${storePart("y", { scalar: "Element", quad: "Quad" }, o)}
${tileProducts("scores_of", "queries", "keys")}
${tileSums("add_values", "weights", "values")}
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
    let start = head.q + min(first_row + index / PARTS, last_query) * head.pitch;
    queries[(index / PARTS) * STRIDE + index % PARTS] =
      qkv_part(start, index % PARTS) * params.scale;
  }
  let quad = lid.x % QUADS; // of keys that the lane scores, for every SCORED-th row
  let score_row = lid.x / QUADS;
  var largest: array<f32, SCORE_ROWS>;
  var total: array<f32, SCORE_ROWS>; // of the lane's own keys
  for (var r = 0u; r < SCORE_ROWS; r++) {
    largest[r] = LOWEST;
    total[r] = 0.0;
  }
  var sums = array<vec4f, SUMS>();
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
    for (var r = 0u; r < SCORE_ROWS; r++) {
      // A token past the end repeats the last: no new maximum.
      let score = scores[r];
      lane_values[(score_row + r * SCORED) * QUADS + quad] =
        max(max(score.x, score.y), max(score.z, score.w));
    }
    workgroupBarrier();
    let is_token = vec4u(first + 4u * quad) + vec4u(0u, 1u, 2u, 3u) <= vec4u(last);
    for (var r = 0u; r < SCORE_ROWS; r++) {
      let row = score_row + r * SCORED;
      var top = largest[r];
      for (var k = 0u; k < QUADS; k++) {
        top = max(top, lane_values[row * QUADS + k]);
      }
      let weight = select(vec4f(), exp(scores[r] - top), is_token);
      let shrink = exp(largest[r] - top);
      largest[r] = top;
      total[r] = fma(total[r], shrink, dot(weight, vec4f(1.0)));
      if (quad == 0u) {
        shrinks[row] = shrink;
      }
#if ${o.dropout}
      let kept = kept_keys(head.lse + min(first_row + row, last_query), first / 4u + quad);
      let stays = (vec4u(kept) & vec4u(1u, 2u, 4u, 8u)) != vec4u();
      weights[row * QUAD_STRIDE + quad] = select(vec4f(), weight, stays);
#else
      weights[row * QUAD_STRIDE + quad] = weight;
#endif
    }
    workgroupBarrier();
    for (var at = 0u; at < SUMS; at++) {
      sums[at] *= shrinks[lid.x % ROW_LANES + at / PARTS_EACH * ROW_LANES];
    }
    sums = add_values(sums, lid.x, (min(TILE, params.tokens - first) + 3u) / 4u);
  }
  for (var r = 0u; r < SCORE_ROWS; r++) {
    lane_values[(score_row + r * SCORED) * QUADS + quad] = total[r];
  }
  workgroupBarrier();
  for (var r = 0u; r < SCORE_ROWS; r++) {
    let row = score_row + r * SCORED;
    if (quad == 0u && first_row + row <= last_query) {
      lse[head.lse + first_row + row] = largest[r] + log(row_total(row));
    }
  }
  for (var at = 0u; at < SUMS; at++) {
    let row = lid.x % ROW_LANES + at / PARTS_EACH * ROW_LANES;
    let part = lid.x / ROW_LANES + at % PARTS_EACH * PART_LANES;
    if (part < PARTS && first_row + row <= last_query) {
#if ${o.dropout}
      let value = sums[at] * params.kept_scale / row_total(row);
#else
      let value = sums[at] / row_total(row);
#endif
      store_part(head.y + (first_row + row) * head.y_pitch, part, value);
    }
  }
}

fn row_total(row: u32) -> f32 {
  var total = 0.0;
  for (var k = 0u; k < QUADS; k++) {
    total += lane_values[row * QUADS + k];
  }
  return total;
}
`;
};
