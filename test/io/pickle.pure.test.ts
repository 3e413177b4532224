/** Pickled files are recognised by content or name and never read. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostArray, openArrays, openFeatures, storeArrays } from "../../src/io/index.ts";
import { isPickle, pickleError } from "../../src/io/pickle.ts";
import { zipDirectory, zipLocalHeader, type ZipEntry } from "../../src/io/zip-write.ts";
import { FormatError } from "../../src/util/errors.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "neco-pickle-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// A dictionary with the key "features" under protocols 2 and 4, and the start of an old torch.save.
const PICKLES = {
  "protocol 2": "80027d7100580800000066656174757265737101",
  "protocol 4": "8004951b000000000000007d948c08666561747572657394",
  "old torch": "80028a0a6cfc9c46f9206aa850192e8002",
};
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

describe("pickled files", () => {
  test.each(Object.entries(PICKLES))("%s by its first bytes", async (_, hex) => {
    const path = join(folder, "saved.bin");
    await writeFile(path, bytesOf(hex));
    await expect(openFeatures(path)).rejects.toThrow(FormatError);
    await expect(openFeatures(path)).rejects.toThrow(/saved\.bin: is a pickled file, .*run any/);
  });

  test.each(["a.pkl", "b.pickle", "c.pt", "d.PTH"])("%s by its name", async (name) => {
    const path = join(folder, name);
    await writeFile(path, "(dp0\n."); // protocol 0 has no magic
    await expect(openArrays(path)).rejects.toThrow(/is a pickled file/);
  });

  test("torch.save's archive by its member", async () => {
    const member: ZipEntry = { name: "archive/data.pkl", size: 0, crc: 0, headerOffset: 0 };
    const head = zipLocalHeader(member);
    const path = join(folder, "weights.npz");
    await writeFile(path, Buffer.concat([head, zipDirectory([member], head.length)]));
    await expect(openArrays(path)).rejects.toThrow(
      /weights\.npz: is a pickled file.*\n.*torch\n.*torch\.load.*\n.*"weights-arrays\.npz"/,
    );
  });

  test("three lines convert it: torch's or pickle's", () => {
    expect(pickleError("runs/train.pt").message).toMatch(
      /torch\.load\("runs\/train\.pt".*\n.*np\.savez\("train\.npz", features=/,
    );
    expect(pickleError("train.pkl").message).toContain(
      'pickle.load(open("train.pkl", "rb"))\n  np.savez("train.npz"',
    );
  });

  test("a safetensors file whose header length begins like a pickle is read", async () => {
    const path = join(folder, "long.safetensors");
    const metadata = { note: "" };
    const x = { x: hostArray(Float32Array.of(1)) };
    await storeArrays(path, x, metadata);
    const short = (await readFile(path)).readUInt8(0);
    await storeArrays(path, x, { note: "n".repeat(0x0280 - short) });
    const bytes = new Uint8Array(await readFile(path));
    expect([...bytes.subarray(0, 2)]).toEqual([0x80, 0x02]);
    expect(isPickle(bytes.subarray(0, 9))).toBe(false);
    expect((await openArrays(path)).names).toEqual(["x"]);
  });
});

describe("float64 beyond f32", () => {
  test("is named with its place, and NaN stays NaN", async () => {
    const path = join(folder, "wide.npz");
    const values = Float64Array.from([0, 1, 2, 3, 1e300, Number.NaN]);
    await storeArrays(path, { features: hostArray(values, [3, 2]) });
    const file = await openFeatures(path);
    await expect(file.features(0, 3)).rejects.toThrow(
      /wide\.npz: "features" holds 1e\+300 in row 2, column 0, beyond 3\.4e38/,
    );
    await expect(file.features(2, 1)).rejects.toThrow(/row 2, column 0/);
    expect([...(await file.features(0, 2))]).toEqual([0, 1, 2, 3]);
    await file.close();
  });
  test("infinities of the file itself are left to the check of values", async () => {
    const path = join(folder, "inf.npz");
    const values = Float64Array.from([Infinity, Number.NaN]);
    await storeArrays(path, { features: hostArray(values, [1, 2]) });
    const file = await openFeatures(path);
    expect([...(await file.features(0, 1))]).toEqual([Infinity, Number.NaN]);
    await file.close();
  });
  test("of a CSV is named by its line", async () => {
    const path = join(folder, "wide.csv");
    await writeFile(path, ",ct0,label\n0,1e300,0.0\n");
    const file = await openFeatures(path);
    await expect(file.features(0, 1)).rejects.toThrow(/line 2 holds 1e\+300, beyond 3\.4e38/);
    await file.close();
  });
});
