/** What the bench measures: every bench row of the op table, and whole workloads. */
import { materialise, hostArray } from "../test/ops/samples.ts";
import type { Engine, PassTime, Tensor } from "../src/engine/index.ts";
import { ParamSet, program } from "../src/engine/index.ts";
import { cases } from "../src/kernels/cases.ts";
import type { BenchRow, OpCases } from "../src/kernels/case.ts";
import { opEntries } from "../src/kernels/index.ts";
import type { OpDef } from "../src/kernels/op.ts";
import { pickVariant } from "../src/kernels/op.ts";
import { at, show } from "../src/util/shape.ts";
import { ViT } from "../src/vit/index.ts";
import type { ViTConfig } from "../src/vit/index.ts";
import { smallViTStep } from "./small-vit.ts";
import {
  SMALL_VIT,
  SMALL_VIT_BATCH,
  SMALL_VIT_LOSSES,
  VIT_B,
  vitFlops,
  workloadBatch,
  workloadParams,
} from "./workloads.ts";

/** Something to time, set up and ready. */
export interface Prepared {
  /** Queues the work once. */
  run(): Promise<unknown> | undefined;
  readonly flops: number;
  readonly bytes: number;
  readonly dispatches: number;
  /** Facts for the JSON, such as losses; read after timing. */
  extra?(): Promise<Readonly<Record<string, unknown>>>;
  /** Time of every pass, for --profile. */
  profile?(): Promise<PassTime[]>;
}

/** A row of the bench; nothing is allocated before `prepare`. */
export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly variant: string;
  prepare(engine: Engine): Promise<Prepared>;
}

const SEED = 5;

function opRow(op: OpDef, row: BenchRow, variant: string): Row {
  const attrs = { ...op.defaults, ...row.attrs };
  const shape = row.inputs.map((spec) => (spec ? show(spec.shape) : "–")).join(" ");
  return {
    name: op.name,
    shape,
    variant,
    prepare(engine) {
      const values = materialise(row, SEED);
      const inputs = row.inputs.map((spec, k) => {
        const array = at(values, k);
        return spec && array ? engine.tensor(hostArray(spec, array.data), spec.shape) : null;
      });
      const { passes = [] } = op.variants[variant]?.plan(inputs, attrs, engine.caps) ?? {};
      return Promise.resolve({
        run(): undefined {
          engine.scope(() => {
            engine.run(op, inputs, attrs, variant);
          });
        },
        flops: passes.reduce((sum, pass) => sum + (pass.flops ?? 0), 0),
        bytes: passes.reduce((sum, pass) => sum + (pass.bytes ?? 0), 0),
        dispatches: passes.length,
      });
    },
  };
}

/** Rows of the op table: every usable variant of every benched op. */
export function opRows(engine: Engine): Row[] {
  return opEntries().flatMap(([name, op]) => {
    const { bench = [] }: OpCases = cases[name];
    return bench.flatMap((row) => {
      const attrs = { ...op.defaults, ...row.attrs };
      const metas = row.inputs.map((spec) =>
        spec ? { shape: spec.shape, dtype: spec.dtype ?? ("f32" as const) } : null,
      );
      const first = pickVariant(op, metas, attrs, engine.caps);
      const usable = Object.keys(op.variants).filter((variant) =>
        op.variants[variant]?.usable(metas, attrs, engine.caps),
      );
      const order = [first, ...usable.filter((variant) => variant !== first)];
      return order.map((variant) => opRow(op, row, variant));
    });
  });
}

function stepRow(mode: "eager" | "program"): Row {
  return {
    name: mode === "program" ? "small-vit-step" : "small-vit-step-eager",
    shape: `[${SMALL_VIT_BATCH}, 28, 28, 1]`,
    variant: mode,
    async prepare(engine) {
      const { run, stats, profile } = smallViTStep(engine, mode);
      const losses: number[] = [];
      for (const expected of SMALL_VIT_LOSSES) {
        const loss = await (await run()).item();
        losses.push(loss);
        if (Math.abs(loss - expected) > 2e-5)
          throw new RangeError(`small ViT: loss ${loss} is not ${expected}: the step is wrong`);
      }
      return {
        run: async () => {
          (await run()).dispose();
        },
        flops: 3 * vitFlops(SMALL_VIT, SMALL_VIT_BATCH),
        bytes: 0,
        dispatches: stats()?.passes ?? 0,
        extra: () => Promise.resolve({ losses, program: stats() }),
        profile,
      };
    },
  };
}

const inferenceRow = (name: string, config: ViTConfig, batch: number): Row => ({
  name,
  shape: `[${batch}, ${config.imageSize}, ${config.imageSize}, ${config.channels}]`,
  variant: "program",
  async prepare(engine) {
    const params = new ParamSet(engine, workloadParams(config));
    const { patches, shape } = workloadBatch(config, batch);
    const forward = program(
      engine,
      (inputs: { patches: Tensor }) =>
        new ViT(engine.ops, config, params).encode(inputs.patches).logits,
    );
    const input = { patches: { values: patches, shape } };
    await forward.run(input);
    return {
      run: () => forward.run(input),
      flops: vitFlops(config, batch),
      bytes: 0,
      dispatches: forward.stats?.passes ?? 0,
      profile: () => forward.profile(),
    };
  },
});

/** Whole workloads. */
export const workloadRows: readonly Row[] = [
  stepRow("program"),
  stepRow("eager"),
  inferenceRow("small-vit-infer", SMALL_VIT, SMALL_VIT_BATCH),
  inferenceRow("vit-b16-infer", VIT_B, 1),
];
