/** Keeps count of the tensors made inside `engine.scope`, to free those that are not returned. */
import { Tensor } from "./tensor.ts";

function collect(value: unknown, found: Set<Tensor>): void {
  if (value instanceof Tensor) found.add(value);
  else if (Array.isArray(value) || value instanceof Set)
    for (const element of value) collect(element, found);
  else if (value instanceof Map) for (const element of value.values()) collect(element, found);
  else if (isRecord(value)) for (const element of Object.values(value)) collect(element, found);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** The tensors in a value: alone, in arrays, sets, maps and plain records. */
export function tensorsIn(value: unknown): Set<Tensor> {
  const found = new Set<Tensor>();
  collect(value, found);
  return found;
}

/** Tensors of one scope. */
class Scope {
  private readonly made = new Set<Tensor>();

  /** A tensor was made inside. */
  add(tensor: Tensor): void {
    this.made.add(tensor);
  }

  /** Frees what is not in `result`; returns the survivors that were made here. */
  close(result: unknown): Tensor[] {
    const kept = tensorsIn(result);
    const survivors: Tensor[] = [];
    for (const tensor of this.made)
      if (kept.has(tensor)) survivors.push(tensor);
      else tensor.dispose();
    return survivors;
  }
}

/** The open scopes, innermost last. */
export class Scopes {
  private readonly open: Scope[] = [];

  /** A tensor belongs to the innermost scope, if there is one. */
  add(tensor: Tensor): void {
    this.open.at(-1)?.add(tensor);
  }

  /** Runs `fn` in a scope of its own; what it returns moves to the scope around. */
  run<T>(fn: () => T): T {
    const scope = new Scope();
    this.open.push(scope);
    return runAndClose(fn, (result) => {
      this.open.splice(this.open.indexOf(scope), 1);
      for (const kept of scope.close(result)) this.add(kept);
    });
  }

  /** Runs `fn` outside of all scopes. */
  detached<T>(fn: () => T): T {
    const scopes = this.open.splice(0);
    try {
      return fn();
    } finally {
      this.open.push(...scopes);
    }
  }
}

function runAndClose<T>(fn: () => T, close: (result: unknown) => void): T {
  let result: T;
  try {
    result = fn();
  } catch (error) {
    close(undefined);
    throw error;
  }
  if (!(result instanceof Promise)) {
    close(result);
    return result;
  }
  const settled = result.then(
    (value: unknown) => {
      close(value);
      return value;
    },
    (error: unknown) => {
      close(undefined);
      throw error;
    },
  );
  return settled as T; // T is a promise here; `then` keeps its value
}
