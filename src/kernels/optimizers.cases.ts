/** Oracles of the optimizer steps: what each mutated arena holds after. Never imported by the library. */
import { at } from "../util/shape.ts";
import { array64 } from "./case.ts";
import type { Array64, ErrorSample, InputSpec, OpCases, Sample } from "./case.ts";

type Attributes = Readonly<Record<string, unknown>>;

const numberOf = (attrs: Attributes, name: string): number => {
  const value = attrs[name];
  return typeof value === "number" ? value : NaN;
};

const one = (value: number): InputSpec => ({ shape: [1], values: [value] });

/** The state of a loss scale whose update goes on with `factor`, or was skipped: 0. */
const lossScaled = (factor: number, skipped = 0): InputSpec => ({
  shape: [4],
  values: [factor, skipped, 1024, 1],
});

/** An arena of gradients, some of which overflowed. */
const overflowed: InputSpec = { shape: [4], values: [Infinity, 1, -Infinity, Number.NaN] };

const isSkipped = (scale: Array64 | null | undefined): boolean =>
  scale?.data.length === 4 && scale.data[0] === 0;

/** Element by element: the arenas' values in, the mutated arenas' values out. */
function elementwise(
  arenas: readonly (Array64 | null | undefined)[],
  outputs: number,
  step: (values: readonly number[]) => readonly number[],
): Array64[] {
  const shape = arenas[0]?.shape ?? [];
  const results = Array.from({ length: outputs }, () => array64(shape));
  results[0]?.data.forEach((_zero, index) => {
    // An absent arena is a decay mask: 1 everywhere.
    const values = step(arenas.map((arena) => (arena ? at(arena.data, index) : 1)));
    results.forEach((result, k) => {
      result.data[index] = at(values, k);
    });
  });
  return results;
}

function sgd64(inputs: readonly (Array64 | null)[], attrs: Attributes, isSize: boolean): Array64[] {
  const [param, grad, velocity, rate, scale, mask] = inputs;
  const sign = isSize ? 1 : -1;
  const size = isSize ? Math.abs : (value: number) => value;
  return elementwise([param, grad, velocity, mask], 2, (values) => {
    const [p = 0, g = 0, v = 0, m = 0] = values.map(size);
    if (isSkipped(scale)) return [p, v];
    const slope = g * at(scale?.data ?? [], 0) + numberOf(attrs, "weightDecay") * m * p;
    const speed = numberOf(attrs, "momentum") * v + slope;
    const step = attrs["nesterov"] === true ? slope + numberOf(attrs, "momentum") * speed : speed;
    return [p + sign * at(rate?.data ?? [], 0) * step, speed];
  });
}

/** What samples vary beside the attributes. */
interface SampleOptions {
  readonly rate?: number;
  readonly step?: number;
  readonly scale?: InputSpec;
  readonly hasMask?: boolean;
  readonly grad?: InputSpec;
}

const sgdSample = (
  shape: readonly number[],
  attrs: Attributes = {},
  { rate = 0.03, scale = one(0.7), hasMask = false, grad }: SampleOptions = {},
): Sample => ({
  inputs: [
    { shape },
    grad ?? { shape },
    { shape },
    one(rate),
    scale,
    hasMask ? { shape, range: [0, 1] } : null,
  ],
  attrs,
});

/** Oracle of sgdMomentum. */
export const sgdMomentumCases: OpCases = {
  reference: (inputs, attrs) => sgd64(inputs, attrs, false),
  scale: (inputs, attrs) => sgd64(inputs, attrs, true),
  samples: [
    sgdSample([256]),
    sgdSample([1]),
    sgdSample([67], { weightDecay: 0.01 }),
    sgdSample([64, 4], { weightDecay: 0.1, momentum: 0.5, nesterov: true }, { hasMask: true }),
    sgdSample([5], { momentum: 0, weightDecay: 0 }, { scale: one(1) }),
    sgdSample([67], { weightDecay: 0.01 }, { scale: lossScaled(0.001) }),
    sgdSample([4], { weightDecay: 0.01 }, { scale: lossScaled(0), grad: overflowed }),
  ],
  errors: [
    {
      inputs: [{ shape: [4] }, { shape: [5] }, { shape: [4] }, one(1), one(1), null],
      throws: /sgdMomentum: grad must have the shape of param; got param \[4\], grad \[5\]/,
    },
    {
      inputs: [{ shape: [4] }, { shape: [4] }, { shape: [4] }, { shape: [2] }, one(1), null],
      throws: /sgdMomentum: learningRate must hold 1 value; got learningRate \[2\]/,
    },
    {
      inputs: [{ shape: [4] }, { shape: [4] }, { shape: [4] }, one(1), { shape: [2] }, null],
      throws:
        /sgdMomentum: gradScale must hold 1 value, or the 4 of lossScale; got gradScale \[2\]/,
    },
  ],
  tolerance: { rel: 3e-7, abs: 1e-30, why: "five roundings or fewer" },
  bench: [sgdSample([1 << 20])],
};

