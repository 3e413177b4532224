/** The bench's results as files hold them. */
import type { AdapterSummary } from "../src/engine/index.ts";
import type { Peaks } from "./probes.ts";
import type { Measured } from "./run.ts";

/** What `--json` writes. */
export interface BenchReport {
  readonly schema: "neco-webgpu/bench@1";
  readonly adapter: AdapterSummary;
  readonly node: string;
  readonly date: string;
  readonly command: string;
  /** Measured before the rows, and what they are held against. */
  readonly peaks: Peaks;
  /** Measured after them; null in a run that was cut short. */
  readonly peaks_after: Peaks | null;
  readonly rows: readonly Measured[];
}
