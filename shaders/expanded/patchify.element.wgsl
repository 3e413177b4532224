// patchify y [2, 4, 6, 3]; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  count: u32, // floats in all
  row: u32, // floats of an image row, W·C
  patch_row: u32, // floats of a patch row, P·C
  edge: u32, // P
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let place = flat_workgroup(wid, groups) * WORKGROUP + lid.x; // in patches
  if (place >= params.count) {
    return;
  }
  // place = ((band · W/P + column) · P + py) · P·C + offset, a band being one row of patches
  let patch_size = params.edge * params.patch_row;
  let patches = params.row / params.patch_row;
  let which = place / patch_size;
  let within = place - which * patch_size;
  let band = which / patches;
  let column = which - band * patches;
  let py = within / params.patch_row;
  let offset = within - py * params.patch_row;
  let pixel = (band * params.edge + py) * params.row + column * params.patch_row + offset;

  y[place] = x[pixel];

}
