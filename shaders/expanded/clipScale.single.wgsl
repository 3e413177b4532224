// clipScale y [1]; written by npm run shaders
const GUARD: f32 = 1e-6; // as torch.nn.utils.clip_grad_norm_ has it
struct Params {
  max_norm: f32,
}
@group(0) @binding(0) var<storage, read> squared_norm: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  y[0] = min(1.0, params.max_norm / (sqrt(squared_norm[0]) + GUARD));
}
