/** What `npm run shaders` writes: each variant's WGSL for one canonical sample, as golden files. */
import { cases } from "../src/kernels/cases.ts";
import type { OpCases, Sample } from "../src/kernels/case.ts";
import { opEntries } from "../src/kernels/index.ts";
import type { Caps, InputMetas, OpDef, Pass } from "../src/kernels/op.ts";

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
  features: new Set(["subgroups", "shader-f16"]),
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

/** Golden text by file name: the first sample of each variant; equal texts are written once. */
export function expandedShaders(): Map<string, string> {
  const files = new Map<string, string>();
  const seenVariants = new Set<string>();
  const seenTexts = new Set<string>();
  for (const { op, variant, passes } of plannedSamples()) {
    const stem = `${op.name}.${variant}`;
    if (seenVariants.has(stem)) continue;
    seenVariants.add(stem);
    passes.forEach(({ code, label }, index) => {
      if (seenTexts.has(code)) return;
      seenTexts.add(code);
      const suffix = index === 0 ? "" : `.${index + 1}`;
      files.set(`${stem}${suffix}.wgsl`, `// ${label}; written by npm run shaders\n${code}`);
    });
  }
  return files;
}
