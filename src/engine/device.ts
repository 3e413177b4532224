/** Opens a device with all that the adapter offers, and collects what goes wrong on it. */
import { openGpu } from "#platform";
import type { Caps, SubgroupMatrix } from "../kernels/op.ts";
import { AdapterError, DeviceLostError, NecoError, OutOfMemoryError } from "../util/errors.ts";

/** The adapter as reports name it. */
export interface AdapterSummary {
  readonly description: string;
  /** `gpu`, or the software adapter's name. */
  readonly kind: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** A device and what is known of it. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly adapter: AdapterSummary;
  readonly caps: Caps;
  readonly faults: Faults;
}

/** Still an experiment of Dawn's, so the package of types lacks it, and what adapters say of it. */
const SUBGROUP_MATRIX = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

declare global {
  interface GPUAdapterInfo {
    readonly subgroupMatrixConfigs?: readonly {
      readonly componentType: string;
      readonly resultComponentType: string;
      readonly M: number;
      readonly N: number;
      readonly K: number;
    }[];
  }
}

const WANTED_FEATURES: readonly GPUFeatureName[] = [
  "subgroups",
  "shader-f16",
  "timestamp-query",
  SUBGROUP_MATRIX,
];

const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupsPerDimension",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
  "maxStorageBuffersPerShaderStage",
] as const;

/**
 * The first fault of a device, kept until somebody looks: WebGPU reports validation errors and
 * losses asynchronously, so every read asks here first.
 */
export class Faults {
  private first: NecoError | null = null;

  /** Starts listening. */
  constructor(device: GPUDevice) {
    device.addEventListener("uncapturederror", (event) => {
      const { error } = event;
      const outOfMemory = error.constructor.name === "GPUOutOfMemoryError";
      this.report(
        outOfMemory
          ? new OutOfMemoryError(`the adapter is out of memory: ${error.message}`)
          : new NecoError("compile", `the GPU refused a command: ${error.message}`),
      );
    });
    void device.lost.then(({ reason, message }) => {
      this.report(new DeviceLostError(reason === "destroyed" ? "destroyed" : message || reason));
    });
  }

  /** Keeps an error unless there is one already. */
  report(error: NecoError): void {
    this.first ??= error;
  }

  /**
   * Throws the first fault, once; a lost device stays lost.
   * @throws NecoError of the fault's kind.
   */
  check(): void {
    const fault = this.first;
    if (!fault) return;
    if (fault.kind !== "device-lost") this.first = null;
    throw fault;
  }
}

/** Copied, for the adapter's own objects hold accessors only. */
const subgroupMatricesOf = ({ subgroupMatrixConfigs = [] }: GPUAdapterInfo): SubgroupMatrix[] =>
  subgroupMatrixConfigs.map(({ componentType, resultComponentType, M, N, K }) => ({
    component: componentType,
    result: resultComponentType,
    m: M,
    n: N,
    k: K,
  }));

function capsOf(adapter: GPUAdapter, device: GPUDevice, kind: string): Caps {
  const { limits } = device;
  const subgroups = device.features.has("subgroups");
  return {
    adapterClass: kind === "gpu" ? "gpu" : "cpu",
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    subgroupMin: subgroups ? adapter.info.subgroupMinSize : 0,
    subgroupMax: subgroups ? adapter.info.subgroupMaxSize : 0,
    subgroupMatrices: device.features.has(SUBGROUP_MATRIX) ? subgroupMatricesOf(adapter.info) : [],
    features: new Set(device.features),
  };
}

/**
 * Checks that an adapter can store f16.
 * @throws AdapterError if it lacks the feature shader-f16.
 */
export function needHalf({ features }: Pick<Caps, "features">): void {
  if (!features.has("shader-f16"))
    throw new AdapterError(
      "half precision needs shader-f16, which this adapter lacks; stay in f32 (train without --fp16) or choose another, such as --adapter lavapipe (on NVIDIA, `neco doctor` tells of another way)",
    );
}

/**
 * Opens the adapter that the host prefers, or the one asked for.
 * @throws AdapterError if there is none that can run the engine.
 */
export async function openDevice(options: { adapter?: string } = {}): Promise<OpenDevice> {
  const { adapter, description, kind } = await openGpu(options);
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  const limits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({
    label: "neco",
    requiredFeatures,
    requiredLimits: limits,
  });
  return {
    device,
    adapter: {
      description,
      kind,
      vendor: adapter.info.vendor,
      architecture: adapter.info.architecture,
      features: [...device.features].sort(),
      limits,
    },
    caps: capsOf(adapter, device, kind),
    faults: new Faults(device),
  };
}
