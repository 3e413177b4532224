// cholesky factor [7, 7]; written by npm run shaders
const SIDE: u32 = 64u;
const GROUPS: u32 = 4u;
const OWN: u32 = 16u; // elements of a lane
struct Params {
  size: u32,
  cols: u32,
  first: u32, // index of the block's first row in the whole matrix
}
@group(0) @binding(0) var<storage, read_write> panel: array<f32>;
@group(0) @binding(1) var<storage, read_write> pivot: array<i32>;
@group(0) @binding(2) var<storage, read_write> triangle: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> square: f32; // of the row's diagonal element
var<workgroup> factor: array<f32, 64>; // the row of R right of its diagonal

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  let size = params.size;
  let column = lid.x % SIDE;
  let group = lid.x / SIDE;
  var values: array<f32, OWN>;
  for (var k = 0u; k < OWN; k++) {
    let at = min(group + k * GROUPS, size - 1u) * params.cols + min(column, size - 1u);
    values[k] = panel[at];
  }
  for (var row = 0u; row < size; row++) {
    var own = 0.0;
    for (var k = 0u; k < OWN; k++) {
      own = select(own, values[k], k == row / GROUPS);
    }
    if (group == row % GROUPS && column == row) {
      square = own;
    }
    workgroupBarrier();
    let is_positive = square > 0.0;
    let root = sqrt(select(1.0, square, is_positive));
    let value = select(0.0, own / root, is_positive && column > row);
    if (group == row % GROUPS) {
      factor[column] = value;
      if (column < size) {
        let element = select(value, root, column == row);
        triangle[row * size + column] = element;
        panel[row * params.cols + column] = element;
      }
      if (column == row && !is_positive && pivot[0] < 0) {
        pivot[0] = i32(params.first + row);
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < OWN; k++) {
      values[k] -= factor[group + k * GROUPS] * factor[column];
    }
  }
}
