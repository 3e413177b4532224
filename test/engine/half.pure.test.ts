/** Which ops take f16: those that say so have samples of it, and all others refuse it. */
import { describe, expect, it } from "vitest";
import { needHalf } from "../../src/engine/index.ts";
import { cases } from "../../src/kernels/cases.ts";
import type { InputSpec, OpCases } from "../../src/kernels/case.ts";
import { opEntries } from "../../src/kernels/index.ts";
import { inferMetas } from "../../src/kernels/op.ts";
import { AdapterError } from "../../src/util/errors.ts";
import { bytesOf, meta } from "../../src/util/shape.ts";
import { metasOf } from "../../tools/expanded.ts";

const isFloat = (spec: InputSpec | null | undefined): boolean =>
  spec != null && (spec.dtype ?? "f32") === "f32";

describe("an op's inputs in f16", () => {
  for (const [name, op] of opEntries()) {
    const { samples }: OpCases = cases[name];
    const names = op.inputs.map((input) => input.replace("?", ""));
    const sample = samples.find(({ inputs }) => inputs.some(isFloat));
    names.forEach((input, index) => {
      if (op.halves?.includes(input))
        it(`${name} takes ${input}, and tests it`, () => {
          expect(samples.some(({ inputs }) => inputs[index]?.dtype === "f16")).toBe(true);
        });
      else if (sample && isFloat(sample.inputs[index]))
        it(`${name} refuses ${input}`, () => {
          const metas = metasOf(sample).map((each, k) =>
            each && k === index ? meta(each.shape, "f16") : each,
          );
          const attrs = { ...op.defaults, ...sample.attrs };
          expect(() => inferMetas(op, metas, attrs)).toThrow(
            new RegExp(`${name}: ${input} must not be f16; use cast; got ${input} \\[`),
          );
        });
    });
    it(`${name} names only inputs that it has`, () => {
      expect(names).toEqual(expect.arrayContaining([...(op.halves ?? [])]));
    });
  }
});

describe("half floats", () => {
  it("take whole words of memory", () => {
    expect([0, 1, 2, 3].map((count) => bytesOf(meta([count], "f16")))).toEqual([0, 4, 4, 8]);
    expect(bytesOf(meta([3]))).toBe(12);
  });

  it("need an adapter with shader-f16", () => {
    const refused = () => {
      needHalf({ features: new Set(["subgroups"]) });
    };
    expect(refused).toThrow(AdapterError);
    expect(refused).toThrow(/half precision needs shader-f16.*train without --fp16.*--adapter/);
    expect(() => {
      needHalf({ features: new Set(["shader-f16"]) });
    }).not.toThrow();
  });
});
