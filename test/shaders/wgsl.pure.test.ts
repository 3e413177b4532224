/** The strict template tag: what may stand in a hole, and what comes out. */
import { describe, expect, it } from "vitest";
import { wgsl } from "../../shaders/lib/wgsl.ts";
import type { Hole } from "../../shaders/lib/wgsl.ts";

/** A hole that the types forbid, as a caller without types would pass it. */
const bad = (value: unknown): Hole => value as Hole;

describe("wgsl", () => {
  it("makes the text of the same holes once, and tells true from its name", () => {
    const text = (hole: Hole): string => wgsl`const A = ${hole};`;
    expect(text(true)).toBe(text("true"));
    const branch = (flag: Hole): string => wgsl`
#if ${flag}
yes
#endif
const B = 1;`;
    expect(branch(true)).toContain("yes");
    expect(() => branch("true")).toThrow(TypeError);
    for (let k = 0; k < 600; k++) expect(text(k)).toBe(`const A = ${k};\n`);
  });

  it("fills holes and picks blocks", () => {
    const text = (flag: boolean): string => wgsl`
const N: u32 = ${4}u;
#if ${flag}
const A: u32 = 1u;
#else
const A: u32 = 2u;
#endif`;
    expect(text(true)).toBe("const N: u32 = 4u;\n\nconst A: u32 = 1u;\n");
    expect(text(false)).toBe("const N: u32 = 4u;\n\nconst A: u32 = 2u;\n");
  });

  it("squeezes the blank lines that directives leave", () => {
    expect(wgsl`
a
#if ${false}
b
#endif



c`).not.toMatch(/\n{3}/);
  });

  for (const value of [undefined, null, {}, [], () => 1])
    it(`rejects a hole of type ${typeof value}`, () => {
      expect(() => wgsl`x ${1} ${bad(value)}`).toThrow(
        /wgsl: hole 1 is (undefined|object|function)/,
      );
    });

  for (const value of [NaN, Infinity, -Infinity])
    it(`rejects ${value}`, () => {
      expect(() => wgsl`const A: f32 = ${value};`).toThrow(
        /wgsl: hole 0 is .* not a finite number/,
      );
    });

  for (const value of ["false", 0, 1])
    it(`rejects ${JSON.stringify(value)} as a condition`, () => {
      expect(
        () => wgsl`
#if ${value}
a
#endif`,
      ).toThrow(/wgsl: hole 0 is the condition of an #if; use a boolean/);
    });
});
