/** Turns what was thrown into an exit code and one clear line. */
import { CommanderError } from "commander";
import { NecoError, type ErrorKind } from "../util/errors.ts";

/** Exit codes of the contract. */
export const EXIT = { done: 0, fixable: 1, usage: 2, internal: 3, interrupted: 130 } as const;

/** One of the documented exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const CODES: Readonly<Record<ErrorKind, ExitCode>> = {
  shape: EXIT.fixable,
  limit: EXIT.fixable,
  data: EXIT.fixable,
  format: EXIT.fixable,
  adapter: EXIT.fixable,
  "device-lost": EXIT.fixable,
  "out-of-memory": EXIT.fixable,
  numeric: EXIT.fixable,
  "no-convergence": EXIT.fixable,
  usage: EXIT.usage,
  interrupted: EXIT.interrupted,
  compile: EXIT.internal,
  disposed: EXIT.internal,
  capture: EXIT.internal,
};

const REPORT =
  'This is a defect of neco-webgpu: please report it as README.md says under "Reporting a defect", with the lines above and the output of `neco doctor`.';

/** A script of ours ended badly and has said why. */
export class ChildFailure extends Error {
  readonly code: ExitCode;
  constructor(code: ExitCode) {
    super(`a script ended with ${code}`);
    this.code = code;
  }
}

/** What the process ends with. */
export interface Ending {
  readonly code: ExitCode;
  /** For standard error; empty where all has been said. */
  readonly message: string;
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

/** The exit code and message for anything that was thrown. */
export function endingOf(error: unknown): Ending {
  if (error instanceof CommanderError)
    // Commander has written its message already; help and version are no failures.
    return { code: error.exitCode === 0 ? EXIT.done : EXIT.usage, message: "" };
  if (error instanceof ChildFailure) return { code: error.code, message: "" };
  if (isAbort(error)) return { code: EXIT.interrupted, message: "neco: interrupted" };
  if (error instanceof NecoError) {
    const code = CODES[error.kind];
    const message = `neco: ${error.message}`;
    return { code, message: code === EXIT.internal ? `${message}\n${REPORT}` : message };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: EXIT.internal, message: `neco: internal error: ${text}\n${REPORT}` };
}
