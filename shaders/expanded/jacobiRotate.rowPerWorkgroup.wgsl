// jacobiRotate; written by npm run shaders
const ROW_LANES: u32 = 64u;
const PAIRS_PER_WORKGROUP: u32 = 1u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

var<workgroup> partials: array<vec3f, 64>;
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

@compute @workgroup_size(64)
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
