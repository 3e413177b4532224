/** The canvas to draw a digit on. */
import { normaliseDigit, SIDE } from "./digit.ts";

const PAPER = "#000";
const INK = "#fff"; // white on black, as MNIST
const BRUSH = 0.075; // of the canvas' side
const PAUSE = 250; // ms after a stroke, before it is judged

/** Draws by mouse, pen or touch; `onDigit` gets the 28 × 28 image after each stroke, null if empty. */
export class DrawingPad {
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly onDigit: (image: Uint8Array | null) => void;
  private timer = 0;

  /** @throws Error if the browser gives no 2-D canvas. */
  constructor(canvas: HTMLCanvasElement, onDigit: (image: Uint8Array | null) => void) {
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("this browser gives no 2-D canvas to draw on");
    this.canvas = canvas;
    this.context = context;
    this.onDigit = onDigit;
    this.clearPaper();
    this.listen();
  }

  /** Empties the canvas. */
  clear(): void {
    this.clearPaper();
    this.judgeSoon(0);
  }

  /** Shows a 28 × 28 image as if it had been drawn; it is judged as it is. */
  show(image: Uint8Array): void {
    clearTimeout(this.timer);
    this.clearPaper();
    const { canvas, context } = this;
    const cell = canvas.width / SIDE;
    image.forEach((level, index) => {
      context.fillStyle = `rgb(${level} ${level} ${level})`;
      const [x, y] = [index % SIDE, Math.floor(index / SIDE)];
      context.fillRect(x * cell, y * cell, cell, cell);
    });
    this.onDigit(image);
  }

  private clearPaper(): void {
    this.context.fillStyle = PAPER;
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private listen(): void {
    const { canvas, context } = this;
    const place = ({ offsetX, offsetY }: PointerEvent): [number, number] => [
      (offsetX * canvas.width) / canvas.clientWidth,
      (offsetY * canvas.height) / canvas.clientHeight,
    ];
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      clearTimeout(this.timer);
      Object.assign(context, { lineWidth: BRUSH * canvas.width, strokeStyle: INK });
      Object.assign(context, { lineCap: "round", lineJoin: "round" });
      const [x, y] = place(event);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x, y);
      context.stroke(); // a tap is a dot
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      context.lineTo(...place(event));
      context.stroke();
    });
    canvas.addEventListener("lostpointercapture", () => {
      this.judgeSoon(PAUSE);
    });
  }

  private judgeSoon(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.onDigit(this.image());
    }, delay);
  }

  private image(): Uint8Array | null {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    const grey = Uint8Array.from({ length: width * height }, (_, index) => data[4 * index] ?? 0);
    return normaliseDigit({ width, height, grey });
  }
}
