/** Fetching, without a network: what is refused, and how programs that fail are reported. */
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { checkFashion, FASHION_HASHES, fetchDataset } from "../../src/cli/data-fetch.ts";
import { runTool } from "../../src/cli/run-tool.ts";
import { describeDatasets } from "../../src/data/registry.ts";
import { DataError, UsageError } from "../../src/util/errors.ts";

const quiet = { log: () => undefined };

test("names that cannot be fetched are refused with those that can", async () => {
  await expect(fetchDataset("imagenet", quiet)).rejects.toThrow(UsageError);
  const able = describeDatasets().flatMap(({ name, canFetch }) => (canFetch ? [name] : []));
  await expect(fetchDataset("imagenet", quiet)).rejects.toThrow(`what can is ${able.join(", ")}.`);
});

describe("Fashion-MNIST's files are checked", () => {
  const names = Object.keys(FASHION_HASHES).map((name) => `${name}.gz`);
  test.each<[string, Map<string, Uint8Array>, RegExp]>([
    ["missing", new Map(), /train-images-idx3-ubyte\.gz is missing/],
    ["no gzip", new Map(names.map((name) => [name, new Uint8Array(9)])), /no gzip file/],
    ["other bytes", new Map(names.map((name) => [name, gzipSync("x")])), /has SHA-256 2d711642b7/],
  ])("%s", (_name, files, message) => {
    expect(() => {
      checkFashion(files);
    }).toThrow(message);
  });
});

describe("programs of the system", () => {
  const run = (command: string, words: string[], timeoutMs = 20_000) =>
    runTool(command, words, { cwd: tmpdir(), timeoutMs });
  test("absent, failing, too slow, fine", async () => {
    await expect(run("no-such-program-here", [])).rejects.toThrow(/: not installed/);
    const fail = "console.error('first'); console.error('why'); process.exit(3)";
    await expect(run(process.execPath, ["-e", fail])).rejects.toThrow(/-e: why$/);
    await expect(run(process.execPath, ["-e", "process.exit(3)"])).rejects.toThrow(DataError);
    await expect(run(process.execPath, ["-e", "setTimeout(() => {}, 9e4)"], 300)).rejects.toThrow(
      /ended by SIGTERM/,
    );
    await expect(run(process.execPath, ["-e", ""])).resolves.toBeUndefined();
  });
});
