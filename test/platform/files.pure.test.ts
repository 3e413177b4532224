/** Files in Node: nothing half-written, errors that name the path, reads anywhere. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import * as node from "../../src/platform/node.ts";
import { DataError } from "../../src/util/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "neco-platform-"));
const path = (name: string): string => join(folder, name);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("writeAtomic", () => {
  test("writes text and bytes, makes folders, replaces the old file", async () => {
    await node.writeAtomic(path("a/b/text.txt"), "old");
    await node.writeAtomic(path("a/b/text.txt"), "néw");
    expect(readFileSync(path("a/b/text.txt"), "utf8")).toBe("néw");
    await node.writeAtomic(path("a/b/bytes.bin"), Uint8Array.of(0, 1, 255));
    expect([...(await node.readBytes(path("a/b/bytes.bin")))]).toEqual([0, 1, 255]);
    expect(readdirSync(path("a/b"))).toEqual(["bytes.bin", "text.txt"]);
  });

  test("leaves the old file and nothing else when it cannot finish", async () => {
    await node.makeFolder(path("target/inside")); // a folder in the way: the rename fails
    await expect(node.writeAtomic(path("target"), "x")).rejects.toThrow(DataError);
    await expect(node.writeAtomic(path("target"), "x")).rejects.toThrow(path("target"));
    expect(readdirSync(folder).filter((name) => name.includes("tmp"))).toEqual([]);
    expect(readdirSync(path("target"))).toEqual(["inside"]);
  });

  test.runIf(process.platform === "linux")("ends where no folder can be made", async () => {
    await expect(node.writeAtomic("/proc/none/deep/x.json", "x")).rejects.toThrow(
      "cannot write /proc/none/deep/x.json: no folder can be made in /proc",
    );
    await expect(node.makeFolder("/proc/none/deep")).rejects.toThrow(DataError);
  });

  test("makes one folder for many at once", async () => {
    const wanted = Array.from({ length: 8 }, () => path("many/deep/er"));
    await Promise.all(wanted.map((each) => node.makeFolder(each)));
    expect(readdirSync(path("many/deep"))).toEqual(["er"]);
  });

  test("names an unwritable folder", async () => {
    writeFileSync(path("file"), "");
    await expect(node.writeAtomic(path("file/x.json"), "x")).rejects.toThrow(
      `cannot write ${path("file/x.json")}`,
    );
    await expect(node.makeFolder(path("file/x"))).rejects.toThrow("cannot write");
  });

  test.skipIf(process.getuid?.() === 0)("says so when permission is missing", async () => {
    await node.makeFolder(path("locked"));
    chmodSync(path("locked"), 0o500);
    await expect(node.writeAtomic(path("locked/x"), "x")).rejects.toThrow("permission denied");
  });

  test("a folder is no file to read or write", async () => {
    await node.makeFolder(path("folder.npz"));
    for (const open of [node.openRange, node.readBytes])
      await expect(open(path("folder.npz"))).rejects.toThrow(
        new DataError(`cannot read ${path("folder.npz")}: it is a folder, a file was wanted`),
      );
  });

  test("two writers at once leave one whole file", async () => {
    const texts = ["a".repeat(1e6), "b".repeat(1e6)];
    await Promise.all(texts.map((text) => node.writeAtomic(path("race.txt"), text)));
    expect(texts).toContain(readFileSync(path("race.txt"), "utf8"));
  });
});

describe("openRange", () => {
  test("reads anywhere, several at once", async () => {
    writeFileSync(
      path("range.bin"),
      Uint8Array.from({ length: 100 }, (_, i) => i),
    );
    const file = await node.openRange(path("range.bin"));
    expect(file.size).toBe(100);
    const parts = await Promise.all([file.read(90, 10), file.read(0, 3), file.read(50, 0)]);
    expect(parts.map((part) => [...part])).toEqual([
      [90, 91, 92, 93, 94, 95, 96, 97, 98, 99],
      [0, 1, 2],
      [],
    ]);
    await expect(file.read(95, 6)).rejects.toThrow("ends at 100");
    await file.close();
  });

  test("names a missing file", async () => {
    await expect(node.openRange(path("nowhere.bin"))).rejects.toThrow(
      `cannot read ${path("nowhere.bin")}: it does not exist; check the path`,
    );
    await expect(node.readBytes(path("nowhere.bin"))).rejects.toThrow(DataError);
    await expect(node.listFolder(path("nowhere"))).rejects.toThrow(DataError);
  });
});

test("appendLine adds lines, exists and listFolder tell", async () => {
  await node.appendLine(path("log.jsonl"), "1");
  await node.appendLine(path("log.jsonl"), "2");
  expect(readFileSync(path("log.jsonl"), "utf8")).toBe("1\n2\n");
  expect(await node.exists(path("log.jsonl"))).toBe(true);
  expect(await node.exists(path("log.json"))).toBe(false);
  expect(await node.listFolder(folder)).toContain("log.jsonl");
});

describe("bytes", () => {
  test("gzip and gunzip are inverse, broken gzip is named", async () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * i) % 251);
    const packed = await node.gzip(bytes);
    expect(await node.gunzip(packed)).toEqual(bytes);
    await expect(node.gunzip(packed.subarray(0, 100))).rejects.toThrow(DataError);
  });

  test("sha256 of abc (FIPS 180-4's example)", async () => {
    expect(await node.sha256(new TextEncoder().encode("abc"))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  test("an image decodes to straight sRGB bytes; what is none is named", async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"><rect width="3" height="2" fill="rgb(10,20,30)"/></svg>`;
    const image = await node.decodeImage(new TextEncoder().encode(svg));
    expect([image.width, image.height, image.rgba.length]).toEqual([3, 2, 24]);
    expect([...image.rgba.subarray(0, 4)]).toEqual([10, 20, 30, 255]);
    await expect(node.decodeImage(Uint8Array.of(1, 2, 3))).rejects.toThrow("no image");
  });
});

test("cacheFolder follows NECO_CACHE, then XDG_CACHE_HOME", () => {
  const { NECO_CACHE, XDG_CACHE_HOME } = process.env;
  try {
    process.env["NECO_CACHE"] = "/one";
    process.env["XDG_CACHE_HOME"] = "/two";
    expect(node.cacheFolder()).toBe("/one");
    delete process.env["NECO_CACHE"];
    expect(node.cacheFolder()).toBe(join("/two", "neco-webgpu"));
  } finally {
    for (const [name, value] of Object.entries({ NECO_CACHE, XDG_CACHE_HOME })) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
});
