// max of [33, 6]; written by npm run shaders
alias Value = f32;
const ACROSS: u32 = 8u;
const DOWN: u32 = 32u;
const AT_ONCE: u32 = 4u;
const START: f32 = -3.4028234e38;
fn combine(a: Value, b: Value) -> Value {
  return max(a, b);
}

fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  segments: u32, // = outer · parts
  blocks: u32,
  columns: u32,
  parts: u32,
  reduce: u32,
  part_length: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Value>;

@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> totals: array<Value, 256>; // [DOWN, ACROSS]

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = flat_workgroup(wid, groups);
  let segment = min(group / params.blocks, params.segments - 1u); // surplus ones store nothing
  let wanted = (group % params.blocks) * ACROSS + lid.x % ACROSS;
  let column = min(wanted, params.columns - 1u);
  let down = lid.x / ACROSS;
  let first = (segment % params.parts) * params.part_length;
  let last = min(first + params.part_length, params.reduce);
  let base = (segment / params.parts) * params.reduce;
  var total = Value(START);
  for (var row = first + down; row < last; row += AT_ONCE * DOWN) {
    var rows: array<Value, AT_ONCE>;
    for (var k = 0u; k < AT_ONCE; k++) {
      rows[k] = Value(x[(base + min(row + k * DOWN, last - 1u)) * params.columns + column]);
    }
    for (var k = 0u; k < AT_ONCE; k++) {
      total = combine(total, select(Value(START), rows[k], row + k * DOWN < last));
    }
  }
  totals[lid.x] = total;
  for (var half = DOWN / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (down < half) {
      totals[lid.x] = combine(totals[lid.x], totals[lid.x + half * ACROSS]);
    }
  }
  if (down == 0u && wanted < params.columns && group < params.segments * params.blocks) {
    y[segment * params.columns + column] = totals[lid.x] * params.scale;
  }
}
