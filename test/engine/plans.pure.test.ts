/** Which calls share a plan. */
import { describe, expect, it } from "vitest";
import { Plans } from "../../src/engine/plans.ts";
import type { Planned } from "../../src/engine/plans.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { OpName } from "../../src/kernels/index.ts";
import type { OpDef } from "../../src/kernels/op.ts";
import { meta } from "../../src/util/shape.ts";
import type { DType, Shape } from "../../src/util/shape.ts";
import { goldenCaps } from "../../tools/expanded.ts";

const table = new Map(opEntries());
const op = (name: OpName): OpDef => {
  const found = table.get(name);
  if (!found) throw new RangeError(`no op ${name}`);
  return found;
};
/** Plans calls on a [3, 4] tensor in one cache. */
const planner = (): ((name: OpName, attrs?: object, shape?: Shape, dtype?: DType) => Planned) => {
  const plans = new Plans(goldenCaps, {});
  return (name, attrs = {}, shape = [3, 4], dtype = "f32") =>
    plans.of(op(name), [meta(shape, dtype)], { ...op(name).defaults, ...attrs });
};

describe("plans", () => {
  it("are made once for the same shapes, dtypes and attributes", () => {
    const plan = planner();
    const first = plan("sum", { axes: [1] });
    expect(first.outputs).toEqual([{ label: "sum y [3]", meta: meta([3]) }]);
    expect(plan("sum", { axes: [1] })).toBe(first);
  });

  it("tell shapes, dtypes, attributes and variants apart", () => {
    const plan = planner();
    const kinds = [
      plan("sum", { axes: [1] }),
      plan("sum", { axes: [0] }),
      plan("sum", { axes: [1], keepdim: true }),
      plan("sum", { axes: [1] }, [4, 3]),
      plan("mean", { axes: [1] }),
      plan("cast", { dtype: "f16" }),
      plan("cast", { dtype: "i32" }),
      plan("cast", { dtype: "f32" }, [3, 4], "i32"),
    ];
    expect(new Set(kinds).size).toBe(kinds.length);
    const plans = new Plans(goldenCaps, {});
    const call = [op("matmul"), [meta([8, 8]), meta([8, 8]), null], op("matmul").defaults] as const;
    expect(plans.of(...call, "naive").passes).not.toEqual(plans.of(...call, "registerTile").passes);
  });

  it("tell numbers apart that JSON does not", () => {
    const plan = planner();
    const shifts = [0, -0, Infinity, -Infinity, 1];
    expect(new Set(shifts.map((shift) => plan("affine", { shift }))).size).toBe(shifts.length);
  });

  it("have no passes for views and for empty results", () => {
    const plan = planner();
    expect(plan("reshape", { shape: [12] }).passes).toEqual([]);
    expect(plan("abs", {}, [0, 4]).passes).toEqual([]);
  });

  it("forget calls that never repeat, and keep those of other ops", () => {
    const plan = planner();
    const first = plan("affine", { shift: -1 });
    const other = plan("abs");
    for (let shift = 0; shift < 2048; shift++) plan("affine", { shift });
    expect(plan("abs")).toBe(other);
    const again = plan("affine", { shift: -1 });
    expect(again).not.toBe(first);
    expect(again.passes.map(({ params }) => params)).toEqual(first.passes.map((p) => p.params));
  });
});
