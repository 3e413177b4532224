/** Third step of attention's gradient, with tiles of queries in workgroup memory: dk and dv. */
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
 * With p and dscore as in attentionBackwardQueryTiled: dk = scale · dscoreᵀ · q, dv = pᵀ · g. A
 * workgroup takes ROWS keys of a head and walks the queries; lanes share keys as queries there.
 */
export const attentionBackwardKeyTiled = (o: AttentionTiledOptions): string => {
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
const BLOCKS: u32 = ROWS / 4u; // of keys that share a draw
var<workgroup> kept: array<u32, ${(o.tile * o.rows) / 4}>; // [TILE, BLOCKS], one bit for each key
#else
@group(0) @binding(5) var<uniform> params: Params;
#endif
var<workgroup> keys: array<vec4f, ${o.rows * stride}>; // [ROWS, STRIDE]
var<workgroup> values: array<vec4f, ${o.rows * stride}>;
var<workgroup> queries: array<vec4f, ${o.tile * stride}>; // [TILE, STRIDE], in slots
var<workgroup> cotangents: array<vec4f, ${o.tile * stride}>;
var<workgroup> weights: array<vec4f, ${o.rows * quadStride}>; // [ROWS, QUAD_STRIDE]
var<workgroup> dscores: array<vec4f, ${o.rows * quadStride}>;
${loadPart("qkv", o)}
${loadPart("g", o)}
${storePart("dqkv", { scalar: "f32", quad: "vec4f" }, o)}
${tileProducts("scores_of", "keys", "queries")}
${tileProducts("slopes_of", "values", "cotangents")}
${tileSums("add_queries", "dscores", "queries")}
${tileSums("add_cotangents", "weights", "cotangents")}
#if ${o.dropout}
// What dropout makes of the weights of a key for 4 queries of the tile.
fn kept_factors(query: u32, row: u32) -> vec4f {
  let at = query * BLOCKS + row / 4u;
  let bits = vec4u(kept[at], kept[at + BLOCKS], kept[at + 2u * BLOCKS], kept[at + 3u * BLOCKS]);
  let stays = extractBits(bits, row % 4u, 1u) == vec4u(1u);
  return select(vec4f(), vec4f(params.kept_scale), stays);
}
#endif

@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let head = find_head(flat_workgroup(wid, groups), (params.tokens + ROWS - 1u) / ROWS);
  if (!head.exists) {
    return;
  }
  let last = params.tokens - 1u; // tokens past the end are read from the last one
  let last_query = params.queries - 1u;
  let first_row = head.block * ROWS;
  for (var index = lid.x; index < ROWS * PARTS; index += LANES) {
    let row = min(first_row + index / PARTS, last) * head.pitch;
    let at = (index / PARTS) * STRIDE + index % PARTS;
    keys[at] = qkv_part(head.k + row, index % PARTS) * params.scale;
    values[at] = qkv_part(head.v + row, index % PARTS);
  }
  let quad = lid.x % QUADS; // of queries that the lane scores, for every SCORED-th key
  let score_row = lid.x / QUADS;
  var dk = array<vec4f, SUMS>();
  var dv = array<vec4f, SUMS>();
  for (var first = 0u; first < params.queries; first += TILE) {
    workgroupBarrier(); // the last tile has been read
    for (var index = lid.x; index < TILE * PARTS; index += LANES) {
      let slot = index / PARTS;
      let token = min(first + tile_token(slot), last_query);
      let at = slot * STRIDE + index % PARTS;
      queries[at] = qkv_part(head.q + token * head.pitch, index % PARTS);
      cotangents[at] = g_part(head.y + token * head.y_pitch, index % PARTS);
    }
#if ${o.dropout}
    for (var index = lid.x; index < TILE * BLOCKS; index += LANES) {
      let token = min(first + index / BLOCKS, last_query);
      kept[index] = kept_keys(head.lse + token, head.block * BLOCKS + index % BLOCKS);
    }
#endif
    let tokens = vec4u(first + 4u * quad) + vec4u(0u, 1u, 2u, 3u);
    let at = head.lse + min(tokens, vec4u(last_query));
    let quad_lse = vec4f(lse[at.x], lse[at.y], lse[at.z], lse[at.w]);
    let quad_delta = vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
    workgroupBarrier();
    let scores = scores_of(score_row, quad);
    let slopes = slopes_of(score_row, quad);
    for (var r = 0u; r < SCORE_ROWS; r++) {
      let row = score_row + r * SCORED;
      let p = select(vec4f(), exp(scores[r] - quad_lse), tokens <= vec4u(last_query));
#if ${o.dropout}
      let factor = kept_factors(4u * quad, row);
      weights[row * QUAD_STRIDE + quad] = p * factor;
      dscores[row * QUAD_STRIDE + quad] = p * (factor * slopes[r] - quad_delta);
#else
      weights[row * QUAD_STRIDE + quad] = p;
      dscores[row * QUAD_STRIDE + quad] = p * (slopes[r] - quad_delta);
#endif
    }
    workgroupBarrier();
    let quads = (min(TILE, params.queries - first) + 3u) / 4u;
    dk = add_queries(dk, lid.x, quads);
    dv = add_cotangents(dv, lid.x, quads);
  }
  for (var at = 0u; at < SUMS; at++) {
    let row = first_row + lid.x % ROW_LANES + at / PARTS_EACH * ROW_LANES;
    let part = lid.x / ROW_LANES + at % PARTS_EACH * PART_LANES;
    if (part < PARTS && row <= last) {
      store_part(head.k + row * head.pitch, part, dk[at] * params.scale);
      store_part(head.v + row * head.pitch, part, dv[at]);
      if (row > last_query) {
        store_part(head.q + row * head.pitch, part, vec4f()); // of no query
      }
    }
  }
}
`;
};
