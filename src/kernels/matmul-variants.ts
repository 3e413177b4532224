/** The ways to multiply matrices: kernels, tile sizes and how long sums are split. */
import { matmul as matmulShader } from "../../shaders/matmul.wgsl.ts";
import { matmulBroadcast } from "../../shaders/matmulBroadcast.wgsl.ts";
import { matmulRegister } from "../../shaders/matmulRegister.wgsl.ts";
import { matmulSplits } from "../../shaders/matmulSplits.wgsl.ts";
import { matmulWorkgroup } from "../../shaders/matmulWorkgroup.wgsl.ts";
import type { Epilogue } from "../../shaders/lib/epilogue.wgsl.ts";
import { ceilDiv, meta } from "../util/shape.ts";
import { copyOfB, product, untransposed } from "./matmul-product.ts";
import type { MatmulAttrs, Product } from "./matmul-product.ts";
import type { Caps, Pass, Plan, Slot, Tail, Variant } from "./op.ts";
import {
  ELEMENT_WORKGROUP,
  elementGrid,
  fixedSubgroup,
  foldGrid,
  reads,
  u,
  writes,
} from "./pass.ts";
import { remember } from "./remember.ts";

/** Output elements of one workgroup. */
interface Tile {
  readonly rows: number;
  readonly cols: number;
}

/** Workgroups that keep an adapter busy. */
const ENOUGH_WORKGROUPS = { cpu: 8, gpu: 256 } as const;
/** Fewer terms per part than this are not worth a second pass. */
const MIN_TERMS = 256;
/** Parts start at multiples of this, the depth of a workgroup's tile. */
const TERM_GRAIN = 16;

/** Terms per part: all of them, unless few tiles and long sums would leave the adapter idle. */
function termsPerPart({ batches, m, n, k, hasBias }: Product, tile: Tile, caps: Caps): number {
  const tiles = batches * ceilDiv(m, tile.rows) * ceilDiv(n, tile.cols);
  const wanted = ceilDiv(ENOUGH_WORKGROUPS[caps.adapterClass], Math.max(1, tiles));
  const parts = Math.min(wanted, Math.floor(k / MIN_TERMS));
  if (hasBias || parts <= 1) return k;
  return ceilDiv(ceilDiv(k, parts), TERM_GRAIN) * TERM_GRAIN;
}

function sumOfParts(slot: Slot, elements: number, parts: number, caps: Caps): Pass {
  return {
    label: `matmul sum of ${parts} parts [${elements}]`,
    code: matmulSplits({ workgroup: ELEMENT_WORKGROUP }),
    bindings: [...reads(slot), ...writes("out0")],
    params: [u(elements), u(parts)],
    grid: elementGrid(elements, caps),
    flops: elements * parts,
    bytes: 4 * elements * (parts + 1),
  };
}

/** A kernel's WGSL with an epilogue or, without one, with a plain store. */
export type KernelCode = (epilogue?: { epilogue: Epilogue }) => string;

/** The passes of a product: a transposed b copied, the kernel, and the sum of parts, as needed. */
export function productPlan(code: KernelCode, tile: Tile, of: Product, caps: Caps): Plan {
  const { batches, m, n, k, a, b } = of;
  const elements = batches * m * n;
  if (elements === 0) return { temps: [], passes: [] };
  const each = termsPerPart(of, tile, caps);
  const parts = Math.max(1, ceilDiv(k, Math.max(1, each)));
  const copy = of.isCopied ? [copyOfB(of, caps)] : [];
  const right: Slot = of.isCopied ? "temp0" : "in1";
  const target: Slot = parts > 1 ? `temp${copy.length}` : "out0";
  const tiles = ceilDiv(m, tile.rows) * ceilDiv(n, tile.cols);
  const main: Pass = {
    label: `matmul y [${batches}, ${m}, ${n}] over ${k}`,
    code: code(),
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
    grid: foldGrid(parts * batches * tiles, caps),
    flops: 2 * elements * k,
    bytes: (of.isHalf ? 2 : 4) * batches * (m + n) * k + 4 * elements,
  };
  const tail: Tail = {
    binding: main.bindings.length - 1,
    name: "y",
    count: elements,
    width: of.vector ? 4 : 1,
    code: (epilogue) => code({ epilogue }),
  };
  return {
    temps: [...copy.map(({ temp }) => temp), ...(parts > 1 ? [meta([parts, elements])] : [])],
    passes: [
      ...copy.map(({ pass }) => pass),
      parts > 1 ? main : { ...main, tail },
      ...(parts > 1 ? [sumOfParts(target, elements, parts, caps)] : []),
    ],
  };
}

