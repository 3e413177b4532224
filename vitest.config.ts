/** Tests in three groups by what they need: nothing, a WebGPU adapter in Node, a browser. */
import { defineConfig } from "vitest/config";

const MINUTES = 60_000; // ms
// Guards against hangs, not claims of speed: on SwiftShader, beside other work, training a tiny
// model in a hook took more than two minutes.
const PATIENCE = 10 * MINUTES;
// `npm run test:quick` leaves out what takes long: X.slow.*.test.ts, and what tests skip by it.
const slow = process.env["NECO_TEST_QUICK"] ? ["test/**/*.slow.*.test.ts"] : [];

export default defineConfig({
  test: {
    // An adapter's first dispatch of a large kernel compiles for seconds on a software adapter.
    projects: [
      {
        test: {
          name: "pure",
          include: ["test/**/*.pure.test.ts"],
          exclude: slow,
          testTimeout: MINUTES,
        },
      },
      {
        test: {
          name: "gpu",
          include: ["test/**/*.gpu.test.ts"],
          exclude: slow,
          pool: "forks",
          maxWorkers: 2, // kernels compile on one core: two files at once took 27 s instead of 40
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/**/*.browser.test.ts"],
          pool: "forks",
          maxWorkers: 1,
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
        },
      },
    ],
  },
});
