/** Writes works as ONNX models: the few fields of onnx.proto that they need, as protocol buffers. */
import { at } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import type { Inputs } from "./engine.ts";
import { EPSILON, output } from "./graph.ts";
import type { GraphOps } from "./graph.ts";
import type { Work } from "./works.ts";

type Bytes = readonly Uint8Array[]; // pieces: weights are not copied into ever larger buffers

const OPSET = 20; // the first with Gelu
const IR_VERSION = 9;
const FLOAT = 1; // TensorProto.DataType
const INT64 = 7;
const ATTRIBUTE = { float: 1, int: 2, ints: 7 }; // AttributeProto.AttributeType

const sizeOf = (bytes: Bytes): number => bytes.reduce((total, { length }) => total + length, 0);

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

const integer = (field: number, value: number): Bytes => [varint(field * 8), varint(value)];
const message = (field: number, bytes: Bytes): Bytes => [
  varint(field * 8 + 2),
  varint(sizeOf(bytes)),
  ...bytes,
];
const text = (field: number, value: string): Bytes =>
  message(field, [new TextEncoder().encode(value)]);
const raw = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

type Attribute = number | readonly number[] | { readonly float: number };

/** AttributeProto: name 1, f 2, i 3, ints 8, type 20. */
function attribute(name: string, value: Attribute): Bytes {
  if (typeof value === "number")
    return [text(1, name), integer(3, value), integer(20, ATTRIBUTE.int)].flat();
  if ("float" in value) {
    const float: Bytes = [varint(2 * 8 + 5), raw(Float32Array.of(value.float))];
    return [text(1, name), float, integer(20, ATTRIBUTE.float)].flat();
  }
  const ints = value.flatMap((entry) => integer(8, entry));
  return [text(1, name), ints, integer(20, ATTRIBUTE.ints)].flat();
}

/** ValueInfoProto: name 1, type 2 \{ tensor_type 1 \{ elem_type 1, shape 2 \{ dim 1 \} \} \}. */
function valueInfo(name: string, shape: Shape): Bytes {
  const dims = shape.flatMap((size) => message(1, integer(1, size)));
  const type = message(1, [...integer(1, FLOAT), ...message(2, dims)]);
  return [...text(1, name), ...message(2, type)];
}

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
const tensor = (name: string, shape: Shape, values: Float32Array | BigInt64Array): Bytes => [
  ...shape.flatMap((size) => integer(1, size)),
  ...integer(2, values instanceof Float32Array ? FLOAT : INT64),
  ...text(8, name),
  ...message(9, [raw(values)]),
];

/** A value of the graph: what nodes call it, and its shape. */
interface Value {
  readonly name: string;
  readonly shape: Shape;
}

/** Collects GraphProto's nodes (field 1) and initializers (field 5) while the work is traced. */
class Graph {
  readonly fields: Uint8Array[] = [];
  private count = 0;

  /** NodeProto: input 1, output 2, op_type 4, attribute 5. */
  node(
    type: string,
    inputs: readonly Value[],
    shape: Shape,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    const name = `v${this.count++}`;
    const fields = [
      ...inputs.flatMap((input) => text(1, input.name)),
      ...text(2, name),
      ...text(4, type),
      ...Object.entries(attributes).flatMap(([key, value]) => message(5, attribute(key, value))),
    ];
    this.fields.push(...message(1, fields));
    return { name, shape };
  }

  constant(shape: Shape, values: Float32Array | BigInt64Array, name = `c${this.count++}`): Value {
    this.fields.push(...message(5, tensor(name, shape, values)));
    return { name, shape };
  }

  ints(values: readonly number[]): Value {
    return this.constant([values.length], BigInt64Array.from(values.map(BigInt)));
  }
}

const last = (shape: Shape): number => at(shape, shape.length - 1);

type Moves = "reshape" | "transpose" | "slice" | "concat" | "repeat";

const moves = (graph: Graph): Pick<GraphOps<Value>, Moves> => ({
  reshape: (x, shape) => graph.node("Reshape", [x, graph.ints(shape)], shape),
  transpose: (x, order) =>
    graph.node(
      "Transpose",
      [x],
      order.map((axis) => at(x.shape, axis)),
      { perm: order },
    ),
  slice: (x, { axis, start, end }) =>
    graph.node(
      "Slice",
      [x, graph.ints([start]), graph.ints([end]), graph.ints([axis])],
      x.shape.map((size, k) => (k === axis ? end - start : size)),
    ),
  concat: (a, b, axis) =>
    graph.node(
      "Concat",
      [a, b],
      a.shape.map((size, k) => (k === axis ? size + at(b.shape, k) : size)),
      { axis },
    ),
  repeat(x, count) {
    const shape = [count, ...x.shape.slice(1)];
    return graph.node("Expand", [x, graph.ints(shape)], shape);
  },
});

function opsOf(graph: Graph): GraphOps<Value> {
  const moving = moves(graph);
  const matmul = (a: Value, b: Value): Value =>
    graph.node("MatMul", [a, b], [...a.shape.slice(0, -1), last(b.shape)]);
  return {
    ...moving,
    matmul(a, b, transposeB = false) {
      const rank = b.shape.length;
      const swapped = [...b.shape.keys()].slice(0, -2).concat(rank - 1, rank - 2);
      return matmul(a, transposeB ? moving.transpose(b, swapped) : b);
    },
    linear(x, weight, bias) {
      const product = matmul(x, weight);
      return graph.node("Add", [product, bias], product.shape);
    },
    add: (a, b) => graph.node("Add", [a, b], a.shape),
    scale: (x, factor) =>
      graph.node("Mul", [x, graph.constant([], Float32Array.of(factor))], x.shape),
    softmax: (x) => graph.node("Softmax", [x], x.shape),
    layernorm: (x, weight, bias) =>
      graph.node("LayerNormalization", [x, weight, bias], x.shape, { epsilon: { float: EPSILON } }),
    gelu: (x) => graph.node("Gelu", [x], x.shape),
  };
}

/**
 * A work as an ONNX model: weights are initializers, other inputs are fed, the output is the last
 * node's.
 */
export function onnxModel(work: Work, inputs: Inputs): { model: Uint8Array; output: string } {
  const graph = new Graph();
  const fed: Uint8Array[] = [];
  const known = new Map<string, Value>();
  const found = output(opsOf(graph), work, (name): Value => {
    const input = inputs[name];
    if (!(input?.values instanceof Float32Array)) throw new RangeError(`no input ${name}`);
    const { shape, values, weight } = input;
    const value =
      known.get(name) ?? (weight ? graph.constant(shape, values, name) : { name, shape });
    if (!weight && !known.has(name)) fed.push(...message(11, valueInfo(name, shape)));
    known.set(name, value);
    return value;
  });
  // GraphProto: node 1, name 2, initializer 5, input 11, output 12.
  const body = [
    ...graph.fields,
    ...text(2, work.name),
    ...fed,
    ...message(12, valueInfo(found.name, found.shape)),
  ];
  // ModelProto: ir_version 1, graph 7, opset_import 8 { version 2 }.
  const model = [...integer(1, IR_VERSION), ...message(7, body), ...message(8, integer(2, OPSET))];
  const bytes = new Uint8Array(sizeOf(model));
  let filled = 0;
  for (const part of model) {
    bytes.set(part, filled);
    filled += part.length;
  }
  return { model: bytes, output: found.name };
}
