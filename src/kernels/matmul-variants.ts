/** The ways to multiply matrices: kernels, tile sizes and how long sums are split. */
import { matmul as matmulShader } from "../../shaders/matmul.wgsl.ts";
import { matmulBroadcast } from "../../shaders/matmulBroadcast.wgsl.ts";
import { matmulRegister } from "../../shaders/matmulRegister.wgsl.ts";
import { matmulSplits } from "../../shaders/matmulSplits.wgsl.ts";
import { matmulWorkgroup } from "../../shaders/matmulWorkgroup.wgsl.ts";
import { at, ceilDiv, meta, sizeOf } from "../util/shape.ts";
import type { MatmulAttrs } from "./matmul.ts";
import { need } from "./op.ts";
import type { Caps, InputMetas, Pass, Plan, Slot, Variant } from "./op.ts";
import {
  ELEMENT_WORKGROUP,
  elementGrid,
  fixedSubgroup,
  foldGrid,
  reads,
  u,
  writes,
} from "./pass.ts";

/** Elements that one step along an axis of an operand skips. */
interface Strides {
  readonly outer: number; // m of a, n of b
  readonly step: number; // k
  readonly batch: number;
}

/** Sizes and strides of a product, whatever its operands' shapes were. */
interface Product {
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Strides;
  readonly b: Strides;
  readonly hasBias: boolean;
  /** b, bias and y can be read and written as vec4f along the columns. */
  readonly vector: boolean;
}

/** Batches of a that share b are more rows of one product, unless a's rows lie apart. */
function product(inputs: InputMetas, { transposeA, transposeB }: MatmulAttrs): Product {
  const a = need(inputs, 0).shape;
  const b = need(inputs, 1).shape;
  const k = at(a, transposeA ? -2 : -1);
  const n = at(b, transposeB ? -2 : -1);
  const isFolded = b.length === 2 && !transposeA;
  const rows = at(a, transposeA ? -1 : -2);
  const batches = isFolded ? 1 : sizeOf((a.length > 2 ? a : b).slice(0, -2));
  const m = isFolded ? sizeOf(a.slice(0, -1)) : rows;
  return {
    batches,
    m,
    n,
    k,
    a: { outer: transposeA ? 1 : k, step: transposeA ? m : 1, batch: a.length > 2 ? m * k : 0 },
    b: { outer: transposeB ? k : 1, step: transposeB ? 1 : n, batch: b.length > 2 ? n * k : 0 },
    hasBias: Boolean(inputs[2]),
    vector: !transposeB && n % 4 === 0,
  };
}

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

function sumOfParts(elements: number, parts: number, caps: Caps): Pass {
  return {
    label: `matmul sum of ${parts} parts [${elements}]`,
    code: matmulSplits({ workgroup: ELEMENT_WORKGROUP }),
    bindings: [...reads("temp0"), ...writes("out0")],
    params: [u(elements), u(parts)],
    grid: elementGrid(elements, caps),
    flops: elements * parts,
    bytes: 4 * elements * (parts + 1),
  };
}

function productPlan(code: string, tile: Tile, of: Product, caps: Caps): Plan {
  const { batches, m, n, k, a, b } = of;
  const elements = batches * m * n;
  if (elements === 0) return { temps: [], passes: [] };
  const each = termsPerPart(of, tile, caps);
  const parts = Math.max(1, ceilDiv(k, Math.max(1, each)));
  const target: Slot = parts > 1 ? "temp0" : "out0";
  const tiles = ceilDiv(m, tile.rows) * ceilDiv(n, tile.cols);
  const main: Pass = {
    label: `matmul y [${batches}, ${m}, ${n}] over ${k}`,
    code,
    bindings: [...reads("in0", "in1"), ...(of.hasBias ? reads("in2") : []), ...writes(target)],
    params: [
      ...[m, n, k, batches, parts, each],
      ...[a.outer, a.step, a.batch, b.outer, b.step, b.batch],
    ].map(u),
    grid: foldGrid(parts * batches * tiles, caps),
    flops: 2 * elements * k,
    bytes: 4 * (batches * (m + n) * k + elements),
  };
  return parts > 1
    ? { temps: [meta([parts, elements])], passes: [main, sumOfParts(elements, parts, caps)] }
    : { temps: [], passes: [main] };
}

/** Rows of one invocation of `registerTile`. */
const REGISTER_ROWS = 8;
/** Accumulators (of 4 columns) of one lane of `broadcast`: more spill, and compile for seconds. */
const BROADCAST_CELLS = 32;
const BROADCAST_COLS = 2;

const naive: Variant<MatmulAttrs> = {
  usable: () => true,
  plan(inputs, attrs, caps) {
    const of = { ...product(inputs, attrs), vector: false };
    return productPlan(matmulShader(of), { rows: 8, cols: 8 }, of, caps);
  },
};

const registerTile: Variant<MatmulAttrs> = {
  usable: () => true,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const code = matmulRegister({ ...of, rows: REGISTER_ROWS });
    return productPlan(code, { rows: 2 * REGISTER_ROWS, cols: 64 }, of, caps);
  },
};

const broadcast: Variant<MatmulAttrs> = {
  // Larger subgroups would need tiles of hundreds of rows; they are GPUs, and do better otherwise.
  usable: (_inputs, _attrs, caps) => fixedSubgroup(caps) === 4 || fixedSubgroup(caps) === 8,
  plan(inputs, attrs, caps) {
    const of = product(inputs, attrs);
    const subgroup = fixedSubgroup(caps);
    const rowGroups = BROADCAST_CELLS / BROADCAST_COLS / subgroup;
    const code = matmulBroadcast({ ...of, subgroup, rowGroups, colGroups: BROADCAST_COLS });
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
    return productPlan(matmulWorkgroup({ ...of, ...alongK }), WORKGROUP_TILE, of, caps);
  },
};

/** Variants of matmul by name. */
export const matmulVariants = { broadcast, registerTile, workgroupTiled, naive };
