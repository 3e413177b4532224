/** Image bytes to normalised floats: y = (p / 255 − mean) / std of the boxes cut out, mirrored. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link imageBatch}. */
export interface ImageBatchOptions {
  readonly workgroup: number;
  /** Boxes are resized, bilinearly; otherwise they have the output's size. */
  readonly isResized: boolean;
}

/**
 * One invocation = one float. pixels: bytes of [batch, height, width, channels], four to a word, low
 * byte first; boxes as imageBoxes makes them; y: [batch, out_height, out_width, channels]. Pixels
 * outside the image are 0. Resizing samples at pixel centres (corners not aligned), without a
 * low-pass filter (no antialias).
 */
export const imageBatch = ({ workgroup, isResized }: ImageBatchOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
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
#if ${isResized}
  let last = vec2f(f32(boxes[image * 5u + 2u] - 1), f32(boxes[image * 5u + 3u] - 1));
  let step = (last + 1.0) / vec2f(f32(params.out_height), f32(params.out_width));
  let centre = (vec2f(f32(row), f32(source)) + 0.5) * step - 0.5;
  let spot = clamp(centre, vec2f(0.0), last); // the box's edge goes on beyond it
  let low = vec2i(floor(spot));
  let high = min(low + 1, vec2i(last));
  let part = spot - floor(spot);
  let upper_left = pixel(image, top + low.x, left + low.y, channel);
  let upper_right = pixel(image, top + low.x, left + high.y, channel);
  let lower_left = pixel(image, top + high.x, left + low.y, channel);
  let lower_right = pixel(image, top + high.x, left + high.y, channel);
  let upper = upper_left + (upper_right - upper_left) * part.y;
  let lower = lower_left + (lower_right - lower_left) * part.y;
  let value = upper + (lower - upper) * part.x;
#else
  let value = pixel(image, top + i32(row), left + i32(source), channel);
#endif
  y[index] = value * params.scale[channel] + params.shift[channel];
}
`;
