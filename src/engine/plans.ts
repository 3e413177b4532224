/** What the engine does for a call of an op, kept by shapes and attributes: planning costs more than running. */
import { inferMetas, pickVariant } from "../kernels/op.ts";
import type { Attrs, Caps, InputMetas, OpDef, Pass } from "../kernels/op.ts";
import { heldPick } from "../kernels/picks.ts";
import type { Picks } from "../kernels/picks.ts";
import { show, sizeOf } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";

/** Memory that a call needs, with its name for errors. */
interface Need {
  readonly meta: Meta;
  readonly label: string;
}

/** A call, planned. */
export interface Planned {
  /** The op's outputs and saves. */
  readonly outputs: readonly Need[];
  readonly temps: readonly Need[];
  /** None where every output is empty, or the input's memory under another shape. */
  readonly passes: readonly Pass[];
}

/**
 * Plans kept of each op, which then starts anew: models have a few dozen kinds of calls of one, steps
 * of an eigenproblem one for every column, and may only push each other out.
 */
const MOST_KEPT = 512;

const need = (label: string, meta: Meta): Need => ({ label: `${label} ${show(meta.shape)}`, meta });

/** An attribute as keys tell it apart: JSON knows neither infinities nor −0. */
function valueOf(value: unknown): string {
  if (typeof value !== "number") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

function keyOf(inputs: InputMetas, attrs: Attrs, wanted: string | undefined): string {
  let key = wanted ?? "";
  for (const input of inputs) key += input ? ` ${input.dtype}[${input.shape.join()}]` : " –";
  for (const name in attrs) key += ` ${name}=${valueOf(attrs[name])}`;
  return key;
}

/** Plans calls under the limits and picks of one engine. */
export class Plans {
  private readonly caps: Caps;
  private readonly picks: Picks;
  private readonly known = new Map<OpDef, Map<string, Planned>>();

  /** @param picks - variants over the default ones. */
  constructor(caps: Caps, picks: Picks) {
    this.caps = caps;
    this.picks = picks;
  }

  /**
   * The plan of a call, made once for the same shapes, dtypes and attributes.
   * @throws ShapeError as the op's rule says.
   */
  of(op: OpDef, inputs: InputMetas, attrs: Attrs, wanted?: string): Planned {
    const plans = this.known.get(op) ?? new Map<string, Planned>();
    const key = keyOf(inputs, attrs, wanted);
    const known = plans.get(key);
    if (known) return known;
    const planned = this.make(op, inputs, attrs, wanted);
    if (plans.size === MOST_KEPT) plans.clear();
    this.known.set(op, plans.set(key, planned));
    return planned;
  }

  private make(op: OpDef, inputs: InputMetas, attrs: Attrs, wanted?: string): Planned {
    const { caps, picks } = this;
    const metas = inferMetas(op, inputs, attrs);
    const names = [...op.outputs, ...(op.saves ?? [])];
    const outputs = metas.map((meta, index) => need(`${op.name} ${names[index] ?? ""}`, meta));
    const isEmpty = metas.length > 0 && metas.every(({ shape }) => sizeOf(shape) === 0);
    if (op.alias || isEmpty) return { outputs, temps: [], passes: [] };
    const asked = wanted ?? heldPick(picks, op, { inputs, attrs, caps });
    const variant = pickVariant(op, inputs, attrs, caps, asked);
    const plan = op.variants[variant]?.plan(inputs, attrs, caps);
    if (!plan) throw new TypeError(`${op.name} has no variant ${variant}`);
    const temps = plan.temps.map((meta) => need(`${op.name} temp`, meta));
    return { outputs, temps, passes: plan.passes };
  }
}
