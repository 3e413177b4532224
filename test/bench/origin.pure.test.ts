/** Where figures come from: the commit of a checkout, and nothing for a folder that is none. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  CHANGED,
  commitOf,
  cpuText,
  originLine,
  originNow,
  processorName,
} from "../../bench/origin.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-origin-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const git = (...words: string[]): void => {
  const as = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
  execFileSync("git", ["-C", folder, ...as, ...words], { stdio: "ignore" });
};

test("a commit is its hash whatever tag it has, and says whether tracked files differ", () => {
  expect(commitOf(folder)).toBeNull();
  git("init");
  writeFileSync(join(folder, "tracked"), "a");
  git("add", "tracked");
  git("commit", "-m", "one");
  git("tag", "-a", "-m", "v1", "v1");
  writeFileSync(join(folder, "new.json"), "{}"); // a run's own output changes no code
  const clean = commitOf(folder);
  expect(clean).toMatch(/^[0-9a-f]{7,}$/);
  writeFileSync(join(folder, "tracked"), "b");
  expect(commitOf(folder)).toBe(`${clean ?? ""}${CHANGED}`);
});

test("a folder inside another project's checkout has no commit of its own", () => {
  const inside = join(folder, "node_modules");
  mkdirSync(inside);
  expect(commitOf(inside)).toBeNull();
});

test("this host has a processor, and what is not known is told", () => {
  expect(cpuText(originNow())).toMatch(/^\d+ × ./);
  expect(originLine({})).toBe("CPU: not known; commit: not known");
});

test("processors of one name are told apart where Linux does", () => {
  const info =
    "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n";
  expect(processorName("AMD EPYC ", info)).toBe("AMD EPYC (family 25, model 17)");
  expect(processorName("Apple M2", "")).toBe("Apple M2");
});
