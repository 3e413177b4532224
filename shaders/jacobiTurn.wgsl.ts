/** The rotations that diagonalise small symmetric matrices, by Jacobi's method in workgroup memory. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link jacobiTurn}. */
export interface JacobiTurnOptions {
  /** Lanes that share a matrix. */
  readonly lanes: number;
  /** Rows of a matrix: even. */
  readonly side: number;
}

/**
 * One workgroup = one matrix. Round by round of a round-robin tournament, all pairs (p, q) turn by
 * ζ = (G_qq − G_pp) / 2G_pq, t = sign ζ / (|ζ| + √(1 + ζ²)), c = 1 / √(1 + t²), s = c t, τ = s / (1 + c),
 * unless |G_pq| ≤ SKIP · √(G_pp G_qq), the rounding of a sum of products. With T the product of all
 * turns, T G Tᵀ is diagonal; change = T − I keeps the digits of small turns.
 * gram, change: [count, SIDE, SIDE].
 */
export const jacobiTurn = ({ lanes, side }: JacobiTurnOptions): string => wgsl`
const LANES: u32 = ${lanes}u;
const SIDE: u32 = ${side}u;
const PAIRS: u32 = SIDE / 2u;
const CIRCLE: u32 = SIDE - 1u;
const SKIP: f32 = ${2 ** -23};
${flatWorkgroup}
struct Params {
  count: u32,
  sweeps: u32,
}
@group(0) @binding(0) var<storage, read> gram: array<f32>;
@group(0) @binding(1) var<storage, read_write> change: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> g: array<f32, ${side * side}>;
var<workgroup> e: array<f32, ${side * side}>;
// (s, τ, t · G_pq, cosine before) of each pair of the round.
var<workgroup> turns: array<vec4f, ${side / 2}>;
var<workgroup> has_turned: u32;

// One player stays, the others move around a circle.
fn players(round: u32, pair: u32) -> vec2u {
  let ahead = (round + pair) % CIRCLE;
  let behind = select((round + CIRCLE - pair) % CIRCLE, CIRCLE, pair == 0u);
  return vec2u(min(ahead, behind), max(ahead, behind));
}

fn turn_of(p: u32, q: u32) -> vec4f {
  let alpha = g[p * SIDE + p];
  let beta = g[q * SIDE + q];
  let gamma = g[p * SIDE + q];
  let size = sqrt(max(alpha, 0.0)) * sqrt(max(beta, 0.0));
  if (size == 0.0 || abs(gamma) <= SKIP * size) {
    return vec4f();
  }
  let zeta = (beta - alpha) / (2.0 * gamma);
  // Past 1e10, 1 + ζ² is ζ², which might overflow.
  let steep = abs(zeta) > 1e10;
  let root = sqrt(1.0 + select(zeta * zeta, 0.0, steep));
  let tangent = 1.0 / select(abs(zeta) + root, 2.0 * abs(zeta), steep);
  let t = select(tangent, -tangent, zeta < 0.0);
  let c = 1.0 / sqrt(1.0 + t * t);
  let s = c * t;
  return vec4f(s, s / (1.0 + c), t * gamma, abs(gamma) / size);
}

// (c x − s y, s x + c y) by Rutishauser's formulas: the rounding is that of the change.
fn turned(x: f32, y: f32, turn: vec4f) -> vec2f {
  return vec2f(x - turn.x * (y + turn.y * x), y + turn.x * (x - turn.y * y));
}

// The 2 × 2 block of g where the rows of one pair meet the columns of another.
fn turn_block(rows: vec2u, cols: vec2u, left: vec4f, right: vec4f) {
  let first = rows.x * SIDE;
  let second = rows.y * SIDE;
  let x = turned(g[first + cols.x], g[second + cols.x], left);
  let y = turned(g[first + cols.y], g[second + cols.y], left);
  let above = turned(x.x, y.x, right);
  let below = turned(x.y, y.y, right);
  g[first + cols.x] = above.x;
  g[first + cols.y] = above.y;
  g[second + cols.x] = below.x;
  g[second + cols.y] = below.y;
}

fn turn_all(round: u32, lane: u32) {
  for (var item = lane; item < PAIRS * PAIRS; item += LANES) {
    let pair = item / PAIRS;
    let rows = players(round, pair);
    let cols = players(round, item % PAIRS);
    let left = turns[pair];
    if (rows.x != cols.x) {
      turn_block(rows, cols, left, turns[item % PAIRS]);
    } else if (left.x != 0.0) {
      g[rows.x * SIDE + rows.x] -= left.z;
      g[rows.y * SIDE + rows.y] += left.z;
      g[rows.x * SIDE + rows.y] = 0.0;
      g[rows.y * SIDE + rows.x] = 0.0;
    }
  }
  for (var item = lane; item < PAIRS * SIDE; item += LANES) {
    let turn = turns[item / SIDE];
    if (turn.x != 0.0) {
      let rows = players(round, item / SIDE);
      let col = item % SIDE;
      let x = e[rows.x * SIDE + col] + select(0.0, 1.0, rows.x == col);
      let y = e[rows.y * SIDE + col] + select(0.0, 1.0, rows.y == col);
      e[rows.x * SIDE + col] -= turn.x * (y + turn.y * x);
      e[rows.y * SIDE + col] += turn.x * (x - turn.y * y);
    }
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x;
  let matrix = flat_workgroup(wid, groups);
  if (matrix >= params.count) {
    return; // the whole workgroup
  }
  let base = matrix * SIDE * SIDE;
  for (var item = lane; item < SIDE * SIDE; item += LANES) {
    g[item] = gram[base + item];
    e[item] = 0.0;
  }
  workgroupBarrier();
  for (var sweep = 0u; sweep < params.sweeps; sweep++) {
    var largest = 0.0; // of the lane's pairs
    for (var round = 0u; round < CIRCLE; round++) {
      if (lane < PAIRS) {
        let pair = players(round, lane);
        let turn = turn_of(pair.x, pair.y);
        turns[lane] = turn;
        largest = max(largest, turn.w);
      }
      workgroupBarrier();
      turn_all(round, lane);
      workgroupBarrier();
    }
    if (lane < PAIRS) {
      turns[lane].w = largest;
    }
    workgroupBarrier();
    if (lane == 0u) {
      var found = 0.0;
      for (var pair = 0u; pair < PAIRS; pair++) {
        found = max(found, turns[pair].w);
      }
      has_turned = select(0u, 1u, found > 0.0);
    }
    if (workgroupUniformLoad(&has_turned) == 0u) {
      break;
    }
  }
  for (var item = lane; item < SIDE * SIDE; item += LANES) {
    change[base + item] = e[item];
  }
}
`;
