/** The shaders' random bits against Random123's known answers and their host twin, word by word. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { defineOp, need } from "../../src/kernels/op.ts";
import { reads, writes } from "../../src/kernels/pass.ts";
import { philox as philoxHost } from "../../src/util/philox.ts";
import type { Words } from "../../src/util/philox.ts";
import { at, meta } from "../../src/util/shape.ts";
import { philox } from "../../shaders/lib/philox.wgsl.ts";

/** One invocation = one case. x: counter [4], key [2] by case; y: words [4]. */
const shader = `${philox}
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) wid: vec3u) {
  let base = wid.x * 6u;
  let counter = vec4u(x[base], x[base + 1u], x[base + 2u], x[base + 3u]);
  let words = philox(counter, vec2u(x[base + 4u], x[base + 5u]));
  for (var k = 0u; k < 4u; k++) {
    y[wid.x * 4u + k] = words[k];
  }
}
`;

const philoxOp = defineOp({
  name: "philox",
  inputs: ["x"],
  outputs: ["y"],
  defaults: {},
  infer: (inputs) => [meta([at(need(inputs, 0).shape, 0), 4], "u32")],
  variants: {
    single: {
      usable: () => true,
      plan: (inputs) => ({
        temps: [],
        passes: [
          {
            label: "philox y",
            code: shader,
            bindings: [...reads("in0"), ...writes("out0")],
            params: [],
            grid: [at(need(inputs, 0).shape, 0), 1, 1],
          },
        ],
      }),
    },
  },
  grad: null, // integers
});

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

type Case = readonly [Words, readonly [number, number]];
const CASES: readonly Case[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
  ],
  ...Array.from({ length: 61 }, (_, k): Case => [
    [k, Math.imul(k, 0x9e3779b1) >>> 0, 2 ** 31 + k, 2 ** 32 - 1 - k],
    [Math.imul(k, 0x85ebca6b) >>> 0, 65535 + k],
  ]),
];

it("philox gives the same words on the GPU as on the host", async () => {
  await engine.scope(async () => {
    const x = engine.tensor(Uint32Array.from(CASES.flat(2)), [CASES.length, 6]);
    const [y] = engine.run(philoxOp, [x], {});
    const words = await y?.data();
    expect(Array.from(words ?? [])).toEqual(CASES.flatMap((each) => philoxHost(...each)));
    expect(Array.from(words ?? []).slice(0, 4)).toEqual([
      0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8,
    ]);
  });
});
