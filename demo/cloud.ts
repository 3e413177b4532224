/** The 3-D cloud of features, drawn on the engine's own device with a render pipeline. */
import type { Engine } from "../src/engine/index.ts";
import { OrbitCamera } from "./camera.ts";
import { createPipelines, POINT_BYTES } from "./cloud-pipelines.ts";
import type { CloudPipelines } from "./cloud-pipelines.ts";
import type { FeatureCloud } from "./snapshot.ts";
import { createSurface } from "./surface.ts";
import type { Surface } from "./surface.ts";

const MOVE = 700; // ms that points take to their new places
const DISC = 5; // radius, CSS pixels at the cloud's centre
const DISC_SCALE = 7; // clip units are half the canvas, seen from 3 to 4 away
const VIEW_FLOATS = 20; // mat4x4f, vec2f, f32, padding
const OOD = [0, 0, 0] as const;

type Rgb = readonly [number, number, number];

/** Red, green and blue bytes of `#rrggbb`. */
const rgb = (colour: string): Rgb => {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 0xff, value & 0xff];
};

/** Places with the cloud's radius as 1, and signs that keep each axis as it was before. */
export function settle(positions: Float32Array, before: Float32Array | null): Float32Array {
  const lengths = Float64Array.from({ length: positions.length / 3 }, (_, n) =>
    Math.hypot(...positions.subarray(3 * n, 3 * n + 3)),
  ).sort();
  const radius = Math.max(1e-12, lengths[Math.floor(0.98 * lengths.length)] ?? 1); // a few lie outside
  const signs = [0, 1, 2].map((axis) => {
    if (before?.length !== positions.length) return 1;
    let agreement = 0;
    for (let n = axis; n < positions.length; n += 3)
      agreement += (positions[n] ?? 0) * (before[n] ?? 0);
    return agreement < 0 ? -1 : 1; // a principal axis has no sign of its own
  });
  return positions.map((value, n) => ((signs[n % 3] ?? 1) * value) / radius);
}

/** Setting a canvas' size empties it, so only a new size is set. */
function resize(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

/** Shows one cloud after the other; turns with the mouse, fingers or keys. */
export class CloudView {
  private readonly device: GPUDevice;
  private readonly canvas: HTMLCanvasElement;
  private readonly surface: Surface;
  private readonly pipelines: CloudPipelines;
  private readonly camera: OrbitCamera;
  private places: Float32Array | null = null;
  private points: GPUBuffer | null = null;
  private movedAt = -Infinity;
  private targets: { colour: GPUTexture; depth: GPUTexture } | null = null;
  private isDue = false;
  private isDrawing = false;
  private readonly still: boolean;

  /** @throws Error if the canvas gives no context. */
  constructor(engine: Engine, canvas: HTMLCanvasElement) {
    this.device = engine.gpu.device;
    this.canvas = canvas;
    this.surface = createSurface(this.device, canvas, engine.adapter.kind !== "gpu");
    this.pipelines = createPipelines(this.device, this.surface.format, 4 * VIEW_FLOATS);
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.camera = new OrbitCamera(canvas, () => {
      this.drawSoon();
    });
    new ResizeObserver(() => {
      this.drawSoon();
    }).observe(canvas);
  }

  /** Moves the points to where `cloud` has them; `colours` by class, held-out digits black. */
  show(cloud: FeatureCloud, colours: readonly string[]): void {
    const places = settle(cloud.positions, this.places);
    const before = this.places?.length === places.length ? this.places : places;
    const count = places.length / 3;
    const bytes = new ArrayBuffer(count * POINT_BYTES);
    const floats = new Float32Array(bytes);
    const levels = new Uint8Array(bytes);
    for (let n = 0; n < count; n++) {
      const start = (n * POINT_BYTES) / 4;
      floats.set(before.subarray(3 * n, 3 * n + 3), start);
      floats.set(places.subarray(3 * n, 3 * n + 3), start + 3);
      const label = cloud.labels[n] ?? -1;
      const colour = label < 0 ? OOD : rgb(colours[label] ?? "#888888");
      levels.set([...colour, 255], n * POINT_BYTES + 24);
    }
    this.points?.destroy();
    this.points = this.device.createBuffer({
      label: "cloud points",
      size: Math.max(POINT_BYTES, bytes.byteLength),
      usage: GPUBufferUsage.VERTEX | GPUBufferUsage.COPY_DST,
    });
    this.device.queue.writeBuffer(this.points, 0, bytes);
    this.places = places;
    this.movedAt = performance.now();
    this.drawSoon();
  }

  private drawSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame((now) => {
      if (this.isDrawing) return; // the frame under way asks again when it is shown
      this.isDue = false;
      this.isDrawing = true;
      this.draw(now)
        .catch(() => undefined) // a lost device is told where the engine next reads
        .finally(() => {
          this.isDrawing = false;
          if (!this.isDue) return;
          this.isDue = false;
          this.drawSoon();
        });
    });
  }

  private async draw(now: number): Promise<void> {
    const { device, canvas, points, pipelines } = this;
    const scale = Math.min(2, devicePixelRatio);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!points || width === 0 || height === 0) return;
    resize(canvas, Math.round(width * scale), Math.round(height * scale));
    const progress = this.still ? 1 : Math.min(1, Math.max(0, (now - this.movedAt) / MOVE));
    const view = new Float32Array(VIEW_FLOATS);
    view.set(this.camera.matrix(width / height));
    view.set(
      [
        (DISC_SCALE * DISC) / width,
        (DISC_SCALE * DISC) / height,
        progress * progress * (3 - 2 * progress),
      ],
      16,
    );
    device.queue.writeBuffer(pipelines.view, 0, view);
    const encoder = device.createCommandEncoder({ label: "cloud" });
    const pass = encoder.beginRenderPass(this.attachments());
    pass.setBindGroup(0, pipelines.group);
    pass.setPipeline(pipelines.axes);
    pass.setVertexBuffer(0, pipelines.axisEnds);
    pass.draw(6);
    pass.setPipeline(pipelines.discs);
    pass.setVertexBuffer(0, points);
    pass.draw(4, points.size / POINT_BYTES);
    pass.end();
    if (progress < 1) this.drawSoon();
    await this.surface.present(encoder);
  }

  /** Multisampled colour and depth of the canvas' size, made again when it changes. */
  private attachments(): GPURenderPassDescriptor {
    const { device, canvas, pipelines } = this;
    const { width, height } = canvas;
    if (this.targets?.colour.width !== width || this.targets.colour.height !== height) {
      this.targets?.colour.destroy();
      this.targets?.depth.destroy();
      const make = (label: string, format: GPUTextureFormat): GPUTexture =>
        device.createTexture({
          label,
          format,
          size: [width, height],
          sampleCount: pipelines.samples,
          usage: GPUTextureUsage.RENDER_ATTACHMENT,
        });
      this.targets = {
        colour: make("cloud colour", pipelines.format),
        depth: make("cloud depth", pipelines.depthFormat),
      };
    }
    const { colour, depth } = this.targets;
    return {
      label: "cloud",
      colorAttachments: [
        {
          view: colour.createView(),
          resolveTarget: this.surface.texture().createView(),
          clearValue: [0, 0, 0, 0],
          loadOp: "clear",
          storeOp: "discard",
        },
      ],
      depthStencilAttachment: {
        view: depth.createView(),
        depthClearValue: 1,
        depthLoadOp: "clear",
        depthStoreOp: "discard",
      },
    };
  }
}
