/** TensorFlow.js on its WebGPU backend. */
import "@tensorflow/tfjs"; // registers the gradients
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { SMALL_VIT_LEARNING_RATE, SMALL_VIT_LOSSES } from "../../workloads.ts";
import { FirstLosses, given } from "../engine.ts";
import type { Inputs, PeerEngine, Prepared } from "../engine.ts";
import { EPSILON, logits, output } from "../graph.ts";
import type { Find, GraphOps } from "../graph.ts";
import { provideWebGpu } from "../webgpu-host.ts";
import type { Work } from "../works.ts";
import { installed } from "./version.ts";

const epsilon = (): Tensor => tf.tensor(Float32Array.of(EPSILON), [1]);

const ops: GraphOps<Tensor> = {
  matmul: (a, b, transposeB = false) => tf.matMul(a, b, false, transposeB),
  linear(x, weight, bias) {
    const [inputs = 0, outputs = 0] = weight.shape;
    const flat = tf.reshape(x, [-1, inputs]);
    const y = tf.fused.matMul({ a: flat, b: weight, bias });
    return tf.reshape(y, [...x.shape.slice(0, -1), outputs]);
  },
  add: (a, b) => tf.add(a, b),
  scale: (x, factor) => tf.mul(x, factor),
  softmax: (x) => tf.softmax(x),
  layernorm(x, weight, bias) {
    const { mean, variance } = tf.moments(x, -1, true);
    const scaled = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon())));
    return tf.add(tf.mul(scaled, weight), bias);
  },
  gelu(x) {
    const one = tf.tensor(Float32Array.of(1), [1]);
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), one));
  },
  reshape: (x, shape) => tf.reshape(x, shape),
  transpose: (x, order) => tf.transpose(x, order),
  slice(x, { axis, start, end }) {
    const begin = x.shape.map((_, k) => (k === axis ? start : 0));
    const size = x.shape.map((all, k) => (k === axis ? end - start : all));
    return tf.slice(x, begin, size);
  },
  concat: (a, b, axis) => tf.concat([a, b], axis),
  repeat: (x, count) => tf.tile(x, [count, ...x.shape.slice(1).map(() => 1)]),
};

/** The engine. */
export function tfjs(): PeerEngine {
  let finish = (): Promise<void> => Promise.resolve();
  return {
    async available() {
      const { description, check } = await provideWebGpu();
      await import("@tensorflow/tfjs-backend-webgpu"); // registers itself if navigator.gpu is there
      if (!(await tf.setBackend("webgpu"))) throw new Error("its WebGPU backend does not start");
      await tf.ready();
      const backend = tf.backend() as WebGPUBackend;
      finish = async () => {
        backend.ensureCommandEncoderReady(); // none is there after a read
        backend.endComputePassEncoder(); // submitQueue alone submits an open pass
        backend.submitQueue();
        await backend.device.queue.onSubmittedWorkDone();
        check();
      };
      return { version: installed("@tensorflow/tfjs-backend-webgpu"), adapter: description };
    },
    prepare: (work, inputs) =>
      Promise.resolve(
        work.kind === "train" ? trains(work, inputs, finish) : computes(work, inputs, finish),
      ),
  };
}

const findIn =
  <T>(tensors: Readonly<Record<string, T>>): Find<T> =>
  (name) => {
    const tensor = tensors[name];
    if (tensor === undefined) throw new RangeError(`no tensor ${name}`);
    return tensor;
  };

function computes(work: Work, inputs: Inputs, finish: () => Promise<void>): Prepared {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => [name, tf.tensor(values, shape)]),
  );
  const once = (): Tensor => tf.tidy(() => output(ops, work, findIn(tensors)));
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++) once().dispose();
      await finish();
    },
    result: async () => ({ y: await once().data() }),
  };
}

function trains(
  work: Extract<Work, { kind: "vit" | "train" }>,
  inputs: Inputs,
  finish: () => Promise<void>,
): Prepared {
  const variables: Record<string, Variable> = {};
  for (const [name, { values, shape, weight }] of Object.entries(inputs))
    if (weight) variables[name] = tf.variable(tf.tensor(values, shape));
  const { values, shape } = given(inputs, "patches");
  const { config, batch } = work;
  const tensors: Record<string, Tensor> = { ...variables, patches: tf.tensor(values, shape) };
  const labels = tf.cast(tf.tensor(given(inputs, "labels").values, [batch]), "int32");
  const targets = tf.oneHot(labels, config.classes);
  const loss = (): Scalar => {
    const likely = tf.logSoftmax(logits(ops, work, findIn(tensors)));
    return tf.neg(tf.div(tf.sum(tf.mul(targets, likely)), batch));
  };
  const optimizer = tf.train.sgd(SMALL_VIT_LEARNING_RATE);
  const first = new FirstLosses(SMALL_VIT_LOSSES.length);
  const once = async (): Promise<void> => {
    const cost = optimizer.minimize(loss, true);
    if (first.open) first.push((await cost.data())[0] ?? Number.NaN);
    cost.dispose();
  };
  return {
    async run(repeats) {
      for (let k = 0; k < repeats; k++) await once();
      await finish();
    },
    result: async () => ({ losses: await first.complete(once) }),
  };
}
