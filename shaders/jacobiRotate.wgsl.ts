/** One round of one-sided Jacobi: rotates disjoint pairs of rows until they are orthogonal. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link jacobiRotate}. */
export interface JacobiRotateOptions {
  /** Lanes that share a pair of rows. */
  readonly lanes: number;
  /** Pairs of one workgroup; more than 1 only with subgroups. */
  readonly rowsPerWorkgroup: number;
  readonly subgroup: boolean;
}

/**
 * Round \`round\` of a round-robin tournament pairs the rows. With α, β the squared lengths of rows p
 * and q and γ their product, the rotation that makes them orthogonal has
 * ζ = (β − α) / 2γ, t = sign ζ / (|ζ| + √(1 + ζ²)), c = 1 / √(1 + t²), s = c t, τ = s / (1 + c). worst[pair] keeps the largest |γ| / √(αβ) met.
 * rows: [count, length]; turns: [count, count], which takes the same rotations; worst: [pairs].
 */
export const jacobiRotate = ({
  lanes,
  rowsPerWorkgroup,
  subgroup,
}: JacobiRotateOptions): string => wgsl`
#if ${subgroup}
enable subgroups;
#endif
const ROW_LANES: u32 = ${lanes}u;
const PAIRS_PER_WORKGROUP: u32 = ${rowsPerWorkgroup}u;
${flatWorkgroup}
#if ${subgroup}
fn pair_sums(values: vec3f, lane: u32) -> vec3f {
  return subgroupAdd(values);
}
#else
var<workgroup> partials: array<vec3f, ${lanes}>;
fn pair_sums(values: vec3f, lane: u32) -> vec3f {
  partials[lane] = values;
  workgroupBarrier();
  for (var width = ROW_LANES / 2u; width > 0u; width /= 2u) {
    if (lane < width) {
      partials[lane] += partials[lane + width];
    }
    workgroupBarrier();
  }
  return partials[0];
}
#endif
// (c x − s y, s x + c y) by Rutishauser's formulas: the rounding is that of the change, so that a
// thousand small turns keep the rows' length.
fn turn(x: f32, y: f32, s: f32, tau: f32) -> vec2f {
  return vec2f(x - s * (y + tau * x), y + s * (x - tau * y));
}

struct Params {
  count: u32,
  length: u32,
  round: u32,
}
@group(0) @binding(0) var<storage, read_write> rows: array<f32>;
@group(0) @binding(1) var<storage, read_write> turns: array<f32>;
@group(0) @binding(2) var<storage, read_write> worst: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(${lanes * rowsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let pair = flat_workgroup(wid, groups) * PAIRS_PER_WORKGROUP + lid.x / ROW_LANES;
  // One player stays, the others move around a circle; with an odd count the one who stays is a bye.
  let circle = (params.count - 1u) | 1u;
  let ahead = (params.round + pair) % circle;
  let behind = select((params.round + circle - pair % circle) % circle, circle, pair == 0u);
  let first = min(ahead, behind);
  let second = max(ahead, behind);
  let plays = pair <= circle / 2u && second < params.count;
  let p = select(0u, first, plays) * params.length;
  let q = select(0u, second, plays) * params.length;
  var sums = vec3f();
  for (var i = lane; i < params.length; i += ROW_LANES) {
    let x = rows[p + i];
    let y = rows[q + i];
    sums += vec3f(x * x, y * y, x * y);
  }
  let totals = pair_sums(sums, lane);
  let product = sqrt(totals.x) * sqrt(totals.y);
  let gamma = totals.z;
  if (!plays || gamma == 0.0 || product == 0.0) {
    return;
  }
  let zeta = (totals.y - totals.x) / (2.0 * gamma);
  // Past 1e10, 1 + ζ² is ζ², which might overflow.
  let steep = abs(zeta) > 1e10;
  let root = sqrt(1.0 + select(zeta * zeta, 0.0, steep));
  let size = 1.0 / select(abs(zeta) + root, 2.0 * abs(zeta), steep);
  let t = select(size, -size, zeta < 0.0);
  let c = 1.0 / sqrt(1.0 + t * t);
  let s = c * t;
  let tau = s / (1.0 + c);
  if (lane == 0u) {
    worst[pair] = max(worst[pair], abs(gamma) / product);
  }
  for (var i = lane; i < params.length; i += ROW_LANES) {
    let turned = turn(rows[p + i], rows[q + i], s, tau);
    rows[p + i] = turned.x;
    rows[q + i] = turned.y;
  }
  let turn_p = first * params.count;
  let turn_q = second * params.count;
  for (var i = lane; i < params.count; i += ROW_LANES) {
    let turned = turn(turns[turn_p + i], turns[turn_q + i], s, tau);
    turns[turn_p + i] = turned.x;
    turns[turn_q + i] = turned.y;
  }
}
`;
