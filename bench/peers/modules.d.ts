/** The parts of the peers' APIs that the bench calls: it must compile where they are not installed. */

declare module "@tensorflow/tfjs-core" {
  export interface Tensor {
    readonly shape: number[];
    data(): Promise<Float32Array>;
    dispose(): void;
  }
  export interface Scalar extends Tensor {
    readonly rank: 0;
  }
  export type Variable = Tensor & { readonly trainable: boolean };
  export const version_core: string;
  export function setBackend(name: string): Promise<boolean>;
  export function ready(): Promise<void>;
  export function backend(): object;
  export function tidy<T>(fn: () => T): T;
  export function tensor(values: Float32Array | Int32Array, shape: readonly number[]): Tensor;
  export function variable(initial: Tensor): Variable;
  export function matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  export function add(a: Tensor, b: Tensor): Tensor;
  export function sub(a: Tensor, b: Tensor): Tensor;
  export function mul(a: Tensor, b: Tensor | number): Tensor;
  export function div(a: Tensor, b: Tensor | number): Tensor;
  export function rsqrt(x: Tensor): Tensor;
  export function erf(x: Tensor): Tensor;
  export function softmax(x: Tensor): Tensor;
  export function logSoftmax(x: Tensor): Tensor;
  export function sum(x: Tensor): Tensor;
  export function neg(x: Tensor): Scalar;
  export function moments(
    x: Tensor,
    axis: number,
    keepDims: boolean,
  ): { mean: Tensor; variance: Tensor };
  export function reshape(x: Tensor, shape: readonly number[]): Tensor;
  export function transpose(x: Tensor, order: readonly number[]): Tensor;
  export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  export function concat(parts: readonly Tensor[], axis: number): Tensor;
  export function tile(x: Tensor, counts: readonly number[]): Tensor;
  export function oneHot(labels: Tensor, depth: number): Tensor;
  export function cast(x: Tensor, dtype: "int32"): Tensor;
  export const fused: {
    matMul(options: { a: Tensor; b: Tensor; bias: Tensor }): Tensor;
  };
  export const train: {
    sgd(rate: number): { minimize(loss: () => Scalar, returnCost: true): Scalar };
  };
}

declare module "@tensorflow/tfjs" {}

declare module "@tensorflow/tfjs-backend-webgpu" {
  export interface WebGPUBackend {
    readonly device: GPUDevice;
    ensureCommandEncoderReady(): void;
    endComputePassEncoder(): void;
    submitQueue(): void;
  }
}

declare module "@jax-js/jax" {
  export interface Array {
    /** Another reference: functions use their arguments up. */
    readonly ref: Array;
    readonly shape: number[];
    data(): Promise<Float32Array>;
    dispose(): void;
    slice(...ranges: readonly (readonly [] | readonly [number, number])[]): Array;
    reshape(shape: readonly number[]): Array;
    transpose(order: readonly number[]): Array;
  }
  export type Tree = Readonly<Record<string, Array>>;
  export function init(...devices: string[]): Promise<string[]>;
  export function defaultDevice(device: string): string;
  export function blockUntilReady<T>(tree: T): Promise<T>;
  export function jit<A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R;
  export function valueAndGrad<P, A extends readonly unknown[]>(
    fn: (params: P, ...args: A) => Array,
  ): (params: P, ...args: A) => [Array, P];
  export const numpy: {
    array(values: Float32Array): Array;
    matmul(a: Array, b: Array): Array;
    swapaxes(x: Array, a: number, b: number): Array;
    add(a: Array, b: Array): Array;
    subtract(a: Array, b: Array): Array;
    multiply(a: Array, b: Array | number): Array;
    concatenate(parts: readonly Array[], axis: number): Array;
    broadcastTo(x: Array, shape: readonly number[]): Array;
    sum(x: Array): Array;
    readonly linalg: {
      svd(a: Array, options: { fullMatrices: boolean }): [Array, Array, Array];
      lstsq(a: Array, b: Array): Array;
    };
  };
  export const nn: {
    softmax(x: Array, axis: number): Array;
    logSoftmax(x: Array, axis: number): Array;
    gelu(x: Array, options: { approximate: boolean }): Array;
    standardize(x: Array, axis: number, options: { epsilon: number }): Array;
  };
  export const lax: {
    linalg: { eigh(x: Array): [Array, Array]; cholesky(x: Array): Array };
  };
}

declare module "onnxruntime-node" {
  export class Tensor {
    constructor(type: "float32", values: Float32Array, shape: readonly number[]);
    readonly data: Float32Array;
  }
  export const InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<Session>;
  };
  export interface Session {
    run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  }
}
