/** Finds the WebGPU adapter in Node through Dawn: a real GPU, else lavapipe, else SwiftShader. */
import { create } from "webgpu";
import { AdapterError, UsageError } from "../util/errors.ts";
import { adapterKind, describeAdapter } from "./host.ts";
import type { GpuHandle, GpuOptions } from "./host.ts";
import { easePolling } from "./node-polling.ts";
import {
  hasSwiftshader,
  hasVulkanLoader,
  swiftshaderFolder,
  useSwiftshader,
} from "./node-swiftshader.ts";

const CHOICES = ["auto", "gpu", "lavapipe", "swiftshader"] as const;
type Choice = (typeof CHOICES)[number];

// What create() returns must stay reachable as long as the process lives: Dawn crashes otherwise.
const entryPoints: GPU[] = [];

/**
 * What NECO_UNSAFE_GPU=1 turns on: APIs that Dawn holds to be experiments (subgroup matrices), and
 * f16 on NVIDIA, which it holds back for driver defects (https://crbug.com/42251215).
 */
const UNSAFE = "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia";

const SETUP = "run `node tools/setup.mjs`, which brings a software adapter where none is";
const LAVAPIPE =
  "install it with `npm run setup:lavapipe` (apt, asks for sudo), or use --adapter auto";

/**
 * Opens the adapter that the option, else NECO_ADAPTER, else `auto` asks for.
 * @throws UsageError if the name is none of auto, gpu, lavapipe, swiftshader.
 * @throws AdapterError if this machine has no such adapter; the message says how to get one.
 */
export async function openGpu(options: GpuOptions = {}): Promise<GpuHandle> {
  const wanted = choice(options.adapter ?? process.env["NECO_ADAPTER"] ?? "auto");
  switch (wanted) {
    case "lavapipe":
      return orThrow(await request(["adapter=llvmpipe"]), `lavapipe was not found: ${LAVAPIPE}`);
    case "swiftshader":
      return openSwiftshader();
    case "gpu": {
      const found = await request([]);
      return orThrow(
        found?.kind === "gpu" ? found : null,
        `no GPU was found${found ? `, only ${found.description}` : ""}: install its Vulkan driver, or use --adapter auto`,
      );
    }
    case "auto": {
      const found = await request([]);
      if (found) return found;
      if (hasSwiftshader()) return openSwiftshader();
      throw new AdapterError(`no WebGPU adapter was found: ${SETUP}, or ${noDriverAdvice()}`);
    }
    default:
      return wanted satisfies never;
  }
}

function choice(name: string): Choice {
  const known = CHOICES.find((candidate) => candidate === name);
  if (known === undefined)
    throw new UsageError(`adapter "${name}" is unknown: use one of ${CHOICES.join(", ")}`);
  return known;
}

async function openSwiftshader(): Promise<GpuHandle> {
  if (!hasSwiftshader())
    throw new AdapterError(
      `SwiftShader is not in ${swiftshaderFolder()}: run \`node tools/setup.mjs --swiftshader\` (Linux x64 only)`,
    );
  useSwiftshader();
  const found = await request([]);
  return orThrow(
    found?.kind === "swiftshader" ? found : null,
    `SwiftShader in ${swiftshaderFolder()} does not load: delete that folder and run \`node tools/setup.mjs --swiftshader\`; it must be the first adapter that a process opens, and not from a worker thread`,
  );
}

function orThrow(handle: GpuHandle | null, otherwise: string): GpuHandle {
  if (!handle) throw new AdapterError(otherwise);
  return handle;
}

/** Null when there is no adapter: Dawn answers null or throws, depending on what is missing. */
async function request(flags: readonly string[]): Promise<GpuHandle | null> {
  if (!hasVulkanLoader()) return null;
  easePolling();
  try {
    // Timestamps are otherwise rounded to 65.5 µs, longer than most kernels.
    const gpu = create([
      ...flags,
      ...(process.env["NECO_UNSAFE_GPU"] === "1" ? [UNSAFE] : []),
      "disable-dawn-features=timestamp_quantization",
    ]);
    entryPoints.push(gpu);
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return null;
    const { info } = adapter;
    return { gpu, adapter, description: describeAdapter(info), kind: adapterKind(info) };
  } catch {
    return null;
  }
}

const noDriverAdvice = (): string =>
  process.platform === "linux"
    ? "`npm run setup:lavapipe` for a faster one"
    : "install a GPU driver with Vulkan, Metal or Direct3D 12, or Mesa's lavapipe";
