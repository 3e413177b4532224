/** The two steps of a Householder tridiagonalisation, as statements on the state of src/linalg. */
import { householderReflect as reflectShader } from "../../shaders/householderReflect.wgsl.ts";
import {
  HOUSEHOLDER_ROWS,
  householderUpdate as updateShader,
} from "../../shaders/householderUpdate.wgsl.ts";
import { householderTail as tailShader } from "../../shaders/householderTail.wgsl.ts";
import { HOUSEHOLDER_TAIL } from "../util/blocks.ts";
import { ShapeError } from "../util/errors.ts";
import { at, ceilDiv, sameShape } from "../util/shape.ts";
import type { Caps, InputMetas, Variant } from "./op.ts";
import { defineOp, need } from "./op.ts";
import { fixedSubgroup, reads, u, writes } from "./pass.ts";
import { rowGrid, rowVariants } from "./rows.ts";

/** Lanes of the one workgroup that makes a reflector, where no subgroup does it. */
const REFLECT_LANES = 64;

/** Which column of the matrix the step treats. */
type Step = Readonly<{ column: number }>;
const firstStep: Step = { column: 0 };

/** Checks the state's shapes; the matrix and the reflectors are [n, n]. */
function checkState(
  op: string,
  inputs: InputMetas,
  names: readonly string[],
  { column }: Step,
): number {
  const { shape: a } = need(inputs, 0);
  const size = a[0] ?? 0;
  if (a.length !== 2 || a[1] !== size || size === 0)
    throw new ShapeError(op, "a must be square and not empty", { a });
  names.forEach((name, index) => {
    const { shape } = need(inputs, index);
    const wanted =
      name === "tri" ? [3, size] : name === "p" || name === "w" ? [size] : [size, size];
    if (!sameShape(shape, wanted))
      throw new ShapeError(op, `${name} must be [${wanted.join(", ")}]`, { a, [name]: shape });
  });
  if (!Number.isInteger(column) || column < 0 || column >= size)
    throw new ShapeError(op, `column ${column} does not exist`, { a });
  return size;
}

function reflectVariant(lanesOf: (caps: Caps) => number, subgroup: boolean): Variant<Step> {
  return {
    usable: (_inputs, _attrs, caps) => lanesOf(caps) > 0,
    plan: (inputs, { column }, caps) => {
      const size = at(need(inputs, 0).shape, 0);
      const left = size - column;
      const options = { lanes: lanesOf(caps), subgroup };
      return {
        temps: [],
        passes: [
          {
            label: "householderReflect",
            code: reflectShader(options),
            bindings: [...reads("in0", "in1"), ...writes("in2", "in3", "in4")],
            params: [u(size), u(column)],
            grid: [1, 1, 1],
            flops: 12 * left,
            bytes: 28 * left,
          },
        ],
      };
    },
  };
}

/**
 * Makes the reflector of one column: writes row `column` of v, w of the reflector before, and
 * d, e, τ in tri. See the shader for the formulas.
 */
export const householderReflect = defineOp({
  name: "householderReflect",
  inputs: ["a", "p", "v", "w", "tri"],
  outputs: [],
  mutates: [2, 3, 4],
  defaults: firstStep,
  infer(inputs, attrs) {
    checkState("householderReflect", inputs, ["a", "p", "v", "w", "tri"], attrs);
    return [];
  },
  variants: {
    oneSubgroup: reflectVariant(fixedSubgroup, true),
    oneWorkgroup: reflectVariant(() => REFLECT_LANES, false),
  },
  prefer: { gpu: ["oneWorkgroup"] }, // 64 lanes hide memory's latency where a barrier is cheap
  grad: null, // a step of an iterative algorithm with state; eigh has no gradient
});

/**
 * a ← a − v wᵀ − w vᵀ over the rows and columns after `column`, and p = a·u, with v and u the rows
 * column − 1 and column of the reflectors.
 */
export const householderUpdate = defineOp({
  name: "householderUpdate",
  inputs: ["a", "v", "w", "p"],
  outputs: [],
  mutates: [0, 3],
  defaults: firstStep,
  infer(inputs, attrs) {
    checkState("householderUpdate", inputs, ["a", "v", "w", "p"], attrs);
    return [];
  },
  variants: rowVariants<Step>((layout, inputs, { column }, caps) => {
    const size = at(need(inputs, 0).shape, 0);
    const left = size - column - 1;
    return {
      temps: [],
      passes:
        left === 0
          ? []
          : [
              {
                label: "householderUpdate",
                code: updateShader(layout),
                bindings: [...writes("in0"), ...reads("in1", "in2"), ...writes("in3")],
                params: [u(size), u(column)],
                grid: rowGrid(ceilDiv(left, HOUSEHOLDER_ROWS), layout, caps),
                flops: 6 * left * left,
                bytes: 8 * left * left,
              },
            ],
    };
  }),
  grad: null, // a step of an iterative algorithm with state; eigh has no gradient
});

function tailVariant(lanesOf: (caps: Caps) => number, subgroup: boolean): Variant<Step> {
  return {
    usable: (_inputs, _attrs, caps) => lanesOf(caps) > 0,
    plan: (inputs, { column }, caps) => {
      const size = at(need(inputs, 0).shape, 0);
      const left = size - column;
      const options = { lanes: lanesOf(caps), subgroup };
      return {
        temps: [],
        passes: [
          {
            label: "householderTail",
            code: tailShader(options),
            bindings: writes("in0", "in1", "in2", "in3", "in4"),
            params: [u(size), u(column)],
            grid: [1, 1, 1],
            flops: 2 * left ** 3,
            bytes: (8 * left ** 3) / 3,
          },
        ],
      };
    },
  };
}

/** householderReflect and householderUpdate for every column from `column` on; a is symmetric. */
export const householderTail = defineOp({
  name: "householderTail",
  inputs: ["a", "p", "v", "w", "tri"],
  outputs: [],
  mutates: [0, 1, 2, 3, 4],
  defaults: firstStep,
  infer(inputs, attrs) {
    const size = checkState("householderTail", inputs, ["a", "p", "v", "w", "tri"], attrs);
    if (size - attrs.column > HOUSEHOLDER_TAIL)
      throw new ShapeError(
        "householderTail",
        `more than ${HOUSEHOLDER_TAIL} columns are left after ${attrs.column}`,
        { a: need(inputs, 0).shape },
      );
    return [];
  },
  variants: {
    oneSubgroup: tailVariant(fixedSubgroup, true),
    oneWorkgroup: tailVariant(() => REFLECT_LANES, false),
  },
  prefer: { gpu: ["oneWorkgroup"] },
  grad: null, // steps of an iterative algorithm with state; eigh has no gradient
});
