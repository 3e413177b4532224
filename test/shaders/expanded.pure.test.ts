/** The committed WGSL against the shaders, and every sample's WGSL against its pass, by reflection. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  ArrayInfo,
  ResourceType,
  StructInfo,
  WgslReflect,
} from "wgsl_reflect/wgsl_reflect.module.js";
import type { TypeInfo } from "wgsl_reflect/wgsl_reflect.module.js";
import { bindingKinds } from "../../src/engine/executor.ts";
import type { Pass } from "../../src/kernels/op.ts";
import { at } from "../../src/util/shape.ts";
import { expandedShaders, plannedSamples } from "../../tools/expanded.ts";

const folder = new URL("../../shaders/expanded/", import.meta.url);

describe("shaders/expanded", () => {
  const files = expandedShaders();
  it("holds exactly the golden files", () => {
    const committed = readdirSync(folder).filter((name) => name.endsWith(".wgsl"));
    expect(committed.sort(), "run npm run shaders").toEqual([...files.keys()].sort());
  });
  for (const [name, text] of files)
    it(`${name} is what the shader expands to`, () => {
      expect(text, "run npm run shaders and review the diff").toBe(
        readFileSync(new URL(name, folder), "utf8"),
      );
    });
});

/** Every pass text once, with one pass that uses it. */
const passes = new Map<string, Pass>();
for (const planned of plannedSamples())
  for (const pass of planned.passes)
    passes.set(`${bindingKinds(pass).join()} ${pass.params.length}\n${pass.code}`, pass);

/** The declarations alone: the parser of wgsl_reflect does not know every statement. */
function declarationsOf(code: string): string {
  let depth = 0;
  let isBody = false;
  let kept = "";
  for (const piece of code.replace(/\/\/.*$/gm, "").split(/(?<=[{}])/)) {
    if (depth === 0) isBody = /\bfn \w+\([^]*\{$/.test(piece);
    if (!isBody || depth === 0) kept += piece;
    depth += piece.endsWith("{") ? 1 : piece.endsWith("}") ? -1 : 0;
    if (isBody && depth === 0) kept += "}\n";
  }
  return kept;
}

/** Scalar types of a params struct, word by word. */
function wordsOf(type: TypeInfo): string[] {
  if (type instanceof StructInfo) return type.members.flatMap((member) => wordsOf(member.type));
  if (type instanceof ArrayInfo)
    return Array.from({ length: type.count }, () => wordsOf(type.format)).flat();
  const vector = /^vec([234])([uif])$/.exec(type.name);
  const [, size = "1", letter] = vector ?? [];
  const scalar = letter ? { u: "u32", i: "i32", f: "f32" }[letter] : type.name;
  return Array.from({ length: Number(size) }, () => scalar ?? type.name);
}

describe("bindings and params", () => {
  for (const pass of passes.values())
    it(pass.label, () => {
      const { entry, uniforms, storage } = new WgslReflect(declarationsOf(pass.code));
      expect(entry.compute.map(({ name }) => name)).toEqual(["main"]);
      const declared = [...uniforms, ...storage].sort((a, b) => a.binding - b.binding);
      expect(declared.map(({ binding }) => binding)).toEqual(declared.map((_, index) => index));
      expect(
        declared.map(({ access, resourceType }) =>
          resourceType === ResourceType.Uniform ? "uniform" : access === "" ? "read" : access,
        ),
      ).toEqual(bindingKinds(pass).map((kind) => (kind === "params" ? "uniform" : kind)));
      if (pass.params.length === 0) return;
      expect(wordsOf(at(declared, -1).type)).toEqual(
        pass.params.map((param) => at(Object.keys(param), 0)),
      );
    });
});
