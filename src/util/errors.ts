/** The typed errors of the project: each names the thing, the rule it broke and the way out. */

/** What went wrong, as a closed set; decides the exit code of the CLI. */
export type ErrorKind =
  | "shape"
  | "limit"
  | "compile"
  | "disposed"
  | "capture"
  | "data"
  | "format"
  | "usage"
  | "adapter"
  | "device-lost"
  | "out-of-memory"
  | "numeric"
  | "no-convergence"
  | "interrupted";

/** Base of all errors that this project throws on purpose. */
export class NecoError extends Error {
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.name = new.target.name;
  }
}

/** Shapes or axes that an op does not take: `<op>: <rule>; got a [4, 7], b [8, 3]`. */
export class ShapeError extends NecoError {
  constructor(op: string, rule: string, shapes: Readonly<Record<string, readonly number[]>> = {}) {
    const got = Object.entries(shapes).map(([name, shape]) => `${name} [${shape.join(", ")}]`);
    super("shape", got.length > 0 ? `${op}: ${rule}; got ${got.join(", ")}` : `${op}: ${rule}`);
  }
}

/** A size beyond what the adapter offers. */
export class LimitError extends NecoError {
  constructor(message: string) {
    super("limit", message);
  }
}

/** A shader that the adapter's compiler refused; the message holds line and source. */
export class CompileError extends NecoError {
  constructor(message: string) {
    super("compile", message);
  }
}

/** Use of a tensor whose memory was given back. */
export class DisposedError extends NecoError {
  constructor(message: string) {
    super("disposed", message);
  }
}

/** Something that a program cannot record, such as reading a value during capture. */
export class CaptureError extends NecoError {
  constructor(message: string) {
    super("capture", message);
  }
}

/** Missing or unusable data: absent file, label out of range, NaN features. */
export class DataError extends NecoError {
  constructor(message: string, options?: ErrorOptions) {
    super("data", message, options);
  }
}

/** A file that breaks its format's rules. */
export class FormatError extends NecoError {
  constructor(file: string, rule: string, options?: ErrorOptions) {
    super("format", `${file}: ${rule}`, options);
  }
}

/** A command line or option that makes no sense (exit code 2). */
export class UsageError extends NecoError {
  constructor(message: string) {
    super("usage", message);
  }
}

/** No adapter, or one that cannot run the engine. */
export class AdapterError extends NecoError {
  constructor(message: string) {
    super("adapter", message);
  }
}

/** The device went away during the run. */
export class DeviceLostError extends NecoError {
  constructor(reason: string) {
    super(
      "device-lost",
      `the GPU device was lost (${reason}); start again, a training run resumes with --resume`,
    );
  }
}

/** The byte budget or the adapter's memory is used up. */
export class OutOfMemoryError extends NecoError {
  constructor(message: string) {
    super("out-of-memory", message);
  }
}

/** A value that must be finite is not, such as a NaN loss. */
export class NumericError extends NecoError {
  constructor(message: string) {
    super("numeric", message);
  }
}

/** A Cholesky factorisation met a pivot that is zero or negative. */
export class NotPositiveDefiniteError extends NecoError {
  /** Row and column of the pivot. */
  readonly pivot: number;
  constructor(op: string, pivot: number) {
    super(
      "numeric",
      `${op}: a is not positive definite: pivot ${pivot} is not positive; add a multiple of the identity, or use pinvh`,
    );
    this.pivot = pivot;
  }
}

/** An iterative algorithm reached its cap. */
export class NoConvergenceError extends NecoError {
  constructor(algorithm: string, iterations: number, residual: number) {
    super(
      "no-convergence",
      `${algorithm}: no convergence after ${iterations} iterations (residual ${residual.toExponential(2)}); check the input for NaN or huge values`,
    );
  }
}

/** The user stopped the run; it can be resumed (exit code 130). */
export class InterruptedError extends NecoError {
  constructor(message: string) {
    super("interrupted", message);
  }
}
