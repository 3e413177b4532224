/** The README's library example runs as it stands there and prints what it says. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

it("fits y = 2x + 1", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(example).toContain('from "neco-webgpu"');
  // From standard input in the project's folder, so that the package's own name resolves.
  const { code } = transformSync(example, { loader: "ts", target: "es2022" });
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module"],
    { cwd: ROOT, input: code, encoding: "utf8", timeout: 150_000 },
  );
  expect(status, stderr).toBe(0); // also: it ends by itself
  const [slope, offset] = stdout.trim().split(" ").map(Number);
  expect(slope).toBeCloseTo(2, 1);
  expect(offset).toBeCloseTo(1, 1);
});
