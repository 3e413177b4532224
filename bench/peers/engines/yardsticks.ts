/** No engines: our probes that do as many multiply-adds, or copy as many bytes, as a work must. */
import { createEngine } from "../../../src/engine/index.ts";
import type { Engine } from "../../../src/engine/index.ts";
import { COPY_KERNELS, copyOnce, fmaWork, timeCopy } from "../../probes.ts";
import { floats } from "../engine.ts";
import type { PeerEngine } from "../engine.ts";

/** The best of some copy kernels on a work's own input. */
export function copies(kernels: keyof typeof COPY_KERNELS): PeerEngine {
  let opened: Engine | null = null;
  return {
    async available() {
      opened = await createEngine();
      return { version: COPY_KERNELS[kernels].join(", "), adapter: opened.adapter.description };
    },
    async prepare(_work, inputs) {
      const engine = opened ?? (await createEngine());
      const values = floats(inputs, "x");
      const x = engine.tensor(values);
      let best = { variant: "", ms: Infinity };
      for (const variant of COPY_KERNELS[kernels]) {
        const ms = await timeCopy(engine, x, variant);
        if (ms < best.ms) best = { variant, ms };
      }
      return {
        async run(repeats) {
          for (let k = 0; k < repeats; k++) copyOnce(engine, x, best.variant).dispose();
          await engine.finish();
        },
        async result() {
          const y = await copyOnce(engine, x, best.variant).floats();
          if (y.some((value, index) => value !== values[index]))
            throw new Error(`${best.variant} does not copy`);
          return {};
        },
      };
    },
  };
}

/** The fastest FMA kernel, for as many operations as a work has. */
export function multiplyAdds(): PeerEngine {
  let opened: Engine | null = null;
  return {
    async available() {
      opened = await createEngine();
      return { version: "the FMA probe", adapter: opened.adapter.description };
    },
    async prepare({ flops }) {
      const engine = opened ?? (await createEngine());
      const once = await fmaWork(engine, flops);
      return {
        async run(repeats) {
          for (let k = 0; k < repeats; k++) once();
          await engine.finish();
        },
        result: () => Promise.resolve({}),
      };
    },
  };
}
