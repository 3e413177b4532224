/** Where each image of a batch is cut out, and whether it is mirrored; random in training. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { philox } from "./lib/philox.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** How the box of an image is found. */
export type BoxMode = "whole" | "shifted" | "resized";

/** Options of {@link imageBoxes}. */
export interface ImageBoxesOptions {
  readonly workgroup: number;
  readonly mode: BoxMode;
  readonly isFlipped: boolean;
}

/**
 * One invocation = one image. boxes: [batch, 5], whole numbers: top, left, height, width (pixels;
 * shifted boxes may leave the image), and 1 if mirrored. Image b has the random blocks 16·b to
 * 16·b + 15 of the stream: ten attempts at a resized box, the last for shift and mirror.
 */
export const imageBoxes = ({ workgroup, mode, isFlipped }: ImageBoxesOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
${flatWorkgroup}
${philox}
struct Params {
  batch: u32,
  height: i32,
  width: i32,
  pad: i32, // largest shift, pixels
  stream: u32,
  area_min: f32, // of the image's area
  area_max: f32,
  log_ratio_min: f32, // of width / height
  log_ratio_max: f32,
}
@group(0) @binding(0) var<uniform> key: vec4u;
@group(0) @binding(1) var<storage, read_write> boxes: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

fn between(bits: u32, low: f32, high: f32) -> f32 {
  return low + (high - low) * (f32(bits >> 8u) / 16777216.0);
}

#if ${mode === "resized"}
// As torchvision's RandomResizedCrop: ten attempts, then the largest central box of allowed ratio.
fn box_of(image: u32) -> vec4i {
  let area = f32(params.height * params.width);
  for (var attempt = 0u; attempt < 10u; attempt++) {
    let bits = random_bits(key, params.stream, image * 16u + attempt);
    let wanted = area * between(bits.x, params.area_min, params.area_max);
    let ratio = exp(between(bits.y, params.log_ratio_min, params.log_ratio_max));
    let width = i32(round(sqrt(wanted * ratio)));
    let height = i32(round(sqrt(wanted / ratio)));
    if (width > 0 && width <= params.width && height > 0 && height <= params.height) {
      let top = i32(random_below(bits.z, u32(params.height - height + 1)));
      let left = i32(random_below(bits.w, u32(params.width - width + 1)));
      return vec4i(top, left, height, width);
    }
  }
  let ratio = f32(params.width) / f32(params.height);
  let nearest = clamp(ratio, exp(params.log_ratio_min), exp(params.log_ratio_max));
  var height = params.height;
  var width = params.width;
  if (ratio < nearest) {
    height = i32(round(f32(width) / nearest));
  } else if (ratio > nearest) {
    width = i32(round(f32(height) * nearest));
  }
  return vec4i((params.height - height) / 2, (params.width - width) / 2, height, width);
}
#elif ${mode === "shifted"}
fn box_of(image: u32) -> vec4i {
  let bits = random_bits(key, params.stream, image * 16u + 15u);
  let places = u32(2 * params.pad + 1);
  let top = i32(random_below(bits.x, places)) - params.pad;
  let left = i32(random_below(bits.y, places)) - params.pad;
  return vec4i(top, left, params.height, params.width);
}
#else
fn box_of(image: u32) -> vec4i {
  return vec4i(0, 0, params.height, params.width);
}
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let image = flat_workgroup(wid, groups) * WORKGROUP + lid.x;
  if (image >= params.batch) {
    return;
  }
  let box = box_of(image);
  for (var k = 0u; k < 4u; k++) {
    boxes[image * 5u + k] = box[k];
  }
#if ${isFlipped}
  let bits = random_bits(key, params.stream, image * 16u + 15u);
  boxes[image * 5u + 4u] = i32(bits.z >> 31u);
#else
  boxes[image * 5u + 4u] = 0;
#endif
}
`;
