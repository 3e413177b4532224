// attentionBackward dq [2, 5, 6]; written by npm run shaders
const HEAD_SIZE: u32 = 3u;
const PARTS: u32 = 1u; // vec4f of a row; zeros fill the last one
const STRIDE: u32 = 1u; // vec4f from one row to the next in workgroup memory
const ROWS: u32 = 16u;
const TILE: u32 = 32u;
const QUADS: u32 = 8u; // fours of tokens in a tile
const QUAD_STRIDE: u32 = 9u;
const LANES: u32 = 128u;
const SCORED: u32 = 16u; // rows that all lanes score at once
const SCORE_ROWS: u32 = 1u; // of a lane
const ROW_LANES: u32 = 16u;
const PART_LANES: u32 = 8u;
const ROWS_EACH: u32 = 1u;
const PARTS_EACH: u32 = 1u;
const SUMS: u32 = ROWS_EACH * PARTS_EACH; // of a lane
alias Element = f32;
alias Quad = vec4f;

alias Stored = Element;

// Tokens lie in a tile so that lanes with neighbouring quads read neighbouring slots.
fn tile_token(slot: u32) -> u32 {
  return 4u * (slot % QUADS) + slot / QUADS;
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  batches: u32,
  tokens: u32,
  queries: u32, // the first tokens, whose y is wanted
  heads: u32,
  scale: f32, // 1 / √HEAD_SIZE
  head_size: u32, // = HEAD_SIZE, for loops that compilers must not unroll: their bodies are large

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

@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read> qkv: array<Stored>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;

@group(0) @binding(4) var<storage, read_write> dqkv: array<f32>;

@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> queries: array<vec4f, 16>; // [ROWS, STRIDE]
var<workgroup> cotangents: array<vec4f, 16>;
var<workgroup> keys: array<vec4f, 32>; // [TILE, STRIDE], in slots
var<workgroup> values: array<vec4f, 32>;
var<workgroup> dscores: array<vec4f, 144>; // [ROWS, QUAD_STRIDE]
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

fn store_part(start: u32, part: u32, value: vec4f) {
  let count = min(4u, HEAD_SIZE - 4u * part);
  for (var k = 0u; k < count; k++) {
    dqkv[start + 4u * part + k] = f32(value[k]);
  }
}

fn scores_of(row: u32, quad: u32) -> array<vec4f, SCORE_ROWS> {
  var dots = array<vec4f, 4u * SCORE_ROWS>();
  let parts = (params.head_size + 3u) / 4u; // = PARTS, but the loop stays a loop
  for (var part = 0u; part < parts; part++) {
    let at = quad * STRIDE + part;
    let token_0 = keys[at];
    let token_1 = keys[at + QUADS * STRIDE];
    let token_2 = keys[at + 2u * QUADS * STRIDE];
    let token_3 = keys[at + 3u * QUADS * STRIDE];
    for (var r = 0u; r < SCORE_ROWS; r++) {
      let own = queries[(row + r * SCORED) * STRIDE + part];
      dots[4u * r] = fma(own, token_0, dots[4u * r]);
      dots[4u * r + 1u] = fma(own, token_1, dots[4u * r + 1u]);
      dots[4u * r + 2u] = fma(own, token_2, dots[4u * r + 2u]);
      dots[4u * r + 3u] = fma(own, token_3, dots[4u * r + 3u]);
    }
  }
  var sums: array<vec4f, SCORE_ROWS>;
  for (var r = 0u; r < SCORE_ROWS; r++) {
    let at = 4u * r;
    sums[r] = vec4f(1.0) * mat4x4f(dots[at], dots[at + 1u], dots[at + 2u], dots[at + 3u]);
  }
  return sums;
}

fn slopes_of(row: u32, quad: u32) -> array<vec4f, SCORE_ROWS> {
  var dots = array<vec4f, 4u * SCORE_ROWS>();
  let parts = (params.head_size + 3u) / 4u; // = PARTS, but the loop stays a loop
  for (var part = 0u; part < parts; part++) {
    let at = quad * STRIDE + part;
    let token_0 = values[at];
    let token_1 = values[at + QUADS * STRIDE];
    let token_2 = values[at + 2u * QUADS * STRIDE];
    let token_3 = values[at + 3u * QUADS * STRIDE];
    for (var r = 0u; r < SCORE_ROWS; r++) {
      let own = cotangents[(row + r * SCORED) * STRIDE + part];
      dots[4u * r] = fma(own, token_0, dots[4u * r]);
      dots[4u * r + 1u] = fma(own, token_1, dots[4u * r + 1u]);
      dots[4u * r + 2u] = fma(own, token_2, dots[4u * r + 2u]);
      dots[4u * r + 3u] = fma(own, token_3, dots[4u * r + 3u]);
    }
  }
  var sums: array<vec4f, SCORE_ROWS>;
  for (var r = 0u; r < SCORE_ROWS; r++) {
    let at = 4u * r;
    sums[r] = vec4f(1.0) * mat4x4f(dots[at], dots[at + 1u], dots[at + 2u], dots[at + 3u]);
  }
  return sums;
}

fn add_keys(before: array<vec4f, SUMS>, lane: u32, quads: u32) -> array<vec4f, SUMS> {
  var sums = before;
  for (var quad = 0u; quad < quads; quad++) {
    for (var p = 0u; p < PARTS_EACH; p++) {
      let part = min(lane / ROW_LANES + p * PART_LANES, PARTS - 1u); // surplus lanes store nothing
      let at = quad * STRIDE + part;
      let token_0 = keys[at];
      let token_1 = keys[at + QUADS * STRIDE];
      let token_2 = keys[at + 2u * QUADS * STRIDE];
      let token_3 = keys[at + 3u * QUADS * STRIDE];
      for (var r = 0u; r < ROWS_EACH; r++) {
        let weight = dscores[(lane % ROW_LANES + r * ROW_LANES) * QUAD_STRIDE + quad];
        var added = weight.x * token_0;
        added = fma(weight.yyyy, token_1, added);
        added = fma(weight.zzzz, token_2, added);
        added = fma(weight.wwww, token_3, added);
        sums[r * PARTS_EACH + p] += added;
      }
    }
  }
  return sums;
}

@compute @workgroup_size(128)
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

      let slope = slopes[r];

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
