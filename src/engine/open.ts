/** Opens an adapter and makes an engine on it. */
import type { Picks } from "../kernels/picks.ts";
import { openDevice } from "./device.ts";
import type { AdapterSummary } from "./device.ts";
import { Engine } from "./engine.ts";

/** Options of {@link createEngine}. */
export interface EngineOptions {
  /** `auto`, `gpu`, `lavapipe` or `swiftshader`; default: NECO_ADAPTER, then the best there is. */
  readonly adapter?: string;
  /** Most bytes of GPU buffers at once; default 8 GiB. */
  readonly memoryBudget?: number;
  /** Variants over the default picks: by op name, or as `neco tune` measured them. */
  readonly picks?: Picks | ((adapter: AdapterSummary) => Promise<Picks>);
}

/**
 * Opens an adapter and makes an engine on it.
 * @throws AdapterError if there is no usable adapter; the message says how to get one.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { adapter, memoryBudget, picks = {} } = options;
  const gpu = await openDevice(adapter ? { adapter } : {});
  return new Engine(
    gpu,
    typeof picks === "function" ? await picks(gpu.adapter) : picks,
    memoryBudget,
  );
}
