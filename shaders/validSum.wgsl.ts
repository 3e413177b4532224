/** Sum or mean of the first valid_rows values of a column; the order of additions is fixed. */
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link validSum}. */
export interface ValidSumOptions {
  /** Lanes of the one workgroup, a power of 2. */
  readonly workgroup: number;
  /** Divide by the number of valid rows. */
  readonly isMean: boolean;
}

/** One workgroup for all. values: [rows]; total: one value, 0 where no row is valid. */
export const validSum = ({ workgroup, isMean }: ValidSumOptions): string => wgsl`
const WORKGROUP: u32 = ${workgroup}u;
struct Params {
  rows: u32,
}
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<uniform> valid_rows: u32;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> partials: array<f32, ${workgroup}>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  let valid = min(valid_rows, params.rows);
  var sum = 0.0;
  for (var row = lid.x; row < valid; row += WORKGROUP) {
    sum += values[row];
  }
  partials[lid.x] = sum;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (lid.x < width) {
      partials[lid.x] += partials[lid.x + width];
    }
    workgroupBarrier();
  }
  if (lid.x == 0u) {
#if ${isMean}
    total[0] = partials[0] / f32(max(valid, 1u));
#else
    total[0] = partials[0];
#endif
  }
}
`;
