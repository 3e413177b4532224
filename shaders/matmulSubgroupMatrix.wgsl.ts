/** Matrix product of f16 on tensor cores: subgroups multiply small matrices from workgroup memory. */
import { enableHalf } from "./lib/half.wgsl.ts";
import { matmulInterface } from "./lib/matmul.wgsl.ts";
import type { MatmulInterface } from "./lib/matmul.wgsl.ts";
import { CHUNK, matmulChunks } from "./lib/matmulChunks.wgsl.ts";
import type { ChunkOptions } from "./lib/matmulChunks.wgsl.ts";
import { unroll } from "./lib/unroll.ts";
import { wgsl } from "./lib/wgsl.ts";

/** What a workgroup computes, and each of its subgroups of that. */
export interface SubgroupMatrixTile {
  readonly rows: number;
  readonly cols: number;
  /** Terms of one turn. */
  readonly depth: number;
  /** A subgroup's part. */
  readonly partRows: number;
  readonly partCols: number;
}

/** Options of {@link matmulSubgroupMatrix}; a and b are f16. */
export interface MatmulSubgroupMatrixOptions extends Omit<
  MatmulInterface,
  "isHalf" | "packs" | "startsAtBias"
> {
  readonly tile: SubgroupMatrixTile;
  /** Lanes of every subgroup. */
  readonly subgroup: number;
  /** What the hardware multiplies at once: m × k by k × n, each a multiple of 8. */
  readonly unit: { readonly m: number; readonly n: number; readonly k: number };
  readonly a: ChunkOptions;
  readonly b: ChunkOptions;
}

/** Subgroups of a workgroup. */
export const subgroupsOf = ({ rows, cols, partRows, partCols }: SubgroupMatrixTile): number =>
  (rows / partRows) * (cols / partCols);

/** How a tile lies in workgroup memory: chunks of a line, to the next line, and of the tile. */
interface Layout extends ChunkOptions {
  readonly line: number;
  readonly pitch: number;
  readonly size: number;
}

/** A line ends with an empty chunk: so the 8 lines that are read at once lie in different banks. */
function layoutOf(outer: number, depth: number, options: ChunkOptions): Layout {
  const line = (options.alongK ? depth : outer) / CHUNK;
  const pitch = line + 1;
  return { ...options, line, pitch, size: (options.alongK ? outer : depth) * pitch };
}

/** WGSL that loads the units of a tile at terms t · k to (t + 1) · k of a turn. */
function loadUnits(
  { name, type, order }: { name: "a" | "b"; type: "Left" | "Right"; order: string },
  { alongK, pitch }: Layout,
  { count, size, term }: { count: number; size: number; term: number },
): string {
  const across = alongK ? size * pitch : size / CHUNK;
  const start = alongK ? term / CHUNK : term * pitch;
  const call = `subgroupMatrixLoad<${type}, ${order}>`;
  return unroll(
    count,
    (i) =>
      `      let ${name}${i} = ${call}(&${name}_tiles, ${name}_at + ${start + i * across}u, ${pitch}u);`,
  );
}

/** Each unit of a's rows times each of b's columns, for all terms of a turn. */
function multiply({ tile, unit }: MatmulSubgroupMatrixOptions, a: Layout, b: Layout): string {
  const rows = tile.partRows / unit.m;
  const cols = tile.partCols / unit.n;
  const left = { name: "a", type: "Left", order: a.alongK ? "row_major" : "col_major" } as const;
  const right = { name: "b", type: "Right", order: b.alongK ? "col_major" : "row_major" } as const;
  return unroll(tile.depth / unit.k, (t) =>
    [
      "    {",
      loadUnits(left, a, { count: rows, size: unit.m, term: t * unit.k }),
      loadUnits(right, b, { count: cols, size: unit.n, term: t * unit.k }),
      unroll(rows, (r) =>
        unroll(
          cols,
          (c) =>
            `      sum${r}_${c} = subgroupMatrixMultiplyAccumulate(a${r}, b${c}, sum${r}_${c});`,
        ),
      ),
      "    }",
    ].join("\n"),
  );
}

/**
 * One workgroup computes TILE_ROWS × TILE_COLS elements of y, each of its subgroups PART_ROWS ×
 * PART_COLS of them, TILE_K terms a turn. Both tiles are there twice, as in matmulDoubleBuffered.
 * sumR_C: unit C of the subgroup's row R of units. Edges are zeros in the tiles, so that only loads
 * and stores know of them.
 */
