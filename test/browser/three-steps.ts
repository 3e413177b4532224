/** Three training steps of the small ViT as a program: what Node and a page must agree on. */
import { smallViTStep } from "../../bench/small-vit.ts";
import type { Engine } from "../../src/engine/index.ts";

/** Losses of the steps, and the norm of every gradient of the first one. */
export interface ThreeSteps {
  readonly losses: readonly number[];
  readonly norms: Readonly<Record<string, number>>;
}

/** Runs the steps from the workload's weights on its batch. */
export async function threeSteps(engine: Engine): Promise<ThreeSteps> {
  const { state, run } = smallViTStep(engine, "program");
  const losses = [await (await run()).item()];
  const grads = await state.params.read(state.grads);
  const norms = Object.fromEntries(
    [...grads].map(([name, values]) => [name, Math.hypot(...values)]),
  );
  for (let step = 2; step <= 3; step++) losses.push(await (await run()).item());
  return { losses, norms };
}