function adam64(
  inputs: readonly (Array64 | null)[],
  attrs: Attributes,
  isSize: boolean,
): Array64[] {
  const [param, grad, m, v, rate, step, scale, mask] = inputs;
  const [beta1, beta2] = [numberOf(attrs, "beta1"), numberOf(attrs, "beta2")];
  const learningRate = at(rate?.data ?? [], 0);
  const count = at(step?.data ?? [], 0) - (scale?.data[1] ?? 0);
  const sign = isSize ? 1 : -1;
  const size = isSize ? Math.abs : (value: number) => value;
  return elementwise([param, grad, m, v, mask], 3, (values) => {
    const [p = 0, g0 = 0, first = 0, second = 0, decay = 0] = values.map(size);
    if (isSkipped(scale)) return [p, first, second];
    const g = g0 * at(scale?.data ?? [], 0);
    const mean = beta1 * first + (1 - beta1) * g;
    const square = beta2 * second + (1 - beta2) * g * g;
    const root = Math.sqrt(square / (1 - beta2 ** count)) + numberOf(attrs, "eps");
    const stepSize = (learningRate * mean) / (1 - beta1 ** count) / root;
    const shrink = learningRate * numberOf(attrs, "weightDecay") * decay * p;
    return [p + sign * (shrink + stepSize), mean, square];
  });
}

const adamSample = (
  shape: readonly number[],
  attrs: Attributes = {},
  { step = 1, scale = one(0.7), hasMask = false, grad }: SampleOptions = {},
): Sample => ({
  inputs: [
    { shape },
    grad ?? { shape },
    { shape, range: [-0.1, 0.1] },
    { shape, range: [0, 0.01] },
    one(0.003),
    one(step),
    scale,
    hasMask ? { shape, range: [0, 1] } : null,
  ],
  attrs,
});

const adamErrors: readonly ErrorSample[] = [
  {
    inputs: [...adamSample([4]).inputs.slice(0, 3), { shape: [3] }, one(1), one(1), one(1), null],
    throws: /adamw: v must have the shape of param; got param \[4\], v \[3\]/,
  },
  {
    inputs: [...adamSample([4]).inputs.slice(0, 5), { shape: [2] }, one(1), null],
    throws: /adamw: step must hold 1 value; got step \[2\]/,
  },
];

/** Oracle of adamw. */
export const adamwCases: OpCases = {
  reference: (inputs, attrs) => adam64(inputs, attrs, false),
  scale: (inputs, attrs) => adam64(inputs, attrs, true),
  samples: [
    adamSample([256]),
    adamSample([1], {}, { step: 2 }),
    adamSample([67], { weightDecay: 0 }, { step: 499 }),
    adamSample([64, 4], { weightDecay: 0.1, beta2: 0.95 }, { step: 13, hasMask: true }),
    adamSample([8], { beta1: 0 }, { step: 1e6 }),
    adamSample([67], {}, { step: 5, scale: lossScaled(0.7, 3) }), // its second update
    adamSample([4], {}, { step: 3, scale: lossScaled(0, 1), grad: overflowed }),
  ],
  errors: adamErrors,
  tolerance: {
    rel: 2e-6,
    abs: 1e-30,
    why: "a dozen roundings; a root and two quotients at 2.5 ULP, exp at 4 ULP",
  },
  bench: [adamSample([1 << 20])],
};
