/** What `npm run shaders` writes: each variant's WGSL for one canonical sample, as golden files. */
import { cases } from "../src/kernels/cases.ts";
import type { OpCases, Sample } from "../src/kernels/case.ts";
import { fusePasses } from "../src/kernels/fuse.ts";
import type { Link } from "../src/kernels/fuse.ts";
import { opEntries, table } from "../src/kernels/index.ts";
import { pickVariant } from "../src/kernels/op.ts";
import type { Attrs, Caps, InputMetas, OpDef, Pass } from "../src/kernels/op.ts";
import { at, meta } from "../src/util/shape.ts";
import type { Meta, Shape } from "../src/util/shape.ts";

/** A made-up adapter with WebGPU's default limits and subgroups of 8, so that goldens never vary. */
export const goldenCaps: Caps = {
  adapterClass: "cpu",
  maxWorkgroups: 65_535,
  maxBindingBytes: 128 * 1024 * 1024,
  maxInvocations: 256,
  maxWorkgroupBytes: 16_384,
  maxStorageBuffers: 8,
  subgroupMin: 8,
  subgroupMax: 8,
  subgroupMatrices: [],
  features: new Set(["subgroups", "shader-f16"]),
};

/** The same with subgroup matrices, and memory for their tiles. */
export const matrixCaps: Caps = {
  ...goldenCaps,
  maxWorkgroupBytes: 49_152,
  subgroupMin: 32,
  subgroupMax: 32,
  subgroupMatrices: [{ component: "f16", result: "f32", m: 16, n: 16, k: 16 }],
};

/** A sample as a variant plans it. */
export interface PlannedSample {
  readonly op: OpDef;
  readonly variant: string;
  readonly sample: Sample;
  readonly passes: readonly Pass[];
}

/** Metas of a sample's inputs. */
export const metasOf = (sample: Pick<Sample, "inputs">): InputMetas =>
  sample.inputs.map((spec) => spec && { shape: spec.shape, dtype: spec.dtype ?? "f32" });

/** Every sample of every op's table row, planned by every variant that takes it. */
export function* plannedSamples(caps: Caps = goldenCaps): Generator<PlannedSample> {
  for (const [opName, op] of opEntries()) {
    const { samples }: OpCases = cases[opName];
    for (const [name, variant] of Object.entries(op.variants))
      for (const sample of samples) {
        const attrs = { ...op.defaults, ...sample.attrs };
        const metas = metasOf(sample);
        if (!variant.usable(metas, attrs, caps)) continue;
        yield { op, variant: name, sample, passes: variant.plan(metas, attrs, caps).passes };
      }
  }
}

/** The passes of an op on inputs of these shapes, f32 unless told, as an adapter picks them. */
function passesOf(
  op: unknown,
  shapes: readonly (Shape | Meta)[],
  { attrs = {}, caps = goldenCaps }: { attrs?: Attrs; caps?: Caps } = {},
): readonly Pass[] {
  const def = op as OpDef; // each op's own attributes are forgotten here
  const metas = shapes.map((input) => ("dtype" in input ? input : meta(input)));
  const all = { ...def.defaults, ...attrs };
  const variant = pickVariant(def, metas, all, caps);
  return def.variants[variant]?.plan(metas, all, caps).passes ?? [];
}

/** The first pass of an op as the golden adapter picks it. */
export const firstPass = (
  op: unknown,
  shapes: readonly (Shape | Meta)[],
  attrs: Attrs = {},
): Pass => at(passesOf(op, shapes, { attrs }), 0);

/**
 * A pass as a link of a fused one; `fed` names its operands that the pass before makes.
 * @throws RangeError if the pass is not elementwise.
 */
export function linkOf(pass: Pass, fed: readonly number[], keepsValue = false): Link {
  const { stage } = pass;
  if (!stage) throw new RangeError(`${pass.label} is not elementwise`);
  return { pass: { ...pass, stage }, fed, keepsValue };
}

/** Fused kernels as a training step has them, by golden file. */
function fusedShaders(): Map<string, string> {
  const rows = [6, 8];
  const add = firstPass(table.add, [rows, rows]);
  const gelu = firstPass(table.gelu, [rows]);
  const slope = firstPass(table.unaryBackward, [rows, rows], { of: "gelu" });
  const product = firstPass(table.matmul, [[6, 5], [5, 8], [8]]);
  const narrow = firstPass(table.cast, [rows], { dtype: "f16" });
  const halfGelu = firstPass(table.gelu, [meta(rows, "f16")]);
  const halfProduct = firstPass(table.matmul, [meta([6, 5], "f16"), meta([5, 8], "f16"), [8]]);
  const normal = firstPass(table.layernormBackward, [rows, rows, [8], [6], [6]]);
  const onGpu = { caps: { ...goldenCaps, adapterClass: "gpu" } } as const;
  const parts = at(passesOf(table.matmul, [[6, 384], [384, 8], [8]], onGpu), 1);
  const named = {
    "fused.matmulSplitsAdd": fusePasses(parts, [linkOf(add, [1])], goldenCaps),
    "fused.matmulAdd": fusePasses(product, [linkOf(add, [1])], goldenCaps),
    "fused.matmulGelu": fusePasses(product, [linkOf(gelu, [0], true)], goldenCaps),
    "fused.matmulCastGelu": fusePasses(
      halfProduct,
      [linkOf(narrow, [0]), linkOf(halfGelu, [0], true)],
      goldenCaps,
    ),
    "fused.layernormBackwardAdd": fusePasses(normal, [linkOf(add, [1])], goldenCaps),
    "fused.chain": fusePasses(add, [linkOf(slope, [0])], goldenCaps),
  };
  return new Map(
    Object.entries(named).flatMap(([name, fused]) =>
      fused ? [[`${name}.wgsl`, goldenText(fused.pass)]] : [],
    ),
  );
}

const goldenText = ({ label, code }: Pass): string =>
  `// ${label}; written by npm run shaders\n${code}`;

/** Golden text by file name: the first sample of each variant; equal texts are written once. */
export function expandedShaders(): Map<string, string> {
  const files = fusedShaders();
  const seenVariants = new Set<string>();
  const seenTexts = new Set<string>();
  for (const { op, variant, passes } of [...plannedSamples(), ...plannedSamples(matrixCaps)]) {
    const stem = `${op.name}.${variant}`;
    if (seenVariants.has(stem)) continue;
    seenVariants.add(stem);
    passes.forEach((pass, index) => {
      if (seenTexts.has(pass.code)) return;
      seenTexts.add(pass.code);
      const suffix = index === 0 ? "" : `.${index + 1}`;
      files.set(`${stem}${suffix}.wgsl`, goldenText(pass));
    });
  }
  return files;
}
