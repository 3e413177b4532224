/** Made figures of a run, for tests of what is done with figures. */
import type { BenchReport } from "../../bench/report.ts";
import type { Measured } from "../../bench/run.ts";
import type { Outcome } from "../../bench/peers/report.ts";
import type { Peaks } from "../../bench/probes.ts";

/** Peaks of the two rates. */
export function peaks(fma = 40, copy = 4): Peaks {
  const best = { rate: copy, variant: "vec4" };
  return {
    fma: { rate: fma, variant: "vec4x8" },
    copy: best,
    copies: [best],
    bufferCopy: { rate: 2 * copy, variant: "buffer to buffer" },
  };
}

/** A row; 40 operations a byte, so that the FMA peak bounds it. */
export const row = (more: Partial<Measured> = {}): Measured => ({
  name: "matmul",
  shape: "[8, 8] [8, 8]",
  dtype: "f32",
  variant: "naive",
  kind: "op",
  picked: true,
  ms: 10,
  median: 10,
  mad: 0.1,
  best: 9,
  samples: 20,
  timer: "gpu",
  wall_ms: 20,
  wall_mad: 0.2,
  cold_ms: 500,
  host_us: 80,
  flops: 2e8,
  bytes: 5e6,
  gflops: 20,
  gbs: 0.5,
  intensity: 40,
  bound: "compute",
  fraction_of_peak: 0.5,
  dispatches: 1,
  submits: 1,
  calls: {
    dispatches: 1,
    copies: 0,
    submits: 1,
    writes: 0,
    buffers: 0,
    bufferBytes: 0,
    bindGroups: 1,
    pipelines: 0,
  },
  peak_bytes: 3e6,
  pipelines: 1,
  facts: {},
  ...more,
});

/** A run of one row on a software adapter whose peaks stood still. */
export const report = (more: Partial<BenchReport> = {}): BenchReport => ({
  schema: "neco-webgpu/bench@1",
  adapter: {
    description: "lavapipe (software): llvmpipe",
    kind: "lavapipe",
    vendor: "mesa",
    architecture: "software",
    features: ["subgroups"],
    limits: {},
  },
  node: "v20.20.2",
  date: "2026-01-02T03:04:05.678Z",
  command: "npm run bench",
  peaks: peaks(),
  peaks_after: peaks(),
  rows: [row()],
  ...more,
});

/** What an engine did on a work of the peers' bench, right by 1e-7. */
export const peerOutcome = (
  engine: string,
  rounds: (number | null)[],
  more?: Partial<Outcome>,
): Outcome => ({
  engine,
  against: "neco",
  version: "1",
  coldMs: 100,
  rounds,
  error: 1e-7,
  failure: null,
  ...more,
});
