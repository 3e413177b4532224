// where y [5]; written by npm run shaders
alias Value = f32;
const WORKGROUP: u32 = 64u;
const RANK: u32 = 1u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  sizes: array<vec4u, 2>,
  condition_strides: array<vec4u, 2>,
  a_strides: array<vec4u, 2>,
  b_strides: array<vec4u, 2>,
  count: u32,
}

@group(0) @binding(0) var<storage, read> condition: array<Value>;

@group(0) @binding(1) var<storage, read> a: array<Value>;

@group(0) @binding(2) var<storage, read> b: array<Value>;

@group(0) @binding(3) var<storage, read_write> y: array<Value>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let index = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (index >= params.count) {
    return;
  }
  var rest = index;
  var condition_index = 0u;
  var a_index = 0u;
  var b_index = 0u;
  for (var axis = RANK - 1u; axis > 0u; axis--) {
    let size = params.sizes[axis / 4u][axis % 4u];
    let outer = rest / size;
    let place = rest - outer * size;
    rest = outer;
    condition_index += place * params.condition_strides[axis / 4u][axis % 4u];
    a_index += place * params.a_strides[axis / 4u][axis % 4u];
    b_index += place * params.b_strides[axis / 4u][axis % 4u];
  }
  condition_index += rest * params.condition_strides[0].x;
  a_index += rest * params.a_strides[0].x;
  b_index += rest * params.b_strides[0].x;
  let holds = Value(condition[condition_index]) != Value(0.0);
  y[index] = select(Value(b[b_index]), Value(a[a_index]), holds);
}
