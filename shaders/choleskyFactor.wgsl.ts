/** The triangular factor of a small diagonal block: R with A = Rᵀ R. */
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link choleskyFactor}. */
export interface CholeskyFactorOptions {
  /** Lanes of the workgroup: at least the side of the block. */
  readonly lanes: number;
}

/**
 * One workgroup, one lane per column. panel: [size, cols], whose first size columns are the block;
 * they become R, zeros below the diagonal. triangle: [size, size], a copy of R. pivot: index of the
 * first row whose pivot is not positive, negative as long as there is none; such a row becomes
 * zeros with a 1 on the diagonal.
 */
export const choleskyFactor = ({ lanes }: CholeskyFactorOptions): string => wgsl`
struct Params {
  size: u32,
  cols: u32,
  first: u32, // index of the block's first row in the whole matrix
}
@group(0) @binding(0) var<storage, read_write> panel: array<f32>;
@group(0) @binding(1) var<storage, read_write> pivot: array<i32>;
@group(0) @binding(2) var<storage, read_write> triangle: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_id) lid: vec3u) {
  let size = params.size;
  let lane = lid.x;
  let column = min(lane, size - 1u); // surplus lanes redo the last column and store nothing
  for (var row = 0u; row < size; row++) {
    // Every lane finds the pivot itself: cheaper than one more barrier.
    var square = panel[row * params.cols + row];
    var value = panel[row * params.cols + column];
    for (var k = 0u; k < row; k++) {
      let above = triangle[k * size + row];
      square -= above * above;
      value -= above * triangle[k * size + column];
    }
    let is_positive = square > 0.0;
    let root = sqrt(select(1.0, square, is_positive));
    value = select(0.0, value / root, is_positive && column > row);
    if (lane < size) {
      triangle[row * size + lane] = select(value, root, lane == row);
    }
    if (lane == 0u && !is_positive && pivot[0] < 0) {
      pivot[0] = i32(params.first + row);
    }
    storageBarrier();
  }
  if (lane < size) {
    for (var row = 0u; row < size; row++) {
      panel[row * params.cols + lane] = triangle[row * size + lane];
    }
  }
}
`;
