/** What layernorm and its gradient share: shape checks, and how rows lie on lanes. */
import type { WideRowOptions } from "../../shaders/layernormWide.wgsl.ts";
import type { Epilogue } from "../../shaders/lib/epilogue.wgsl.ts";
import type { PackWidth } from "../../shaders/lib/pack.wgsl.ts";
import type { RowPackOptions } from "../../shaders/lib/rowPacks.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, ceilDiv, type Meta } from "../util/shape.ts";
import { need } from "./op.ts";
import type { Attrs, Caps, InputMetas, Pass, Plan, Variant } from "./op.ts";
import { asRows, fixedSubgroup } from "./pass.ts";
import { rowVariants } from "./rows.ts";
import type { RowLayout } from "./rows.ts";

/**
 * Packs that a lane keeps in registers. Software adapters unroll them into so much code that 24
 * take half a minute to compile; GPUs move an array to memory when it grows beyond this.
 */
const MAX_LANE_PACKS = { cpu: 4, gpu: 32 } as const;
/** Lanes of a workgroup where rows are wide. */
const WIDE_WORKGROUP = 64;

/** Four floats at a time if that leaves no lane idle. */
const packWidth = (cols: number, lanes: number): PackWidth =>
  cols % 4 === 0 && cols >= 4 * lanes ? 4 : 1;

/** How rows of so many floats lie on the lanes of a layout. */
export const packOptions = (layout: RowLayout, cols: number): RowPackOptions => ({
  ...layout,
  cols,
  width: packWidth(cols, layout.lanes),
});

/** The two plans of an op: rows in registers, and rows that are read again instead. */
interface Plans<A> {
  /** Which input has the rows. */
  readonly rowsOf: number;
  /** Rows that a subgroup takes at once where rows are wide. */
  readonly rowsAtOnce: number;
  readonly narrow: (layout: RowLayout, inputs: InputMetas, attrs: A, caps: Caps) => Plan;
  readonly wide: (options: WideRowOptions, inputs: InputMetas, attrs: A, caps: Caps) => Plan;
}

/** `rowVariants` with rows in registers while they fit, and `rowsPerSubgroup` for wide rows. */
export function registerVariants<A extends Attrs>({
  rowsOf,
  rowsAtOnce,
  narrow,
  wide,
}: Plans<A>): Readonly<
  Record<"rowPerSubgroup" | "rowsPerSubgroup" | "rowPerWorkgroup", Variant<A>>
> {
  const { rowPerSubgroup, rowPerWorkgroup } = rowVariants(narrow);
  const colsOf = (inputs: InputMetas): number => asRows(need(inputs, rowsOf).shape).cols;
  const fits: Variant<A>["usable"] = (inputs, attrs, caps) => {
    if (!rowPerSubgroup.usable(inputs, attrs, caps)) return false;
    const lanes = fixedSubgroup(caps);
    const cols = colsOf(inputs);
    const packs = cols / packWidth(cols, lanes);
    return ceilDiv(packs, lanes) <= MAX_LANE_PACKS[caps.adapterClass];
  };
  const rowsPerSubgroup: Variant<A> = {
    usable: (_inputs, _attrs, caps) => fixedSubgroup(caps) > 0,
    plan: (inputs, attrs, caps) => {
      const lanes = fixedSubgroup(caps);
      const options: WideRowOptions = {
        lanes,
        subgroupsPerWorkgroup: Math.max(1, WIDE_WORKGROUP / lanes),
        width: packWidth(colsOf(inputs), lanes),
        rowsAtOnce,
      };
      return wide(options, inputs, attrs, caps);
    },
  };
  return { rowPerSubgroup: { ...rowPerSubgroup, usable: fits }, rowsPerSubgroup, rowPerWorkgroup };
}

/**
 * Checks that vectors match the last axis of x.
 * @throws ShapeError naming the one that does not.
 */
export function checkRows(op: string, x: Meta, vectors: Readonly<Record<string, Meta>>): void {
  if (x.shape.length === 0) throw new ShapeError(op, "x needs at least 1 axis", { x: x.shape });
  for (const [name, { shape }] of Object.entries(vectors))
    if (shape.length !== 1 || at(shape, 0) !== at(x.shape, -1))
      throw new ShapeError(op, `${name} must match the last axis`, { x: x.shape, [name]: shape });
}

/** The main kernel of a plan, by the epilogue of its rows. */
export interface RowKernel extends Pick<Pass, "params" | "grid"> {
  readonly width: PackWidth;
  readonly code: (epilogue?: { epilogue: Epilogue }) => string;
}
