/** The render pipelines of the cloud, and the buffers that they share. */
import { cloudShader } from "./cloud.wgsl.ts";

/** Bytes of a point: place before, place after (vec3f each), colour (rgba8). */
export const POINT_BYTES = 28;

const SAMPLES = 4; // per pixel: smooth edges
const DEPTH = "depth24plus";
const AXIS = 1.15; // in radii of the cloud

/** Everything that drawing needs besides the points. */
export interface CloudPipelines {
  readonly discs: GPURenderPipeline;
  readonly axes: GPURenderPipeline;
  /** Uniforms of the shader's `View`. */
  readonly view: GPUBuffer;
  readonly axisEnds: GPUBuffer;
  readonly group: GPUBindGroup;
  readonly format: GPUTextureFormat;
  readonly depthFormat: GPUTextureFormat;
  readonly samples: number;
}

/** Compiles the shaders; `viewBytes` is the size of the uniforms. */
export function createPipelines(
  device: GPUDevice,
  format: GPUTextureFormat,
  viewBytes: number,
): CloudPipelines {
  const bindings = device.createBindGroupLayout({
    label: "cloud",
    entries: [{ binding: 0, visibility: GPUShaderStage.VERTEX, buffer: { type: "uniform" } }],
  });
  const shared = {
    layout: device.createPipelineLayout({ label: "cloud", bindGroupLayouts: [bindings] }),
    depthStencil: { format: DEPTH, depthWriteEnabled: true, depthCompare: "less" },
  } as const satisfies Shared;
  const view = device.createBuffer({
    label: "cloud view",
    size: viewBytes,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  return {
    ...drawings(device, format, shared),
    view,
    axisEnds: axisBuffer(device),
    group: device.createBindGroup({
      label: "cloud",
      layout: bindings,
      entries: [{ binding: 0, resource: { buffer: view } }],
    }),
    format,
    depthFormat: DEPTH,
    samples: SAMPLES,
  };
}

type Shared = Pick<GPURenderPipelineDescriptor, "layout" | "depthStencil">;

function drawings(
  device: GPUDevice,
  format: GPUTextureFormat,
  shared: Shared,
): Pick<CloudPipelines, "discs" | "axes"> {
  const module = device.createShaderModule({ label: "cloud", code: cloudShader });
  const discs = device.createRenderPipeline({
    label: "cloud discs",
    ...shared,
    vertex: { module, entryPoint: "disc", buffers: [pointLayout] },
    fragment: { module, entryPoint: "shade", targets: [{ format }] },
    primitive: { topology: "triangle-strip" },
    multisample: { count: SAMPLES, alphaToCoverageEnabled: true },
  });
  const axes = device.createRenderPipeline({
    label: "cloud axes",
    ...shared,
    vertex: { module, entryPoint: "axis", buffers: [axisLayout] },
    fragment: { module, entryPoint: "line", targets: [{ format }] },
    primitive: { topology: "line-list" },
    multisample: { count: SAMPLES },
  });
  return { discs, axes };
}

const pointLayout: GPUVertexBufferLayout = {
  arrayStride: POINT_BYTES,
  stepMode: "instance",
  attributes: [
    { shaderLocation: 0, offset: 0, format: "float32x3" },
    { shaderLocation: 1, offset: 12, format: "float32x3" },
    { shaderLocation: 2, offset: 24, format: "unorm8x4" },
  ],
};

const axisLayout: GPUVertexBufferLayout = {
  arrayStride: 12,
  attributes: [{ shaderLocation: 0, offset: 0, format: "float32x3" }],
};

/** Both ends of each axis: [6, 3]. */
function axisBuffer(device: GPUDevice): GPUBuffer {
  const ends = new Float32Array(18);
  for (let axis = 0; axis < 3; axis++) {
    ends[6 * axis + axis] = -AXIS;
    ends[6 * axis + 3 + axis] = AXIS;
  }
  const buffer = device.createBuffer({
    label: "cloud axes",
    size: ends.byteLength,
    usage: GPUBufferUsage.VERTEX | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, ends);
  return buffer;
}
