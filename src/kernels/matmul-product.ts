/** A matrix product as kernels see it: sizes and strides, whatever its operands' shapes were. */
import { stridedCopy } from "../../shaders/stridedCopy.wgsl.ts";
import { at, meta, sizeOf } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";
import { axisWords } from "./layout.ts";
import { need } from "./op.ts";
import type { Caps, InputMetas, Pass } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

/** Attributes of matmul: whether an operand's last two axes are swapped. */
export interface MatmulAttrs extends Record<string, unknown> {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Elements that one step along an axis of an operand skips. */
interface Strides {
  readonly outer: number; // m of a, n of b
  readonly step: number; // k
  readonly batch: number;
}

/** Sizes and strides of a product, whatever its operands' shapes were. */
export interface Product {
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Strides;
  readonly b: Strides;
  readonly hasBias: boolean;
  /** The kernel always binds a bias, and params say whether it is one: a pipeline less. */
  readonly flagsBias: boolean;
  /** b is stored transposed, and a pass untransposes it first. */
  readonly isCopied: boolean;
  /** a and b are stored as f16. */
  readonly isHalf: boolean;
  /** b, bias and y can be read and written in fours along the columns. */
  readonly vector: boolean;
}

/** Bytes of a vec4f, the least that is bound as a bias of fours; b stands in for a missing one. */
const LEAST_BYTES = 16;

const isInFours = ({ n, k, isHalf }: Pick<Product, "n" | "k" | "isHalf">): boolean =>
  n % 4 === 0 && (isHalf ? 2 : 4) * n * k >= LEAST_BYTES;

/** Batches of a that share b are more rows of one product, unless a's rows lie apart. */
export function product(inputs: InputMetas, { transposeA, transposeB }: MatmulAttrs): Product {
  const a = need(inputs, 0).shape;
  const b = need(inputs, 1).shape;
  const k = at(a, transposeA ? -2 : -1);
  const n = at(b, transposeB ? -2 : -1);
  const isFolded = b.length === 2 && !transposeA;
  const rows = at(a, transposeA ? -1 : -2);
  const batches = isFolded ? 1 : sizeOf((a.length > 2 ? a : b).slice(0, -2));
  const m = isFolded ? sizeOf(a.slice(0, -1)) : rows;
  const isHalf = need(inputs, 0).dtype === "f16";
  return {
    batches,
    m,
    n,
    k,
    a: { outer: transposeA ? 1 : k, step: transposeA ? m : 1, batch: a.length > 2 ? m * k : 0 },
    b: { outer: transposeB ? k : 1, step: transposeB ? 1 : n, batch: b.length > 2 ? n * k : 0 },
    hasBias: Boolean(inputs[2]),
    flagsBias: false,
    isCopied: false,
    isHalf,
    vector: !transposeB && isInFours({ n, k, isHalf }),
  };
}

/**
 * Fewer rows than this do not repay the copy, which costs as much as about 50 rows and a dispatch; it
 * also spares a batch of 64 a pipeline for transposed weights.
 */
const MIN_COPY_ROWS = 64;

/**
 * The product with a transposed b copied into rows first: the tiles without workgroup memory read
 * b once per 16 rows, and each such read costs a third more, element by element, than in vectors.
 */
export function untransposed(of: Product): Product {
  if (of.b.outer === 1 || !isInFours(of) || of.m < MIN_COPY_ROWS) return of;
  return { ...of, b: { ...of.b, outer: 1, step: of.n }, isCopied: true, vector: true };
}

const COPY_OF_B = { width: 4, whole: false, rank: 3, workgroup: ELEMENT_WORKGROUP } as const;

/** The pass that copies b into rows, and where to. */
export function copyOfB(
  { batches, n, k, b, isHalf }: Product,
  caps: Caps,
): { temp: Meta; pass: Pass } {
  const copies = b.batch > 0 ? batches : 1;
  const cells = (copies * k * n) / 4; // of 4 columns, which lie k apart in b
  return {
    temp: meta([copies, k, n], isHalf ? "f16" : "f32"),
    pass: {
      label: `matmul b [${copies}, ${k}, ${n}]`,
      code: stridedCopy({ ...COPY_OF_B, isHalf }),
      bindings: [...reads("in1"), ...writes("temp0")],
      params: [
        ...axisWords([copies, k, n / 4]),
        ...axisWords([n * k, 1, 4 * k]),
        ...[0, k, cells].map(u),
      ],
      grid: elementGrid(cells, caps),
      bytes: (isHalf ? 16 : 32) * cells,
    },
  };
}
