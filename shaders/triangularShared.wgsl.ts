/** Substitution with a small triangle in workgroup memory, a lane for each element of X: T X = B. */
import { flatWorkgroup } from "./lib/grid.wgsl.ts";
import { wgsl } from "./lib/wgsl.ts";

/** Options of {@link triangularShared}; workgroup = side × columns. */
export interface TriangularSharedOptions {
  /** Largest side of a triangle. */
  readonly side: number;
  /** Columns of X that a workgroup takes. */
  readonly columns: number;
}

/**
 * As triangularSolve, with its params and its order of additions. One invocation = one element of
 * X: as soon as one is known, all lanes of its column take it off theirs at once.
 */
export const triangularShared = ({ side, columns }: TriangularSharedOptions): string => wgsl`
const COLUMNS: u32 = ${columns}u;
const LANES: u32 = ${side * columns}u;
${flatWorkgroup}
struct Params {
  size: u32,
  cols: u32,
  first: u32, // index of the triangle's first row in the whole matrix
  is_forward: u32, // 1: from the first row on
  t_first: u32,
  t_row: u32,
  t_col: u32,
  x_first: u32,
  x_row: u32,
}
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> singular: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> triangle: array<f32, ${(side * (side + 1)) / 2}>; // turn by turn, those after it
var<workgroup> solved: array<f32, ${2 * columns}>; // of this turn and the one before

// Where the factor lies by which a turn's value counts in what is solved in turn own, a later one.
fn place_of(turn: u32, own: u32) -> u32 {
  return turn * params.size - turn * (turn + 1u) / 2u + own;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let size = params.size;
  let is_forward = params.is_forward == 1u;
  for (var index = lid.x; index < size * size; index += LANES) {
    let place = vec2u(index / size, index % size);
    let at = select(size - 1u - place, place, is_forward);
    if (place.x >= place.y) {
      triangle[place_of(place.y, place.x)] =
        t[params.t_first + at.x * params.t_row + at.y * params.t_col];
    }
  }
  let own = lid.x / COLUMNS; // the turn in which the lane's element is solved
  let column = flat_workgroup(wid, groups) * COLUMNS + lid.x % COLUMNS;
  let is_live = own < size && column < params.cols;
  let row = select(size - 1u - own, own, is_forward);
  let at = params.x_first + row * params.x_row + column;
  var value = 0.0;
  if (is_live) {
    value = x[at];
  }
  workgroupBarrier();
  for (var turn = 0u; turn < size; turn++) {
    let slot = (turn % 2u) * COLUMNS + lid.x % COLUMNS;
    if (own == turn) {
      let pivot = triangle[place_of(turn, turn)];
      let is_zero = pivot == 0.0;
      value = select(value / select(pivot, 1.0, is_zero), 0.0, is_zero);
      solved[slot] = value;
      if (is_zero && column == 0u && singular[0] < 0) {
        singular[0] = i32(params.first + row);
      }
    }
    workgroupBarrier();
    if (own > turn && own < size) {
      value -= triangle[place_of(turn, own)] * solved[slot];
    }
  }
  if (is_live) {
    x[at] = value;
  }
}
`;
