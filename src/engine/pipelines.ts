/** Makes compute pipelines and bind groups, each pipeline once per device. */
import { CompileError } from "../util/errors.ts";
import type { Faults } from "./device.ts";
import type { BindingKind } from "./executor.ts";

/** A pipeline and the layout its bind groups follow. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const BUFFER_LAYOUTS = {
  read: { type: "read-only-storage" },
  read_write: { type: "storage" },
  uniform: { type: "uniform" },
  params: { type: "uniform", hasDynamicOffset: true },
} as const satisfies Record<BindingKind, GPUBufferBindingLayout>;

const COMPUTE_STAGE = 0x4;

/** Lines of source shown around a compile error. */
const CONTEXT_LINES = 3;

/** Pipelines by binding kinds and WGSL text. */
export class PipelineCache {
  private readonly device: GPUDevice;
  private readonly faults: Faults;
  /** By binding kinds, then by text: a text that is kept elsewhere is hashed once, not at every dispatch. */
  private readonly ready = new Map<string, Map<string, Pipeline>>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();
  /** Pipelines ever created; a replayed program must not raise it. */
  created = 0;

  /** @param faults - where compile errors go. */
  constructor(device: GPUDevice, faults: Faults) {
    this.device = device;
    this.faults = faults;
  }

  private layout(kinds: readonly BindingKind[]): GPUBindGroupLayout {
    const key = kinds.join();
    const known = this.layouts.get(key);
    if (known) return known;
    const layout = this.device.createBindGroupLayout({
      label: `bindings ${key}`,
      entries: kinds.map((kind, binding) => ({
        binding,
        visibility: COMPUTE_STAGE,
        buffer: BUFFER_LAYOUTS[kind],
      })),
    });
    this.layouts.set(key, layout);
    return layout;
  }

  /** The pipelines with these bindings by text. */
  private textsOf(kinds: readonly BindingKind[]): Map<string, Pipeline> {
    const key = kinds.join();
    const texts = this.ready.get(key) ?? new Map<string, Pipeline>();
    this.ready.set(key, texts);
    return texts;
  }

  private describe(
    label: string,
    code: string,
    kinds: readonly BindingKind[],
  ): { descriptor: GPUComputePipelineDescriptor; layout: GPUBindGroupLayout } {
    const layout = this.layout(kinds);
    const module = this.device.createShaderModule({ label, code });
    void this.reportMessages(label, code, module);
    return {
      layout,
      descriptor: {
        label,
        layout: this.device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      },
    };
  }

  private async reportMessages(
    label: string,
    code: string,
    module: GPUShaderModule,
  ): Promise<void> {
    const { messages } = await module.getCompilationInfo();
    const bad = messages.find(({ type }) => type === "error");
    if (bad) this.faults.report(new CompileError(explain(label, code, bad)));
  }

  /** The pipeline, made on the spot when new; its errors surface at the next read. */
  get(label: string, code: string, kinds: readonly BindingKind[]): Pipeline {
    const texts = this.textsOf(kinds);
    const known = texts.get(code);
    if (known) return known;
    const { descriptor, layout } = this.describe(label, code, kinds);
    const made = { pipeline: this.device.createComputePipeline(descriptor), layout };
    this.created++;
    texts.set(code, made);
    return made;
  }

  /**
   * The pipeline, compiled without blocking.
   * @throws CompileError with the line at fault; a failed compile is not kept.
   */
  async getAsync(label: string, code: string, kinds: readonly BindingKind[]): Promise<Pipeline> {
    const texts = this.textsOf(kinds);
    const known = texts.get(code);
    if (known) return known;
    const { descriptor, layout } = this.describe(label, code, kinds);
    try {
      const pipeline = await this.device.createComputePipelineAsync(descriptor);
      const raced = texts.get(code);
      if (raced) return raced;
      this.created++;
      const made = { pipeline, layout };
      texts.set(code, made);
      return made;
    } catch (cause) {
      this.faults.check(); // the module's own message says more than the pipeline's
      throw new CompileError(`${label}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
}

function explain(label: string, code: string, message: GPUCompilationMessage): string {
  const first = Math.max(0, message.lineNum - 1 - CONTEXT_LINES);
  const excerpt = code
    .split("\n")
    .slice(first, message.lineNum + CONTEXT_LINES)
    .map((line, index) => {
      const number = first + index + 1;
      return `${number === message.lineNum ? ">" : " "}${String(number).padStart(4)} ${line}`;
    });
  return `${label}: ${message.message} (line ${message.lineNum})\n${excerpt.join("\n")}`;
}
