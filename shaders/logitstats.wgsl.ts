/** What confidence scores need of each row of logits, kept apart so that nothing saturates in f32. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { rowReduce } from "./lib/reduce.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link logitstats}. */
export interface LogitstatsOptions {
  /** Lanes that share one row. */
  readonly lanes: number;
  /** Rows of one workgroup; more than 1 only with subgroups. */
  readonly rowsPerWorkgroup: number;
  readonly subgroup: boolean;
}

/**
 * x: [rows, cols]. y: [rows, 4]: the largest logit, the second minus the largest, Σ exp(x − second)
 * over all but the largest, the column of the largest (the first of equal ones). A row of one
 * column has no second: its y is x, 0, 0, 0.
 */
export const logitstats = ({
  lanes,
  rowsPerWorkgroup,
  subgroup,
}: LogitstatsOptions): string => wgsl`
#if ${subgroup}
enable subgroups;
#endif
const ROWS_PER_WORKGROUP: u32 = ${rowsPerWorkgroup}u;
${rowReduce({ lanes, subgroup })}
${flatWorkgroup}
struct Params {
  rows: u32,
  cols: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(${lanes * rowsPerWorkgroup})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let lane = lid.x % ROW_LANES;
  let wanted = flat_workgroup(wid, groups) * ROWS_PER_WORKGROUP + lid.x / ROW_LANES;
  let row = min(wanted, params.rows - 1u); // surplus lanes redo the last row and store nothing
  let base = row * params.cols;
  var own = LOWEST;
  var own_column = params.cols - 1u;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    if (x[base + c] > own) {
      own = x[base + c];
      own_column = c;
    }
  }
  let largest = row_max(own, lane);
  // Columns as floats: exact below 2^24.
  let column_key = select(LOWEST, -f32(own_column), own == largest);
  let column = u32(-row_max(column_key, lane));
  var next = LOWEST;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    next = max(next, select(x[base + c], LOWEST, c == column));
  }
  let second = row_max(next, lane);
  var tail = 0.0;
  for (var c = lane; c < params.cols; c += ROW_LANES) {
    tail += select(exp(x[base + c] - second), 0.0, c == column);
  }
  let others = row_sum(tail, lane);
  if (wanted < params.rows && lane == 0u) {
    y[4u * row] = largest;
    y[4u * row + 1u] = select(0.0, second - largest, params.cols > 1u);
    y[4u * row + 2u] = others;
    y[4u * row + 3u] = f32(column);
  }
}
`;
