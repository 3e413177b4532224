/** Finds places for the labels of a scatter plot, so that none lies on another or on a point. Pure. */

/** A point in pixels with what it is called. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Where a label's text begins, or ends, at the height of its middle. */
export interface Placed extends Labelled {
  readonly anchor: "start" | "end";
}

/** Sizes in pixels. */
export interface LabelStyle {
  readonly letter: number;
  readonly height: number;
  /** Of a point, with some air. */
  readonly radius: number;
  readonly box: Box;
}

/** A rectangle by its edges. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const meet = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const inside = (a: Box, b: Box): boolean =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;

/** Steps down, in heights of a line: beside the point first, then a little above or below. */
const SHIFTS = [0, -0.8, 0.8, -1.6, 1.6];

function candidates(point: Labelled, { letter, height, radius }: LabelStyle): [Placed, Box][] {
  const width = letter * point.text.length;
  return SHIFTS.flatMap((shift) =>
    (["start", "end"] as const).map((anchor): [Placed, Box] => {
      const x = point.x + (anchor === "start" ? radius : -radius);
      const y = point.y + shift * height;
      const left = anchor === "start" ? x : x - width;
      const box = { left, right: left + width, top: y - height / 2, bottom: y + height / 2 };
      return [{ x, y, text: point.text, anchor }, box];
    }),
  );
}

/** Labels for as many points as have room; earlier ones come first. */
export function placeLabels(points: readonly Labelled[], style: LabelStyle): Placed[] {
  const { radius, box } = style;
  const taken: Box[] = points.map(({ x, y }) => ({
    left: x - radius / 2,
    right: x + radius / 2,
    top: y - radius / 2,
    bottom: y + radius / 2,
  }));
  return points.flatMap((point) => {
    const free = candidates(point, style).find(
      ([, place]) => inside(place, box) && !taken.some((other) => meet(place, other)),
    );
    if (!free) return [];
    taken.push(free[1]);
    return [free[0]];
  });
}
