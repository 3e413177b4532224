// layernormBackward dweight, dbias [7]; written by npm run shaders
const COLUMNS: u32 = 8u;
const SEGMENTS: u32 = 32u;
const AT_ONCE: u32 = 4u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  blocks: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> totals: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let wanted = flat_workgroup(wid, groups) * COLUMNS + lid.x % COLUMNS;
  let segment = lid.x / COLUMNS;
  let stride = 2u * params.cols;
  let col = min(wanted, stride - 1u);
  var total = 0.0;
  for (var block = segment; block < params.blocks; block += AT_ONCE * SEGMENTS) {
    var loaded: array<f32, AT_ONCE>;
    for (var k = 0u; k < AT_ONCE; k++) {
      loaded[k] = partials[min(block + k * SEGMENTS, params.blocks - 1u) * stride + col];
    }
    for (var k = 0u; k < AT_ONCE; k++) {
      total += select(0.0, loaded[k], block + k * SEGMENTS < params.blocks);
    }
  }
  totals[lid.x] = total;
  workgroupBarrier();
  for (var width = SEGMENTS / 2u; width > 0u; width /= 2u) {
    if (segment < width) {
      totals[lid.x] += totals[lid.x + width * COLUMNS];
    }
    workgroupBarrier();
  }
  if (segment == 0u && wanted < params.cols) {
    dweight[wanted] = totals[lid.x];
  } else if (segment == 0u && wanted < stride) {
    dbias[wanted - params.cols] = totals[lid.x];
  }
}
