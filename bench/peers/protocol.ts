/**
 * What the bench asks of an engine's process, as JSON over Node's IPC channel; python.py speaks it
 * too. An answer repeats the request's id.
 */
import type { Shape } from "../../src/util/shape.ts";
import type { Work } from "./works.ts";

/** Where an input lies: raw little-endian values in a file, the same file for all engines. */
export interface InputFile {
  readonly file: string;
  readonly shape: Shape;
  readonly dtype: "f32" | "i32";
  readonly weight: boolean;
}

/** A request. */
export type Request = { readonly id: number } & (
  | { readonly do: "available" }
  | {
      readonly do: "prepare";
      readonly work: Work;
      readonly inputs: Readonly<Record<string, InputFile>>;
    }
  | { readonly do: "run"; readonly repeats: number }
  /** Writes every output to `folder`/NAME.f32. */
  | { readonly do: "result"; readonly folder: string }
);

/** What the engine is, as it says itself. */
export interface Available {
  readonly version: string;
  /** The WebGPU adapter that it runs on; null for engines that use none. */
  readonly adapter: string | null;
}

/** An answer's content by request. */
export interface Replies {
  readonly available: Available;
  readonly prepare: null;
  /** ms of one run, the wait for its end included. */
  readonly run: { readonly ms: number };
  /** Names of the outputs. */
  readonly result: { readonly names: readonly string[] };
}

/** An answer. */
export type Reply =
  | { readonly id: number; readonly ok: Replies[keyof Replies] }
  | { readonly id: number; readonly error: string };
