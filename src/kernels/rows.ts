/** The two ways in which row kernels (softmax, layernorm, cross-entropy) share out their rows. */
import { ceilDiv } from "../util/shape.ts";
import type { Attrs, Caps, InputMetas, Plan, Variant } from "./op.ts";
import { fixedSubgroup, foldGrid } from "./pass.ts";

/** How a row kernel is laid out: the options that its shader takes. */
export interface RowLayout {
  readonly lanes: number;
  readonly rowsPerWorkgroup: number;
  readonly subgroup: boolean;
}

/** Rows per workgroup with subgroups: enough that a workgroup is worth starting. */
const SUBGROUP_WORKGROUP = 64;
const WORKGROUP_LANES = 64;

/** Grid that gives each row its lanes. */
export const rowGrid = (rows: number, layout: RowLayout, caps: Caps): [number, number, number] =>
  foldGrid(ceilDiv(rows, layout.rowsPerWorkgroup), caps);

/**
 * The variants of a row kernel: `rowPerSubgroup` (no barriers; needs one fixed subgroup size) and
 * `rowPerWorkgroup` (tree reduction in workgroup memory; runs everywhere).
 */
export function rowVariants<A extends Attrs>(
  plan: (layout: RowLayout, inputs: InputMetas, attrs: A, caps: Caps) => Plan,
): { rowPerSubgroup: Variant<A>; rowPerWorkgroup: Variant<A> } {
  return {
    rowPerSubgroup: {
      usable: (_inputs, _attrs, caps) => fixedSubgroup(caps) > 0,
      plan: (inputs, attrs, caps) => {
        const lanes = fixedSubgroup(caps);
        const rowsPerWorkgroup = Math.max(1, SUBGROUP_WORKGROUP / lanes);
        return plan({ lanes, rowsPerWorkgroup, subgroup: true }, inputs, attrs, caps);
      },
    },
    rowPerWorkgroup: {
      usable: () => true,
      plan: (inputs, attrs, caps) =>
        plan({ lanes: WORKGROUP_LANES, rowsPerWorkgroup: 1, subgroup: false }, inputs, attrs, caps),
    },
  };
}
