/** The engines in JavaScript, each loaded in its own process only. */
import type { PeerEngine } from "../engine.ts";

/** By name; PyTorch and NumPy are in python.py. */
export const engines: Readonly<Record<string, () => Promise<PeerEngine>>> = {
  neco: async () => (await import("./neco.ts")).neco("device"),
  "neco+io": async () => (await import("./neco.ts")).neco("host"),
  fma: async () => (await import("./yardsticks.ts")).multiplyAdds(),
  copy: async () => (await import("./yardsticks.ts")).copies("plain"),
  "copy-wide": async () => (await import("./yardsticks.ts")).copies("wide"),
  "tfjs-webgpu": async () => (await import("./tfjs.ts")).tfjs(),
  "jax-js-webgpu": async () => (await import("./jax.ts")).jaxJs("webgpu"),
  "jax-js-wasm": async () => (await import("./jax.ts")).jaxJs("wasm"),
  "onnxruntime-webgpu": async () => (await import("./onnxruntime.ts")).onnxruntime("webgpu"),
  "onnxruntime-cpu": async () => (await import("./onnxruntime.ts")).onnxruntime("cpu"),
};
