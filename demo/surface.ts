/**
 * Where rendered frames go. On a GPU, straight to the canvas. Browsers without one may not be able
 * to share WebGPU's textures with the page and lose the whole device over it, so on software
 * adapters frames are read back and painted by hand.
 */

/** A canvas that takes frames of a device. */
export interface Surface {
  readonly format: GPUTextureFormat;
  /** The texture of the next frame, in the canvas' size. */
  texture(): GPUTexture;
  /** Shows what `encoder` drew there; resolves when the next frame may begin. */
  present(encoder: GPUCommandEncoder): Promise<void>;
}

/**
 * The surface that suits the adapter.
 * @throws Error if the canvas gives no context.
 */
export function createSurface(
  device: GPUDevice,
  canvas: HTMLCanvasElement,
  isSoftware: boolean,
): Surface {
  return isSoftware ? paintedSurface(device, canvas) : sharedSurface(device, canvas);
}

function sharedSurface(device: GPUDevice, canvas: HTMLCanvasElement): Surface {
  const context = canvas.getContext("webgpu");
  if (!context) throw new Error("this browser draws no WebGPU on canvases: update it");
  const format = navigator.gpu.getPreferredCanvasFormat();
  context.configure({ device, format, alphaMode: "premultiplied" });
  return {
    format,
    texture: () => context.getCurrentTexture(),
    present: (encoder) => {
      device.queue.submit([encoder.finish()]);
      return Promise.resolve();
    },
  };
}

const PIXEL = 4; // bytes of rgba8unorm
const ROW = 256; // WebGPU's alignment of rows in a buffer, bytes

interface Frame {
  readonly texture: GPUTexture;
  readonly buffer: GPUBuffer;
  readonly rowBytes: number;
}

function createFrame(device: GPUDevice, width: number, height: number): Frame {
  const rowBytes = Math.ceil((width * PIXEL) / ROW) * ROW;
  return {
    rowBytes,
    texture: device.createTexture({
      label: "frame",
      format: "rgba8unorm",
      size: [width, height],
      usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
    }),
    buffer: device.createBuffer({
      label: "frame",
      size: rowBytes * height,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    }),
  };
}

function paintedSurface(device: GPUDevice, canvas: HTMLCanvasElement): Surface {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no 2-D canvas to paint on");
  let frame: Frame | null = null;
  const current = (): Frame => {
    const { width, height } = canvas;
    if (frame?.texture.width === width && frame.texture.height === height) return frame;
    frame?.texture.destroy();
    frame?.buffer.destroy();
    frame = createFrame(device, width, height);
    return frame;
  };
  return {
    format: "rgba8unorm",
    texture: () => current().texture,
    async present(encoder) {
      const { texture, buffer, rowBytes } = current();
      const { width, height } = texture;
      encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: rowBytes }, [width, height]);
      device.queue.submit([encoder.finish()]);
      await buffer.mapAsync(GPUMapMode.READ);
      const rows = new Uint8Array(buffer.getMappedRange());
      const image = new ImageData(width, height);
      for (let row = 0; row < height; row++) {
        const start = row * rowBytes;
        image.data.set(rows.subarray(start, start + width * PIXEL), row * width * PIXEL);
      }
      buffer.unmap();
      context.putImageData(image, 0, 0);
    },
  };
}
