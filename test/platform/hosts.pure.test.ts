/** The two hosts offer the same functions, and adapters are told apart by what they say. */
import { describe, expect, test } from "vitest";
import * as browser from "../../src/platform/browser.ts";
import { adapterKind, describeAdapter } from "../../src/platform/host.ts";
import type { Platform } from "../../src/platform/host.ts";
import * as node from "../../src/platform/node.ts";
import { DataError, UsageError } from "../../src/util/errors.ts";

// The compiler checks the types here, the test that neither host has more.
const hosts: readonly Platform[] = [node, browser];

test("node and browser export the same names", () => {
  const [inNode, inBrowser] = hosts.map((platform) => Object.keys(platform).sort());
  expect(inNode).toEqual(inBrowser);
});

describe("browser", () => {
  test("says what a page cannot do", async () => {
    await expect(browser.writeAtomic("x.json", "")).rejects.toThrow("not available in a browser");
    await expect(browser.appendLine("x.json", "")).rejects.toThrow(DataError);
    await expect(browser.listFolder("x")).rejects.toThrow(DataError);
    await expect(browser.makeFolder("x")).rejects.toThrow(DataError);
    expect(() => browser.cacheFolder()).toThrow(DataError);
  });

  test("gzip streams are those of Node", async () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 7);
    expect(await browser.gunzip(await node.gzip(bytes))).toEqual(bytes);
    expect(await node.gunzip(await browser.gzip(bytes))).toEqual(bytes);
    await expect(browser.gunzip(Uint8Array.of(1, 2, 3))).rejects.toThrow(DataError);
  });
});

const info = (fields: Partial<GPUAdapterInfo>): GPUAdapterInfo => ({
  __brand: "GPUAdapterInfo",
  vendor: "",
  architecture: "",
  device: "",
  description: "",
  subgroupMinSize: 4,
  subgroupMaxSize: 4,
  isFallbackAdapter: false,
  ...fields,
});

describe("adapterKind", () => {
  test.each([
    ["lavapipe", { vendor: "mesa", description: "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)" }],
    ["swiftshader", { vendor: "google", architecture: "swiftshader" }],
    ["software", { vendor: "microsoft", description: "Microsoft Basic Render Driver" }],
    ["software", { vendor: "acme", isFallbackAdapter: true }],
    ["gpu", { vendor: "nvidia", architecture: "hopper", description: "NVIDIA H200" }],
  ] as const)("%s", (kind, fields) => {
    expect(adapterKind(info(fields))).toBe(kind);
    expect(describeAdapter(info(fields)).includes("(software)")).toBe(kind !== "gpu");
  });
});

test("an unknown adapter name is a usage error", async () => {
  await expect(node.openGpu({ adapter: "voodoo" })).rejects.toThrow(UsageError);
});
