/** Who takes part: how each engine starts, what it is held against, and what it cannot do. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Command } from "./process.ts";
import type { Work } from "./works.ts";

/** An engine as the bench starts it. */
export interface Entrant {
  readonly name: string;
  /** The engine's own packages, in bench/peers. */
  readonly packages: readonly string[];
  /** The row of ours that its ratio is taken to. */
  readonly against: "neco" | "neco+io";
  /** Whether it has a row in a work's table. */
  joins(work: Work): boolean;
  /** Why it cannot do a work; null if it can. */
  cannot(work: Work): string | null;
  /** Does other work of the same size, so that its result is not judged. */
  readonly isYardstick: boolean;
  /**
   * @throws Error if this machine has no program to run it.
   */
  command(env: Command["env"]): Command;
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const javascript =
  (name: string) =>
  (env: Command["env"]): Command => ({
    program: process.execPath,
    words: ["--import", "tsx", here("child.ts"), name],
    env,
  });

const PYTHONS = ["python3", "/usr/bin/python3", "python"];

/** The first Python that can import what is needed; NECO_PYTHON names another. */
const python =
  (name: string, needs: string, what = needs) =>
  (env: Command["env"]): Command => {
    const own = process.env["NECO_PYTHON"];
    const candidates = own === undefined ? PYTHONS : [own];
    const program = candidates.find(
      (candidate) => spawnSync(candidate, ["-c", `import numpy, ${needs}`]).status === 0,
    );
    if (program === undefined)
      throw new Error(`no Python with ${what} (tried ${candidates.join(", ")}; see NECO_PYTHON)`);
    return { program, words: [here("python.py"), name], env };
  };

const anything = (): null => null;
const everywhere = (): true => true;
const isLinalg = ({ kind }: Work): boolean => kind === "eigh" || kind === "decompose";
const isGraph = (work: Work): boolean => work.kind !== "train" && !isLinalg(work);
/** Engines without decompositions have one row that says so, among the eigenproblems. */
const notDecomposed = ({ kind }: Work): boolean => kind !== "decompose";

const JAX_METHODS = new Set(["svd", "cholesky", "lstsq"]);

const jaxLacks = (work: Work): string | null =>
  work.kind === "decompose" && !JAX_METHODS.has(work.what) ? "has no such function" : null;
const TFJS = [
  "@tensorflow/tfjs",
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-backend-webgpu",
  "@tensorflow/tfjs-backend-cpu",
];

function noTraining({ kind }: Work): string | null {
  if (kind === "train") return "has no gradients";
  return kind === "eigh" ? "has no eigensolver" : null;
}

const usual = {
  packages: [],
  against: "neco",
  isYardstick: false,
  joins: everywhere,
  cannot: anything,
} as const;

/** Works that are bound by arithmetic are held against multiply-adds, others against copies. */
const yardstick = (name: string, counts: "flops" | "bytes"): Entrant => ({
  ...usual,
  name,
  isYardstick: true,
  joins: (work) => work[counts] > 0,
  command: javascript(name),
});

const ours: readonly Entrant[] = [
  { ...usual, name: "neco", command: javascript("neco") },
  // Held against engines that take inputs from the host and bring outputs back.
  {
    ...usual,
    name: "neco+io",
    against: "neco+io",
    joins: isGraph,
    command: javascript("neco+io"),
  },
  yardstick("fma", "flops"),
  yardstick("copy", "bytes"),
  yardstick("copy-wide", "bytes"),
];

const onnxruntime = (provider: "webgpu" | "cpu", against: Entrant["against"]): Entrant => ({
  ...usual,
  name: `onnxruntime-${provider}`,
  packages: ["onnxruntime-node"],
  against,
  joins: notDecomposed,
  cannot: noTraining,
  command: javascript(`onnxruntime-${provider}`),
});

const jaxJs = (device: string): Entrant => ({
  ...usual,
  name: `jax-js-${device}`,
  packages: ["@jax-js/jax"],
  cannot: jaxLacks,
  command: javascript(`jax-js-${device}`),
});

/** All engines; ours first. */
export const entrants: readonly Entrant[] = [
  ...ours,
  {
    ...usual,
    name: "tfjs-webgpu",
    packages: TFJS,
    joins: notDecomposed,
    cannot: ({ kind }) => (kind === "eigh" ? "has no eigensolver on WebGPU" : null),
    command: javascript("tfjs-webgpu"),
  },
  jaxJs("webgpu"),
  jaxJs("wasm"),
  onnxruntime("webgpu", "neco+io"),
  onnxruntime("cpu", "neco"), // host and device are the same memory
  { ...usual, name: "pytorch", command: python("pytorch", "torch") },
  {
    ...usual,
    name: "pytorch-cuda",
    command: python("pytorch-cuda", "torch; assert torch.cuda.is_available()", "torch on CUDA"),
  },
  {
    ...usual,
    name: "numpy",
    joins: isLinalg, // for LAPACK
    command: python("numpy", "numpy"),
  },
];
