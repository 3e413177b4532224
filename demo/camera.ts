/** A camera that circles the origin: mouse, touch, wheel and keys turn it into a matrix. */
import { mat4 } from "gl-matrix";

const FIELD = Math.PI / 5; // of view, radians
const NEAREST = 1.5; // distances, in radii of the cloud
const FARTHEST = 12;
const TURN = 0.008; // radians per pixel
const KEY_TURN = 0.12; // radians per key press
const STEEPEST = Math.PI / 2 - 0.05; // short of the pole, where up is undefined

/** Orbits while a pointer drags on the element; two fingers pinch. `onChange` asks for a redraw. */
export class OrbitCamera {
  private azimuth = 0.7;
  private elevation = 0.4;
  private distance = 3.4;
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private readonly onChange: () => void;

  constructor(element: HTMLElement, onChange: () => void) {
    this.onChange = onChange;
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    element.addEventListener("pointermove", (event) => {
      this.drag(event);
    });
    for (const end of ["pointerup", "pointercancel"] as const)
      element.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoom(Math.exp(event.deltaY * 0.001));
      },
      { passive: false },
    );
    element.addEventListener("keydown", (event) => {
      this.key(event);
    });
  }

  /** World to clip for a viewport of that aspect. */
  matrix(aspect: number): mat4 {
    const { azimuth, elevation, distance } = this;
    const eye: [number, number, number] = [
      distance * Math.cos(elevation) * Math.sin(azimuth),
      distance * Math.sin(elevation),
      distance * Math.cos(elevation) * Math.cos(azimuth),
    ];
    const view = mat4.lookAt(mat4.create(), eye, [0, 0, 0], [0, 1, 0]);
    const projection = mat4.perspectiveZO(mat4.create(), FIELD, aspect, 0.1, 50);
    return mat4.multiply(projection, projection, view);
  }

  private turn(right: number, up: number): void {
    this.azimuth += right;
    this.elevation = Math.max(-STEEPEST, Math.min(STEEPEST, this.elevation + up));
    this.onChange();
  }

  private zoom(factor: number): void {
    this.distance = Math.max(NEAREST, Math.min(FARTHEST, this.distance * factor));
    this.onChange();
  }

  private drag({ pointerId, clientX: x, clientY: y }: PointerEvent): void {
    const from = this.pointers.get(pointerId);
    if (!from) return;
    const other = [...this.pointers].find(([id]) => id !== pointerId)?.[1];
    this.pointers.set(pointerId, { x, y });
    if (!other) {
      this.turn((from.x - x) * TURN, (y - from.y) * TURN);
      return;
    }
    const before = Math.hypot(from.x - other.x, from.y - other.y);
    const after = Math.hypot(x - other.x, y - other.y);
    if (after > 0) this.zoom(before / after);
  }

  private key(event: KeyboardEvent): void {
    const turns: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => {
        this.turn(-KEY_TURN, 0);
      },
      ArrowRight: () => {
        this.turn(KEY_TURN, 0);
      },
      ArrowUp: () => {
        this.turn(0, KEY_TURN);
      },
      ArrowDown: () => {
        this.turn(0, -KEY_TURN);
      },
      "+": () => {
        this.zoom(0.9);
      },
      "-": () => {
        this.zoom(1.1);
      },
    };
    const act = turns[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
