/** The reflector of one column of a Householder tridiagonalisation. */

/**
 * With v, τ the reflector of column k − 1 and p = A v, both zero for k = 0: w = τ p − ½ τ² (pᵀv) v;
 * column k of A − v wᵀ − w vᵀ gives d[k] and, below the diagonal, x; the reflector I − τ v vᵀ maps x
 * to (e[k], 0, …). A lane keeps to its own elements, so that only the sums need the other lanes.
 * A is scaled so that its largest element is about 1. Needs a, v: [size, size]; p, w: [size]; tri: [3, size] = d, e, τ, and row_sum.
 */
export const reflectColumn = `
// A tail below it is dropped: the largest element of the matrix is 1, and squares below 2⁻¹²⁶ are lost.
const FLAT: f32 = ${2 ** -96};
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
`;
