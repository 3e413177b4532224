// imageBatch y [3, 5, 7, 1]; written by npm run shaders
const WORKGROUP: u32 = 64u;
fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}

struct Params {
  scale: vec4f, // 1 / (255 std) by channel
  shift: vec4f, // −mean / std by channel
  count: u32, // floats of y
  height: i32,
  width: i32,
  channels: u32,
  out_height: u32,
  out_width: u32,
}
@group(0) @binding(0) var<storage, read> pixels: array<u32>;
@group(0) @binding(1) var<storage, read> boxes: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn pixel(image: u32, row: i32, column: i32, channel: u32) -> f32 {
  let is_inside = row >= 0 && row < params.height && column >= 0 && column < params.width;
  let line = image * u32(params.height) + u32(clamp(row, 0, params.height - 1));
  let place = line * u32(params.width) + u32(clamp(column, 0, params.width - 1));
  let index = place * params.channels + channel;
  let byte = extractBits(pixels[index / 4u], 8u * (index % 4u), 8u);
  return select(0.0, f32(byte), is_inside);
}

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
  let place = index / params.channels;
  let channel = index - place * params.channels;
  let line = place / params.out_width;
  let image = line / params.out_height;
  let row = line - image * params.out_height;
  let column = place - line * params.out_width;
  let top = boxes[image * 5u];
  let left = boxes[image * 5u + 1u];
  let source = select(column, params.out_width - 1u - column, boxes[image * 5u + 4u] == 1);

  let value = pixel(image, top + i32(row), left + i32(source), channel);

  y[index] = value * params.scale[channel] + params.shift[channel];
}
