// permute y [7, 4]; written by npm run shaders
alias Element = u32;
alias Value = vec4u;

const WORKGROUP: u32 = 64u;
const RANK: u32 = 2u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  sizes: array<vec4u, 2>,
  strides: array<vec4u, 2>,
  offset: u32,
  last_stride: u32,
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element>;
fn value_at(source: u32) -> Value {
  let step = params.last_stride;
  return Value(x[source], x[source + step], x[source + 2u * step], x[source + 3u * step]);
}

@group(0) @binding(1) var<storage, read_write> y: array<Value>;
@group(0) @binding(2) var<uniform> params: Params;

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
  var source = params.offset;
  for (var axis = RANK - 1u; axis > 0u; axis--) {
    let size = params.sizes[axis / 4u][axis % 4u];
    let outer = rest / size;
    let place = rest - outer * size;
    rest = outer;
    source += place * params.strides[axis / 4u][axis % 4u];
  }
  source += rest * params.strides[0].x;
  y[index] = value_at(source);
}