export function matmulSubgroupMatrix(options: MatmulSubgroupMatrixOptions): string {
  const { tile, unit, subgroup } = options;
  const lanes = subgroup * subgroupsOf(tile);
  const a = layoutOf(tile.rows, tile.depth, options.a);
  const b = layoutOf(tile.cols, tile.depth, options.b);
  const rows = tile.partRows / unit.m;
  const cols = tile.partCols / unit.n;
  const strip = unit.m * (tile.partCols / 4 + 1);
  const aLoads = (tile.rows * tile.depth) / CHUNK / lanes;
  const bLoads = (tile.cols * tile.depth) / CHUNK / lanes;
  const packs = {
    a: options.a.isWide ? "vec4u" : "Element",
    b: options.b.isWide ? "vec4u" : "Element",
  };
  return wgsl`
${enableHalf(true)}
enable subgroups;
enable chromium_experimental_subgroup_matrix;
const TILE_ROWS: u32 = ${tile.rows}u;
const TILE_COLS: u32 = ${tile.cols}u;
const TILE_K: u32 = ${tile.depth}u;
const PART_ROWS: u32 = ${tile.partRows}u;
const PART_COLS: u32 = ${tile.partCols}u;
const SUBGROUP: u32 = ${subgroup}u;
const SUBGROUPS: u32 = ${subgroupsOf(tile)}u;
const ACROSS: u32 = TILE_COLS / PART_COLS; // subgroups along columns
const LANES: u32 = SUBGROUP * SUBGROUPS;
const LINE_A: u32 = ${a.line}u;
const LINE_B: u32 = ${b.line}u;
const PITCH_A: u32 = ${a.pitch}u;
const PITCH_B: u32 = ${b.pitch}u;
const A_SIZE: u32 = ${a.size}u;
const B_SIZE: u32 = ${b.size}u;
const UNIT_ROWS: u32 = ${unit.m}u;
const PART_QUADS: u32 = PART_COLS / 4u;
const STRIP_PITCH: u32 = PART_QUADS + 1u; // keeps rows in different banks
alias Left = subgroup_matrix_left<f16, ${unit.k}, ${unit.m}>; // columns, rows
alias Right = subgroup_matrix_right<f16, ${unit.n}, ${unit.k}>;
alias Sum = subgroup_matrix_result<f32, ${unit.n}, ${unit.m}>;
${matmulInterface({ ...options, isHalf: true, packs })}
// [2, lines, PITCH] chunks; at last a's hold the sums, [SUBGROUPS, UNIT_ROWS, STRIP_PITCH] vec4f
var<workgroup> a_tiles: array<vec4u, ${Math.max(2 * a.size, subgroupsOf(tile) * strip)}>;
var<workgroup> b_tiles: array<vec4u, ${2 * b.size}>;

${matmulChunks("a", options.a)}
${matmulChunks("b", options.b)}
// Stores the strip, UNIT_ROWS × PART_COLS sums whose first one belongs at row and col.
fn store_strip(tile: Place, strip: u32, row: u32, col: u32, lane: u32) {
  for (var i = lane; i < UNIT_ROWS * PART_QUADS; i += SUBGROUP) {
    let quad = i % PART_QUADS;
    let sums = bitcast<vec4f>(a_tiles[strip + i / PART_QUADS * STRIP_PITCH + quad]);
    let y_row = row + i / PART_QUADS;
    let y_col = col + quad * 4u;
#if ${options.vector}
    store(tile.y_base, y_row, y_col, sums);
#else
    for (var c = 0u; c < 4u; c++) {
      store(tile.y_base, y_row, y_col + c, sums[c]);
    }
#endif
  }
}

@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(subgroup_id) subgroup_id: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = place(flat_workgroup(wid, groups));
  if (!tile.exists) {
    return;
  }
  let part = subgroup_id % SUBGROUPS; // a bound that compilers can see, for their checks
  let part_row = part / ACROSS * PART_ROWS;
  let part_col = part % ACROSS * PART_COLS;
${unroll(aLoads, (i) => `  var next_a${i} = load_a(tile, lid.x + ${i}u * LANES, tile.k_start);`)}
${unroll(bLoads, (i) => `  var next_b${i} = load_b(tile, lid.x + ${i}u * LANES, tile.k_start);`)}
${unroll(rows, (r) => unroll(cols, (c) => `  var sum${r}_${c}: Sum;`))}
  for (var k = tile.k_start; k < tile.k_end; k += TILE_K) {
    let half = (k - tile.k_start) / TILE_K % 2u; // the pair of tiles of this turn
${unroll(aLoads, (i) => `    a_tiles[half * A_SIZE + slot_a(lid.x + ${i}u * LANES)] = next_a${i};`)}
${unroll(bLoads, (i) => `    b_tiles[half * B_SIZE + slot_b(lid.x + ${i}u * LANES)] = next_b${i};`)}
    workgroupBarrier(); // one is enough: all lanes left this pair before the last turn's
${unroll(aLoads, (i) => `    next_a${i} = load_a(tile, lid.x + ${i}u * LANES, k + TILE_K);`)}
${unroll(bLoads, (i) => `    next_b${i} = load_b(tile, lid.x + ${i}u * LANES, k + TILE_K);`)}
#if ${a.alongK}
    let a_at = half * A_SIZE + part_row * PITCH_A;
#else
    let a_at = half * A_SIZE + part_row / 8u;
#endif
#if ${b.alongK}
    let b_at = half * B_SIZE + part_col * PITCH_B;
#else
    let b_at = half * B_SIZE + part_col / 8u;
#endif
${multiply(options, a, b)}
  }
  // Row after row of units goes out through a_tiles; barriers part its readers from its writers.
  let strip = part * UNIT_ROWS * STRIP_PITCH;
${unroll(rows, (r) =>
  [
    "  workgroupBarrier();",
    unroll(
      cols,
      (c) =>
        `  subgroupMatrixStore<row_major>(&a_tiles, strip + ${(c * unit.n) / 4}u, sum${r}_${c}, STRIP_PITCH);`,
    ),
    "  workgroupBarrier();",
    `  store_strip(tile, strip, tile.row + part_row + ${r * unit.m}u, tile.col + part_col, lane);`,
  ].join("\n"),
)}
}
`;
}
