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
 * ζ = (β − α) / 2γ, t = sign ζ / (|ζ| + √(1 + ζ²)), c = 1 / √(1 + t²), s = c t. The longer row comes
 * first. worst[pair] keeps the largest |γ| / √(αβ) met.
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
  let is_longer = totals.x >= totals.y; // the first row, as it should be
  if (!plays || (gamma == 0.0 && is_longer)) {
    return;
  }
  var c = 1.0;
  var s = 0.0;
  if (product > 0.0 && gamma != 0.0) {
    let zeta = (totals.y - totals.x) / (2.0 * gamma);
    // Past 1e10, 1 + ζ² is ζ², which might overflow.
    let steep = abs(zeta) > 1e10;
    let root = sqrt(1.0 + select(zeta * zeta, 0.0, steep));
    let size = 1.0 / select(abs(zeta) + root, 2.0 * abs(zeta), steep);
    let t = select(size, -size, zeta < 0.0);
    c = 1.0 / sqrt(1.0 + t * t);
    s = c * t;
    if (lane == 0u) {
      worst[pair] = max(worst[pair], abs(gamma) / product);
    }
  }
  // The rotated rows are (c x − s y, s x + c y); the second is the longer one if it was before.
  let to_first = select(vec2f(s, c), vec2f(c, -s), is_longer);
  let to_second = select(vec2f(c, -s), vec2f(s, c), is_longer);
  for (var i = lane; i < params.length; i += ROW_LANES) {
    let row_pair = vec2f(rows[p + i], rows[q + i]);
    rows[p + i] = dot(to_first, row_pair);
    rows[q + i] = dot(to_second, row_pair);
  }
  let turn_p = first * params.count;
  let turn_q = second * params.count;
  for (var i = lane; i < params.count; i += ROW_LANES) {
    let turn_pair = vec2f(turns[turn_p + i], turns[turn_q + i]);
    turns[turn_p + i] = dot(to_first, turn_pair);
    turns[turn_q + i] = dot(to_second, turn_pair);
  }
}
`;
