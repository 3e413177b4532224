/** The passes of a matrix product: a transposed b copied, the kernel, and sums split into parts. */
import { matmulSplits } from "../../shaders/matmulSplits.wgsl.ts";
import type { Epilogue } from "../../shaders/lib/epilogue.wgsl.ts";
import { ceilDiv, meta } from "../util/shape.ts";
import { copyOfB } from "./matmul-product.ts";
import type { Product } from "./matmul-product.ts";
import type { Caps, Pass, Plan, Slot, Tail } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, foldGrid, reads, u, writes } from "./pass.ts";

/** What one workgroup of a kernel computes, and with how many lanes. */
export interface Tile {
  readonly rows: number;
  readonly cols: number;
  readonly lanes: number;
  /** On GPUs, fewer terms than this are not worth a part of their own; absent: 128. */
  readonly leastTerms?: number;
}

/** Tiles of a product, of all its batches. */
export const tileCount = ({ batches, m, n }: Product, { rows, cols }: Tile): number =>
  batches * ceilDiv(m, rows) * ceilDiv(n, cols);

/** A kernel's WGSL with an epilogue or, without one, with a plain store. */
export type KernelCode = (of: Product, epilogue?: { epilogue: Epilogue }) => string;

/** Workgroups that keep a CPU busy, and terms that repay a second pass there. */
const CPU_WORKGROUPS = 8;
const CPU_TERMS = 256;

/**
 * With a bias a CPU does not split: on lavapipe 13 shapes of one row to 112 took 1.0 to 1.9 times as
 * long in 2 to 8 parts.
 */
function cpuParts(of: Product, tile: Tile): number {
  const wanted = ceilDiv(CPU_WORKGROUPS, Math.max(1, tileCount(of, tile)));
  return of.hasBias ? 1 : Math.max(1, Math.min(wanted, Math.floor(of.k / CPU_TERMS)));
}

/**
 * Lanes that keep a large GPU busy: 16 subgroups of 32 for each of 132 multiprocessors (an H100),
 * which are two workgroups of 256, so that one multiplies while the other waits for memory.
 */
const GPU_LANES = 132 * 16 * 32;
const GPU_TERMS = 128;
const GPU_FEWEST_PARTS = 3;

/**
 * Parts of a product on a GPU: as many as fill it, of `leastTerms` at least. The second pass costs a
 * dispatch, 2 to 3 µs, and its traffic: where lanes have 16 elements, parts · elements are at most
 * 16 · GPU_LANES = 1.1 million, 8.6 MB written and read at 2.5 TB/s or better, up to 3.5 µs. A term
 * takes an idle multiprocessor's only workgroup 0.02 µs (a small tile) to 0.04 (measured: 0.65 µs
 * for 16, on tiles of 64 × 64), so that 3 parts of 128 terms save 5 to 10 µs, and 2 would not pay.
 */
export function gpuParts(of: Product, tile: Tile): number {
  const wanted = Math.floor(GPU_LANES / (Math.max(1, tileCount(of, tile)) * tile.lanes));
  const parts = Math.min(wanted, Math.floor(of.k / (tile.leastTerms ?? GPU_TERMS)));
  return parts < GPU_FEWEST_PARTS ? 1 : parts;
}

/** Parts start at multiples of this, the depth of the deepest tile of the class. */
const TERM_GRAIN = { cpu: 16, gpu: 32 } as const;

/** Terms per part: all of them, unless few tiles and long sums would leave the adapter idle. */
function termsPerPart(of: Product, tile: Tile, { adapterClass }: Caps): number {
  const parts = { cpu: cpuParts, gpu: gpuParts }[adapterClass](of, tile);
  const grain = TERM_GRAIN[adapterClass];
  return parts === 1 ? of.k : ceilDiv(ceilDiv(of.k, parts), grain) * grain;
}

/** The pass that adds up the parts, then the bias; what follows elementwise may join it. */
function sumOfParts(
  slot: Slot,
  { batches, m, n, hasBias }: Product,
  parts: number,
  caps: Caps,
): Pass {
  const elements = batches * m * n;
  const width = n % 4 === 0 ? 4 : 1;
  const options = { workgroup: ELEMENT_WORKGROUP, width, hasBias } as const;
  const bindings = [...reads(slot, ...(hasBias ? (["in2"] as const) : [])), ...writes("out0")];
  return {
    label: `matmul sum of ${parts} parts [${elements}]`,
    code: matmulSplits(options),
    bindings,
    params: [elements / width, parts, ...(hasBias ? [n / width] : [])].map(u),
    grid: elementGrid(elements / width, caps),
    flops: elements * parts,
    bytes: 4 * elements * (parts + 1),
    tail: {
      binding: bindings.length - 1,
      name: "y",
      count: elements,
      width,
      code: (epilogue) => matmulSplits({ ...options, epilogue }),
    },
  };
}

/** The kernel's pass: into y, or into parts of `each` terms. */
function productPass(
  code: KernelCode,
  tile: Tile,
  { of, parts, each, target }: { of: Product; parts: number; each: number; target: Slot },
  caps: Caps,
): Pass {
  const { batches, m, n, k, a, b } = of;
  const elements = batches * m * n;
  const right: Slot = of.isCopied ? "temp0" : "in1";
  return {
    label: `matmul y [${batches}, ${m}, ${n}] over ${k}`,
    code: code(of),
    bindings: [
      ...reads("in0", right),
      ...(of.hasBias ? reads("in2") : of.flagsBias ? reads(right) : []),
      ...writes(target),
    ],
    params: [
      ...[m, n, k, batches, parts, each],
      ...[a.outer, a.step, a.batch, b.outer, b.step, b.batch],
      ...(of.flagsBias ? [Number(of.hasBias)] : []),
    ].map(u),
    grid: foldGrid(parts * tileCount(of, tile), caps),
    flops: 2 * elements * k,
    bytes: (of.isHalf ? 2 : 4) * batches * (m + n) * k + 4 * elements,
  };
}

/** Where the values of an unsplit product may go through stages. */
const tailOf = (code: KernelCode, of: Product, { bindings }: Pass): Tail => ({
  binding: bindings.length - 1,
  name: "y",
  count: of.batches * of.m * of.n,
  width: of.vector ? 4 : 1,
  code: (epilogue) => code(of, { epilogue }),
});

/** The passes of a product: a transposed b copied, the kernel, and the sum of parts, as needed. */
export function productPlan(code: KernelCode, tile: Tile, of: Product, caps: Caps): Plan {
  const { batches, m, n, k } = of;
  if (batches * m * n === 0) return { temps: [], passes: [] };
  const each = termsPerPart(of, tile, caps);
  const parts = Math.max(1, ceilDiv(k, Math.max(1, each)));
  const copy = of.isCopied ? [copyOfB(of, caps)] : [];
  const copies = copy.map(({ pass }) => pass);
  const temps = copy.map(({ temp }) => temp);
  if (parts === 1) {
    const whole = productPass(code, tile, { of, parts, each, target: "out0" }, caps);
    return { temps, passes: [...copies, { ...whole, tail: tailOf(code, of, whole) }] };
  }
  // The bias is added once, to the sum.
  const target: Slot = `temp${copy.length}`;
  const split = { of: { ...of, hasBias: false }, parts, each, target };
  return {
    temps: [...temps, meta([parts, batches * m * n])],
    passes: [...copies, productPass(code, tile, split, caps), sumOfParts(target, of, parts, caps)],
  };
}
