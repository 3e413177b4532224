/** The tar reader of the set-up: names, modes and bytes; no file outside the folder. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tarFiles, unpackTar } from "../../tools/tar.ts";

const folder = mkdtempSync(join(tmpdir(), "neco-tar-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A ustar entry written by hand. */
function entry(name: string, body: string, { type = "0", prefix = "" } = {}): Uint8Array {
  const bytes = new TextEncoder().encode(body);
  const block = new Uint8Array(512 + Math.ceil(bytes.length / 512) * 512);
  const put = (offset: number, text: string): void => {
    block.set(new TextEncoder().encode(text), offset);
  };
  put(0, name);
  put(100, "0000755\0");
  put(124, `${bytes.length.toString(8).padStart(11, "0")}\0`);
  put(156, type);
  put(345, prefix);
  block.set(bytes, 512);
  return block;
}

const archive = (...entries: Uint8Array[]): Uint8Array =>
  Uint8Array.from([...entries.flatMap((part) => [...part]), ...new Uint8Array(1024)]);

test("reads regular files and passes over folders", () => {
  const files = [
    ...tarFiles(
      archive(
        entry("a/", "", { type: "5" }),
        entry("x.txt", "hello", { prefix: "a/b" }),
        entry("y", ""),
      ),
    ),
  ];
  expect(files.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)])).toEqual([
    ["a/b/x.txt", "hello"],
    ["y", ""],
  ]);
  expect(files[0]?.mode).toBe(0o755);
});

test("names a truncated archive", () => {
  const whole = archive(entry("x", "a".repeat(2000)));
  expect(() => [...tarFiles(whole.subarray(0, 1500))]).toThrow("truncated");
});

test.each(["../evil", "../inside-evil"])("writes nothing outside the folder: %s", (name) => {
  expect(() => {
    unpackTar(archive(entry(name, "x")), join(folder, "inside"));
  }).toThrow("outside");
  expect(() => statSync(join(folder, "inside", name))).toThrow();
});

test("unpacks what tar packs", () => {
  mkdirSync(join(folder, "from/deep"), { recursive: true });
  writeFileSync(join(folder, "from/deep/run"), "#!/bin/sh\n");
  chmodSync(join(folder, "from/deep/run"), 0o755);
  writeFileSync(join(folder, "from/zeros"), new Uint8Array(100_000));
  execFileSync("tar", ["cf", join(folder, "t.tar"), "-C", join(folder, "from"), "."]);
  unpackTar(readFileSync(join(folder, "t.tar")), join(folder, "to"));
  expect(readFileSync(join(folder, "to/deep/run"), "utf8")).toBe("#!/bin/sh\n");
  expect(statSync(join(folder, "to/deep/run")).mode & 0o777).toBe(0o755);
  expect(statSync(join(folder, "to/zeros")).size).toBe(100_000);
});
