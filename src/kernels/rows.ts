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

/** How one row kernel is planned for one layout. */
type RowPlan<A extends Attrs> = (
  layout: RowLayout,
  inputs: InputMetas,
  attrs: A,
  caps: Caps,
) => Plan;

const subgroupLayout = (caps: Caps): RowLayout => {
  const lanes = fixedSubgroup(caps);
  return { lanes, rowsPerWorkgroup: Math.max(1, SUBGROUP_WORKGROUP / lanes), subgroup: true };
};
const WORKGROUP_LAYOUT: RowLayout = {
  lanes: WORKGROUP_LANES,
  rowsPerWorkgroup: 1,
  subgroup: false,
};

/** The layout for plans that must work everywhere: subgroups where they have one size. */
export const rowLayout = (caps: Caps): RowLayout =>
  fixedSubgroup(caps) > 0 ? subgroupLayout(caps) : WORKGROUP_LAYOUT;

/**
 * The variants of a row kernel: `rowPerSubgroup` (no barriers; needs one fixed subgroup size) and
 * `rowPerWorkgroup` (tree reduction in workgroup memory; runs everywhere), each where `fits` agrees.
 */
export function rowVariants<A extends Attrs>(
  plan: RowPlan<A>,
  fits: (layout: RowLayout, inputs: InputMetas) => boolean = () => true,
): { rowPerSubgroup: Variant<A>; rowPerWorkgroup: Variant<A> } {
  return {
    rowPerSubgroup: {
      usable: (inputs, _attrs, caps) =>
        fixedSubgroup(caps) > 0 && fits(subgroupLayout(caps), inputs),
      plan: (inputs, attrs, caps) => plan(subgroupLayout(caps), inputs, attrs, caps),
    },
    rowPerWorkgroup: {
      usable: (inputs) => fits(WORKGROUP_LAYOUT, inputs),
      plan: (inputs, attrs, caps) => plan(WORKGROUP_LAYOUT, inputs, attrs, caps),
    },
  };
}
