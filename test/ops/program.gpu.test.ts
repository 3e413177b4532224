/** Every row of the op table as a program: the same bits as in eager mode, also when replayed. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine, program } from "../../src/engine/index.ts";
import type { Engine, InputTensors, Tensor } from "../../src/engine/index.ts";
import { cases } from "../../src/kernels/cases.ts";
import type { OpCases, Sample } from "../../src/kernels/case.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { OpDef } from "../../src/kernels/op.ts";
import { at } from "../../src/util/shape.ts";
import { hostArray, materialise, title } from "./samples.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const SEED = 23;

/** What the op returns, or what it changed in place. */
function results(op: OpDef, inputs: readonly (Tensor | null)[], sample: Sample): Tensor[] {
  const outputs = engine.run(op, inputs, { ...op.defaults, ...sample.attrs });
  const changed = op.mutates?.map((index) => at(inputs, index));
  return (changed ?? outputs.slice(0, op.outputs.length)).filter((tensor) => tensor !== null);
}

const read = (tensors: readonly Tensor[]): Promise<unknown[]> =>
  Promise.all(tensors.map((tensor) => tensor.data()));

async function compare(op: OpDef, sample: Sample): Promise<void> {
  const values = materialise(sample, SEED);
  const hosts = sample.inputs.map((spec, k) => {
    const array = at(values, k);
    return spec && array ? { values: hostArray(spec, array.data), shape: spec.shape } : null;
  });
  const eager = await engine.scope(() =>
    read(
      results(
        op,
        hosts.map((host) => host && engine.tensor(host.values, host.shape)),
        sample,
      ),
    ),
  );
  // What the op changes is state, put back before each run; the rest is given to the program.
  const isState = (k: number): boolean => op.mutates?.includes(k) ?? false;
  const state = hosts.map((host, k) =>
    host && isState(k) ? engine.tensor(host.values, host.shape) : null,
  );
  const named = Object.fromEntries(
    hosts.flatMap((host, k) => (host && !isState(k) ? [[`x${k}`, host]] : [])),
  );
  const replayed = program(engine, (inputs: InputTensors) => {
    const changed = results(
      op,
      hosts.map((_, k) => state[k] ?? inputs[`x${k}`] ?? null),
      sample,
    );
    return op.mutates ? [] : changed;
  });
  for (let run = 0; run < 2; run++) {
    state.forEach((tensor, k) => {
      const host = at(hosts, k);
      if (tensor && host) engine.write(tensor, host.values);
    });
    const outputs = await replayed.run(named);
    const changed = op.mutates?.flatMap((index) => at(state, index) ?? []);
    expect(await read(changed ?? outputs)).toEqual(eager);
  }
  replayed.dispose();
}

for (const [name, op] of opEntries()) {
  const { samples }: OpCases = cases[name];
  for (const sample of samples.slice(0, 2))
    it(`${title(name, sample)} eager and replayed`, () => compare(op, sample));
}
