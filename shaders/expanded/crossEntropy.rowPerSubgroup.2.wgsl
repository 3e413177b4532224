// crossEntropy total [4]; written by npm run shaders
const WORKGROUP: u32 = 64u;
struct Params {
  rows: u32,
}
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<uniform> valid_rows: u32;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> partials: array<f32, 64>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  let valid = min(valid_rows, params.rows);
  var sum = 0.0;
  for (var row = lid.x; row < valid; row += WORKGROUP) {
    sum += values[row];
  }
  partials[lid.x] = sum;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (lid.x < width) {
      partials[lid.x] += partials[lid.x + width];
    }
    workgroupBarrier();
  }
  if (lid.x == 0u) {

    total[0] = partials[0] / f32(max(valid, 1u));

  }
}