/** Rows of one invocation of `registerTile`. */
const REGISTER_ROWS = 8;
/**
 * Accumulators (of 4 columns) of one lane of `broadcast`. They lie in memory in any case; what they
 * cost is a compiler's time (0.5 s with 64 on lavapipe, 1.3 s with 128), and what they save is loads
 * of b, each of which takes as long as 40 multiply-adds there. Products of few rows leave half idle.
 */
const BROADCAST_CELLS = { few: 32, many: 64 } as const;
const BROADCAST_COLS = 2;

const naive: Variant<MatmulAttrs> = {
  usable: () => true,
  plan(inputs, attrs, caps) {
    const of = { ...product(inputs, attrs), vector: false };
    const code: KernelCode = (epilogue) => matmulShader({ ...of, ...epilogue });
    return productPlan(code, { rows: 8, cols: 8 }, of, caps);
  },
};

const registerTile: Variant<MatmulAttrs> = {
  usable: () => true,
  plan(inputs, attrs, caps) {
    const of = untransposed(product(inputs, attrs));
    const code: KernelCode = (epilogue) =>
      matmulRegister({ ...of, ...epilogue, rows: REGISTER_ROWS });
    return productPlan(code, { rows: 2 * REGISTER_ROWS, cols: 64 }, of, caps);
  },
};

/** Its text is written out row by row: 0.3 ms, as long as a small product takes. */
const broadcastCode = new Map<string, string>();

const broadcast: Variant<MatmulAttrs> = {
  // Larger subgroups would need tiles of hundreds of rows; they are GPUs, and do better otherwise.
  usable: (_inputs, _attrs, caps) => fixedSubgroup(caps) === 4 || fixedSubgroup(caps) === 8,
  plan(inputs, attrs, caps) {
    const of = { ...untransposed(product(inputs, attrs)), flagsBias: true };
    const subgroup = fixedSubgroup(caps);
    const rows = BROADCAST_CELLS.few / BROADCAST_COLS;
    const cells = of.m > rows ? BROADCAST_CELLS.many : BROADCAST_CELLS.few;
    const rowGroups = cells / BROADCAST_COLS / subgroup;
    // Parts start at multiples of the grain, so that an even k has even parts.
    const options = {
      vector: of.vector,
      isHalf: of.isHalf,
      subgroup,
      rowGroups,
      colGroups: BROADCAST_COLS,
      depth: of.k % 2 === 0 ? 2 : 1,
    };
    const code: KernelCode = (epilogue) =>
      epilogue
        ? matmulBroadcast({ ...options, ...epilogue })
        : remember(broadcastCode, options, () => matmulBroadcast(options));
    const tile = { rows: subgroup * rowGroups, cols: 4 * subgroup * BROADCAST_COLS };
    return productPlan(code, tile, of, caps);
  },
};

const WORKGROUP_TILE = { rows: 64, cols: 64, lanes: 256, bytes: 2 * 16 * 17 * 16 } as const;

const workgroupTiled: Variant<MatmulAttrs> = {
  usable: (_inputs, _attrs, caps) =>
    caps.maxInvocations >= WORKGROUP_TILE.lanes && caps.maxWorkgroupBytes >= WORKGROUP_TILE.bytes,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const alongK = { aAlongK: !attrs.transposeA, bAlongK: attrs.transposeB };
    const code: KernelCode = (epilogue) => matmulWorkgroup({ ...of, ...epilogue, ...alongK });
    return productPlan(code, WORKGROUP_TILE, of, caps);
  },
};

/** Variants of matmul by name. */
export const matmulVariants = { broadcast, registerTile, workgroupTiled, naive };
