/** `neco ood --timings`: where the evaluation's time went, and how much GPU memory it held. */
import type { Engine } from "../engine/index.ts";
import { stopwatch } from "../neco/stopwatch.ts";
import type { Stopwatch } from "../neco/stopwatch.ts";
import { writeJson } from "./console.ts";

/** A stopwatch for an evaluation. */
export interface TimingsFile {
  /** Undefined where nobody asked for timings. */
  readonly time: Stopwatch | undefined;
  /** Writes what was measured. */
  save(engine: Engine): Promise<void>;
}

/** Timings for a file, or none. */
export function timingsFile(path: string | undefined): TimingsFile {
  if (path === undefined) return { time: undefined, save: () => Promise.resolve() };
  const { time, timings } = stopwatch(() => performance.now());
  return {
    time,
    save: ({ adapter, pool }) =>
      writeJson(path, {
        schema: "neco-webgpu/timings@1",
        adapter: adapter.description,
        seconds: timings,
        peak_buffer_bytes: pool.peakBytes,
      }),
  };
}
