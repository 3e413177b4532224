// householderTail; written by npm run shaders
enable subgroups;

const ROW_LANES: u32 = 8u;
const LOWEST: f32 = -3.4028234e38;

fn row_sum(value: f32, lane: u32) -> f32 {
  return subgroupAdd(value);
}
fn row_max(value: f32, lane: u32) -> f32 {
  return subgroupMax(value);
}

struct Params {
  size: u32,
  column: u32,
}
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> p: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> tri: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

// A tail below it is dropped: the largest element of the matrix is 1, and squares below 2⁻¹²⁶ are lost.
const FLAT: f32 = 1.262177448353619e-29;
fn reflect_column(k: u32, size: u32, lane: u32) {
  let before = max(k, 1u) - 1u;
  let old = before * size;
  var tau = tri[2u * size + before];
  if (k == 0u) {
    tau = 0.0;
  }
  var dot = 0.0;
  for (var i = k + lane; i < size; i += ROW_LANES) {
    dot += p[i] * v[old + i];
  }
  let along = 0.5 * tau * tau * row_sum(dot, lane);
  let v_k = v[old + k];
  let w_k = tau * p[k] - along * v_k;

  let fresh = k * size;
  let head = k + 1u;
  var own_head = 0.0;
  var own_tail = 0.0;
  for (var i = k + lane; i < size; i += ROW_LANES) {
    let v_i = v[old + i];
    let w_i = tau * p[i] - along * v_i;
    w[i] = w_i;
    let x = a[fresh + i] - v_i * w_k - w_i * v_k;
    if (i == k) {
      tri[k] = x;
    } else {
      v[fresh + i] = x;
      if (i == head) {
        own_head = x;
      } else {
        own_tail += x * x;
      }
    }
  }
  let alpha = row_sum(own_head, lane); // one lane has it
  let tail = row_sum(own_tail, lane);
  if (head >= size) {
    return; // no reflector: alike in all lanes
  }
  let length = sqrt(alpha * alpha + tail);
  let beta = select(-length, length, alpha < 0.0);
  let is_flat = tail <= FLAT; // nothing to reflect
  let scale = select(1.0 / (alpha - beta), 0.0, is_flat);
  for (var i = k + lane; i < size; i += ROW_LANES) {
    if (i > head) {
      v[fresh + i] *= scale;
    } else if (i == head) {
      v[fresh + i] = select(1.0, 0.0, is_flat);
    }
  }
  if (lane == 0u) {
    tri[size + k] = select(beta, alpha, is_flat);
    tri[2u * size + k] = select((beta - alpha) / beta, 0.0, is_flat);
  }
}

fn update(k: u32, size: u32, lane: u32) {
  let old = (max(k, 1u) - 1u) * size;
  let fresh = k * size;
  for (var start = k + 1u + lane; start < size; start += 4u * ROW_LANES) {
    let wanted = start + vec4u(0u, 1u, 2u, 3u) * ROW_LANES;
    let stores = wanted < vec4u(size);
    let rows = min(wanted, vec4u(size - 1u)); // rows past the end stand for the last one
    let v_i = vec4f(v[old + rows.x], v[old + rows.y], v[old + rows.z], v[old + rows.w]);
    let w_i = vec4f(w[rows.x], w[rows.y], w[rows.z], w[rows.w]);
    var sums = vec4f();
    for (var j = k + 1u; j < size; j++) {
      let at = vec4u(j * size) + rows;
      let before = vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
      let after = before - v_i * w[j] - w_i * v[old + j];
      sums += after * v[fresh + j];
      if (stores.x) {
        a[at.x] = after.x;
      }
      if (stores.y) {
        a[at.y] = after.y;
      }
      if (stores.z) {
        a[at.z] = after.z;
      }
      if (stores.w) {
        a[at.w] = after.w;
      }
    }
    if (stores.x) {
      p[rows.x] = sums.x;
    }
    if (stores.y) {
      p[rows.y] = sums.y;
    }
    if (stores.z) {
      p[rows.z] = sums.z;
    }
    if (stores.w) {
      p[rows.w] = sums.w;
    }
  }
}

@compute @workgroup_size(ROW_LANES)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  for (var k = params.column; k < params.size; k++) {
    reflect_column(k, params.size, lid.x);
    storageBarrier();
    update(k, params.size, lid.x);
    storageBarrier();
  }
}
