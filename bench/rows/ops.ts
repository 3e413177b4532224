/** Rows of the op table: every usable variant of every op. */
import { hostArray, materialise } from "../../test/ops/samples.ts";
import type { BenchRow, OpCases } from "../../src/kernels/case.ts";
import { cases } from "../../src/kernels/cases.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { OpName } from "../../src/kernels/index.ts";
import type { Caps, OpDef } from "../../src/kernels/op.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import { at, show, sizeOf } from "../../src/util/shape.ts";
import type { DType } from "../../src/util/shape.ts";
import type { Row } from "./row.ts";
import { LARGE, MORE, SHAPES } from "./shapes.ts";

const SEED = 5;

/** f16 if any operand is, or if that is what a cast makes. */
const dtypeOf = ({ inputs, attrs }: BenchRow): DType =>
  attrs?.["dtype"] === "f16" || inputs.some((spec) => spec?.dtype === "f16") ? "f16" : "f32";

const elements = ({ inputs }: BenchRow): number =>
  inputs.reduce((sum, spec) => sum + (spec ? sizeOf(spec.shape) : 0), 0);

/** The op's own bench rows, else of shapes.ts, else its largest sample; then more, the large one last. */
export function benchRowsOf(name: OpName): readonly BenchRow[] {
  const { bench = [], samples }: OpCases = cases[name];
  const chosen = SHAPES[name] ?? samples.toSorted((a, b) => elements(b) - elements(a))[0];
  const large = LARGE[name];
  const usual = bench.length > 0 || !chosen ? bench : [chosen];
  return [...usual, ...(MORE[name] ?? []), ...(large ? [large] : [])];
}

/** Shapes and attributes, in a few words: rows of one op differ in them. */
function describe({ inputs, attrs = {} }: BenchRow): string {
  const shapes = inputs.map((spec) => {
    const type = spec?.dtype === "f16" ? " f16" : "";
    return spec ? `${show(spec.shape)}${type}` : "–";
  });
  return [
    ...shapes,
    ...Object.entries(attrs).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
  ].join(" ");
}

function opRow(
  op: OpDef,
  row: BenchRow,
  { variant, picked }: { variant: string; picked: boolean },
): Row {
  const attrs = { ...op.defaults, ...row.attrs };
  return {
    name: op.name,
    shape: describe(row),
    variant,
    dtype: dtypeOf(row),
    kind: "op",
    picked,
    prepare(engine) {
      const values = materialise(row, SEED);
      const inputs = row.inputs.map((spec, k) => {
        const array = at(values, k);
        return spec && array ? engine.tensor(hostArray(spec, array.data), spec.shape) : null;
      });
      const { passes = [] } = op.variants[variant]?.plan(inputs, attrs, engine.caps) ?? {};
      return {
        run(): undefined {
          engine.scope(() => {
            engine.run(op, inputs, attrs, variant);
          });
        },
        cost: () => ({
          flops: passes.reduce((sum, pass) => sum + (pass.flops ?? 0), 0),
          bytes: passes.reduce((sum, pass) => sum + (pass.bytes ?? 0), 0),
        }),
      };
    },
  };
}

/** All op rows; of an op's variants the one that it would pick comes first. */
export function opRows(caps: Caps): Row[] {
  return opEntries().flatMap(([name, op]) =>
    benchRowsOf(name).flatMap((row) => {
      if (dtypeOf(row) === "f16" && !caps.features.has("shader-f16")) return [];
      if (row.only !== undefined && row.only !== caps.adapterClass) return [];
      const attrs = { ...op.defaults, ...row.attrs };
      const metas = row.inputs.map((spec) =>
        spec ? { shape: spec.shape, dtype: spec.dtype ?? ("f32" as const) } : null,
      );
      const first = pickVariant(op, metas, attrs, caps);
      const usable = Object.keys(op.variants).filter((variant) =>
        op.variants[variant]?.usable(metas, attrs, caps),
      );
      return [first, ...usable.filter((variant) => variant !== first)].map((variant) =>
        opRow(op, row, { variant, picked: variant === first }),
      );
    }),
  );
}
