/** Ours, through its public API. */
import { ParamSet, createEngine, program } from "../../../src/engine/index.ts";
import type { Engine, Tensor } from "../../../src/engine/index.ts";
import { at } from "../../../src/util/shape.ts";
import { ViT } from "../../../src/vit/index.ts";
import { vitStep } from "../../vit-step.ts";
import { FirstLosses, floats, given } from "../engine.ts";
import type { Inputs, PeerEngine, Prepared } from "../engine.ts";
import { EPSILON } from "../graph.ts";
import type { Work } from "../works.ts";
import { decomposes } from "./neco-linalg.ts";

const SAMPLES = 2; // attention's heads are those of a batch of two ViT-B images

type Of<K extends Work["kind"]> = Extract<Work, { kind: K }>;

/** @param transfers - whether a run uploads its data and reads its result, as some peers must. */
export function neco(transfers: "device" | "host"): PeerEngine {
  let opened: Engine | null = null;
  return {
    async available() {
      opened = await createEngine();
      return { version: "this checkout", adapter: opened.adapter.description };
    },
    async prepare(work, inputs) {
      const engine = opened ?? (await createEngine());
      if (work.kind === "train") return trains(engine, work);
      if (work.kind === "eigh" || work.kind === "decompose")
        return decomposes(engine, work, inputs);
      if (work.kind === "vit") return infers(engine, work, { inputs, transfers });
      return transfers === "device"
        ? onDevice(engine, work, packed(work, inputs))
        : withTransfers(engine, work, packed(work, inputs));
    },
  };
}

function op(engine: Engine, work: Work, tensors: Readonly<Record<string, Tensor>>): Tensor {
  const { ops } = engine;
  const find = (name: string): Tensor => {
    const tensor = tensors[name];
    if (!tensor) throw new RangeError(`no tensor ${name}`);
    return tensor;
  };
  switch (work.kind) {
    case "matmul":
      return ops.matmul(find("a"), find("b"));
    case "attention":
      return ops.attention(find("qkv"), null, { heads: work.heads / SAMPLES });
    case "softmax":
      return ops.softmax(find("x"));
    case "layernorm":
      return ops.layernorm(find("x"), find("weight"), find("bias"), { eps: EPSILON });
    case "gelu":
      return ops.gelu(find("x"));
    case "vit":
    case "train":
    case "eigh":
    case "decompose":
      throw new TypeError(`${work.name} is no op`);
    default:
      return work satisfies never;
  }
}

/** Heads of a sample, and the width of a row of theirs. */
function layout({ heads, headSize }: Of<"attention">): { perSample: number; width: number } {
  const perSample = heads / SAMPLES;
  return { perSample, width: perSample * headSize };
}

/** q, k and v [H, T, d] as the attention op takes them, qkv [N, T, 3D]; others as they are. */
function packed(work: Work, inputs: Inputs): Inputs {
  if (work.kind !== "attention") return inputs;
  const { heads, tokens, headSize } = work;
  const { perSample, width } = layout(work);
  const values = new Float32Array(SAMPLES * tokens * 3 * width);
  ["q", "k", "v"].forEach((name, which) => {
    const part = floats(inputs, name);
    for (let head = 0; head < heads; head++)
      for (let token = 0; token < tokens; token++) {
        const from = (head * tokens + token) * headSize;
        const row = Math.floor(head / perSample) * tokens + token;
        const to = (row * 3 + which) * width + (head % perSample) * headSize;
        values.set(part.subarray(from, from + headSize), to);
      }
  });
  return { qkv: { shape: [SAMPLES, tokens, 3 * width], values, weight: false } };
}

/** [N, T, D] as [H, T, d], which the other engines return; others as they are. */
function unpacked(work: Work, y: Float32Array): Float32Array {
  if (work.kind !== "attention") return y;
  const { tokens, headSize } = work;
  const { perSample, width } = layout(work);
  return y.map((_, index) => {
    const row = Math.floor(index / headSize); // head · T + token
    const [head, token] = [Math.floor(row / tokens), row % tokens];
    const from = (Math.floor(head / perSample) * tokens + token) * width;
    return at(y, from + (head % perSample) * headSize + (index % headSize));
  });
}

const upload = (engine: Engine, inputs: Inputs, weights: boolean): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(inputs)
      .filter(([, { weight }]) => weight === weights)
      .map(([name, { values, shape }]) => [name, engine.tensor(values, shape)]),
  );

function onDevice(engine: Engine, work: Work, inputs: Inputs): Prepared {
  const tensors = { ...upload(engine, inputs, true), ...upload(engine, inputs, false) };
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++)
        engine.scope(() => {
          op(engine, work, tensors);
        });
      await engine.finish();
    },
    result: async () => ({ y: unpacked(work, await op(engine, work, tensors).floats()) }),
  };
}

function withTransfers(engine: Engine, work: Work, inputs: Inputs): Prepared {
  const weights = upload(engine, inputs, true);
  const once = (): Promise<Float32Array> =>
    engine.scope(() => op(engine, work, { ...weights, ...upload(engine, inputs, false) }).floats());
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++) await once();
    },
    result: async () => ({ y: unpacked(work, await once()) }),
  };
}

function infers(
  engine: Engine,
  { config }: Of<"vit">,
  { inputs, transfers }: { inputs: Inputs; transfers: "device" | "host" },
): Prepared {
  const specs = Object.keys(inputs)
    .filter((name) => given(inputs, name).weight)
    .map((name) => ({ name, shape: given(inputs, name).shape, values: floats(inputs, name) }));
  const params = new ParamSet(engine, specs);
  const forward = program(
    engine,
    ({ patches }: { patches: Tensor }) =>
      new ViT(engine.ops, config, params).encode(patches).logits,
  );
  const { shape } = given(inputs, "patches");
  const fed = { patches: { values: floats(inputs, "patches"), shape } };
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++) {
        const logits = await forward.run(fed);
        if (transfers === "host") await logits.floats();
      }
      await engine.finish();
    },
    result: async () => ({ y: await (await forward.run(fed)).floats() }),
  };
}

function trains(engine: Engine, { config, batch, losses }: Of<"train">): Prepared {
  const { run: step } = vitStep(engine, { config, batchSize: batch }, "program");
  const first = new FirstLosses(losses.length);
  const once = async (): Promise<void> => {
    const loss = await step(); // the program's own, written anew by every step
    if (first.open) first.push(await loss.item());
  };
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++) await once();
      await engine.finish();
    },
    result: async () => ({ losses: await first.complete(once) }),
  };
}
