/** Draws the cloud: a disc that faces the viewer for each point, and the three axes as lines. */

/**
 * discs: one instance = one point, four corners of a strip. Points move from where the last
 * snapshot had them to where this one has. axes: one vertex = one end of an axis.
 */
export const cloudShader = `
struct View {
  projection: mat4x4f, // world to clip
  radius: vec2f, // of a disc, in clip units at distance 1
  progress: f32, // 0: old places, 1: new ones
  padding: f32,
}
@group(0) @binding(0) var<uniform> view: View;

struct Disc {
  @builtin(position) position: vec4f,
  @location(0) corner: vec2f,
  @location(1) colour: vec3f,
}

@vertex
fn disc(
  @builtin(vertex_index) index: u32,
  @location(0) before: vec3f,
  @location(1) after: vec3f,
  @location(2) colour: vec4f,
) -> Disc {
  let corner = vec2f(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
  var position = view.projection * vec4f(mix(before, after, view.progress), 1.0);
  position = vec4f(position.xy + corner * view.radius, position.zw);
  return Disc(position, corner, colour.rgb);
}

@fragment
fn shade(in: Disc) -> @location(0) vec4f {
  let distance = length(in.corner);
  let edge = fwidth(distance);
  let cover = 1.0 - smoothstep(1.0 - edge, 1.0, distance);
  if (cover < 0.05) {
    discard;
  }
  // A darker rim tells neighbours of one class apart.
  let rim = mix(1.0, 0.72, smoothstep(0.6, 0.9, distance));
  return vec4f(in.colour * rim, cover);
}

@vertex
fn axis(@location(0) place: vec3f) -> @builtin(position) vec4f {
  return view.projection * vec4f(place, 1.0);
}

@fragment
fn line() -> @location(0) vec4f {
  return vec4f(0.45, 0.48, 0.52, 1.0);
}
`;
