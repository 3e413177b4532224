/** jax-js, on WebGPU or on WebAssembly. Its functions use up their arguments: `ref` is one more. */
import * as jax from "@jax-js/jax";
import type { Array as JaxArray, Tree } from "@jax-js/jax";
import { SMALL_VIT_LEARNING_RATE, SMALL_VIT_LOSSES } from "../../workloads.ts";
import type { Outputs } from "../check.ts";
import { FirstLosses, floats, given } from "../engine.ts";
import type { Inputs, PeerEngine, Prepared } from "../engine.ts";
import { EPSILON, logits, output } from "../graph.ts";
import type { Find, GraphOps } from "../graph.ts";
import { provideWebGpu } from "../webgpu-host.ts";
import type { Work } from "../works.ts";
import { installed } from "./version.ts";

const { numpy: np, nn } = jax;

const whole = (x: JaxArray): (readonly [])[] => x.shape.map(() => [] as const);

const ops: GraphOps<JaxArray> = {
  matmul: (a, b, transposeB = false) =>
    np.matmul(a.ref, transposeB ? np.swapaxes(b.ref, -1, -2) : b.ref),
  linear: (x, weight, bias) => np.add(np.matmul(x.ref, weight.ref), bias.ref),
  add: (a, b) => np.add(a.ref, b.ref),
  scale: (x, factor) => np.multiply(x.ref, factor),
  softmax: (x) => nn.softmax(x.ref, -1),
  layernorm: (x, weight, bias) =>
    np.add(np.multiply(nn.standardize(x.ref, -1, { epsilon: EPSILON }), weight.ref), bias.ref),
  gelu: (x) => nn.gelu(x.ref, { approximate: false }),
  reshape: (x, shape) => x.ref.reshape(shape),
  transpose: (x, order) => x.ref.transpose(order),
  slice: (x, { axis, start, end }) =>
    x.ref.slice(...whole(x).map((all, k) => (k === axis ? ([start, end] as const) : all))),
  concat: (a, b, axis) => np.concatenate([a.ref, b.ref], axis),
  repeat: (x, count) => np.broadcastTo(x.ref, [count, ...x.shape.slice(1)]),
};

/** The engine on one of its devices. */
export function jaxJs(device: "webgpu" | "wasm"): PeerEngine {
  let check = (): void => undefined;
  return {
    async available() {
      const host = device === "webgpu" ? await provideWebGpu() : null;
      if (host) ({ check } = host);
      const devices = await jax.init(device);
      if (!devices.includes(device)) throw new Error(`its ${device} device does not start`);
      jax.defaultDevice(device);
      return { version: installed("@jax-js/jax"), adapter: host?.description ?? null };
    },
    async prepare(work, inputs) {
      const tensors = upload(inputs);
      await jax.blockUntilReady(tensors);
      const run = {
        train: () => trains(work, inputs, tensors),
        eigh: () => decomposes(work, tensors),
        decompose: () => decomposes(work, tensors),
      };
      const prepared =
        work.kind === "train" || work.kind === "eigh" || work.kind === "decompose"
          ? run[work.kind]()
          : computes(work, tensors);
      return {
        ...prepared,
        async run(repeats) {
          await prepared.run(repeats);
          check();
        },
      };
    },
  };
}

const upload = (inputs: Inputs): Tree =>
  Object.fromEntries(
    Object.keys(inputs)
      .filter((name) => name !== "labels")
      .map((name) => [name, np.array(floats(inputs, name)).reshape(given(inputs, name).shape)]),
  );

const findIn =
  (tensors: Tree): Find<JaxArray> =>
  (name) => {
    const tensor = tensors[name];
    if (!tensor) throw new RangeError(`no tensor ${name}`);
    return tensor;
  };

const refs = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).map(([name, array]) => [name, array.ref]));

function computes(work: Work, tensors: Tree): Prepared {
  const graph = jax.jit((tree: Tree) => output(ops, work, findIn(tree)));
  return {
    async run(repeats) {
      const results: JaxArray[] = [];
      for (let k = 0; k < repeats; k++) results.push(graph(refs(tensors)));
      await jax.blockUntilReady(results); // work that nobody waits for may never run
      for (const result of results) result.dispose();
    },
    result: async () => ({ y: await graph(refs(tensors)).data() }),
  };
}

function oneHot(labels: ArrayLike<number>, classes: number): JaxArray {
  const values = new Float32Array(labels.length * classes);
  Array.from(labels).forEach((label, row) => (values[row * classes + label] = 1));
  return np.array(values).reshape([labels.length, classes]);
}

function trains(work: Work, inputs: Inputs, tensors: Tree): Prepared {
  if (work.kind !== "train") throw new TypeError(`${work.name} does not train`);
  const { config, batch } = work;
  const { patches, ...weights } = tensors;
  if (!patches) throw new RangeError("no patches");
  const targets = oneHot(given(inputs, "labels").values, config.classes);
  const loss = (params: Tree, x: JaxArray, y: JaxArray): JaxArray => {
    const likely = nn.logSoftmax(logits(ops, work, findIn({ ...params, patches: x })), -1);
    return np.multiply(np.sum(np.multiply(y.ref, likely)), -1 / batch);
  };
  const step = jax.jit((params: Tree, x: JaxArray, y: JaxArray): [JaxArray, Tree] => {
    const [value, grads] = jax.valueAndGrad(loss)(refs(params), x, y);
    const updated = Object.entries(params).map(([name, param]) => {
      const change = np.multiply(findIn(grads)(name), SMALL_VIT_LEARNING_RATE);
      return [name, np.subtract(param, change)] as const;
    });
    return [value, Object.fromEntries(updated)];
  });
  let params: Tree = weights;
  const first = new FirstLosses(SMALL_VIT_LOSSES.length);
  const once = async (): Promise<void> => {
    const [value, updated] = step(params, patches.ref, targets.ref);
    params = updated; // the old ones are used up
    await jax.blockUntilReady([value, ...Object.values(params)]);
    if (first.open) first.push((await value.data())[0] ?? Number.NaN);
    else value.dispose();
  };
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++) await once();
    },
    result: async () => ({ losses: await first.complete(once) }),
  };
}

/** Its decompositions: lists of arrays, and their names. */
const solvers: Readonly<
  Record<string, { readonly names: readonly string[]; solve(find: Find<JaxArray>): JaxArray[] }>
> = {
  eigh: { names: ["vectors", "values"], solve: (find) => jax.lax.linalg.eigh(find("a").ref) },
  svd: {
    names: ["u", "values", "v"],
    solve(find) {
      const [u, values, v] = np.linalg.svd(find("a").ref, { fullMatrices: false });
      return [u, values, v.transpose([1, 0])];
    },
  },
  cholesky: { names: ["l"], solve: (find) => [jax.lax.linalg.cholesky(find("a").ref)] },
  lstsq: { names: ["x"], solve: (find) => [np.linalg.lstsq(find("a").ref, find("b").ref)] },
};

function decomposes(work: Work, tensors: Tree): Prepared {
  const solver = solvers[work.kind === "decompose" ? work.what : work.kind];
  if (!solver) throw new TypeError(`has no ${work.name}`);
  const once = (): Promise<JaxArray[]> => jax.blockUntilReady(solver.solve(findIn(tensors)));
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++) for (const part of await once()) part.dispose();
    },
    async result() {
      const found = await once();
      const entries = found.map(async (part, k) => [solver.names[k], await part.data()] as const);
      return Object.fromEntries(await Promise.all(entries)) as Outputs;
    },
  };
}
