// matmul sum of 3 parts [48] + add; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  cells: u32,
  splits: u32,

  cols: u32, // Cells of a row

}
alias Cell = vec4f;
@group(0) @binding(0) var<storage, read> parts: array<Cell>;

@group(0) @binding(1) var<storage, read> bias: array<Cell>;
@group(0) @binding(2) var<storage, read_write> y: array<Value>;

@group(0) @binding(4) var<uniform> params: Params;

alias Value = vec4f;
fn add_stage(a: Value, b: Value) -> Value {
  return a + b;
}
@group(0) @binding(3) var<storage, read> operand0_0: array<Value>;
fn finish(at: u32, value0: Value) {
  let value1 = add_stage(operand0_0[at], value0);
  y[at] = value1;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let cell = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (cell >= params.cells) {
    return;
  }
  var sum = Cell();
  for (var split = 0u; split < params.splits; split++) {
    sum += parts[split * params.cells + cell];
  }

  sum += bias[cell % params.cols];

  finish(cell, sum);
}
