/** The page itself: trains to a falling loss, pauses, resumes, judges a digit, without an error. */
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseSafetensors } from "../../src/io/index.ts";
import { buildWeb } from "../../tools/build-web.ts";
import { openPage } from "./browser.ts";
import type { OpenPage } from "./browser.ts";

const QUERY = "?autostart=1&model=vit-nano-28&steps=30&batch=32&measured=96&limit=96&every=15";
const WAIT = { timeout: 240_000, polling: 200 };

let open: OpenPage;
beforeAll(async () => {
  open = await openPage(buildWeb, QUERY);
});
afterAll(() => open.close());

const stateIs = async (page: Page, state: string): Promise<void> => {
  await page.waitForFunction(
    (wanted) => [wanted, "failed"].includes(document.documentElement.dataset["state"] ?? ""),
    state,
    WAIT,
  );
  expect(await page.textContent("#problem")).toBe("");
};

/** Heights of a line's points above the chart's foot. */
const heights = async (page: Page, line: string): Promise<number[]> => {
  const points = (await page.getAttribute(line, "points")) ?? "";
  return points.split(" ").map((point) => -Number(point.split(",")[1]));
};

it("trains, pauses, resumes and judges", async () => {
  const { page, errors } = open;
  await page.waitForFunction(
    () => (document.querySelector("progress")?.value ?? 0) > 0.3,
    null,
    WAIT,
  );
  await page.click("#pause");
  await stateIs(page, "paused");
  await page.click("#pause"); // now Resume
  await stateIs(page, "done");
  const loss = await heights(page, "#loss polyline.line-train");
  expect(loss.length).toBeGreaterThanOrEqual(3);
  expect(loss.at(-1)).toBeLessThan(loss[0] ?? 0);
  expect((await heights(page, "#collapse polyline")).length).toBeGreaterThanOrEqual(3);
  await page.click("#try-held-out");
  await page.waitForSelector("#verdict strong", WAIT);
  expect(await page.textContent("#verdict")).toMatch(/NECO score .* threshold/);
  expect(await page.textContent("#credit")).toContain("CC BY-SA 3.0");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.click("#save-detector"),
  ]);
  const detector = await parseSafetensors(readFileSync(await download.path()));
  expect(detector.metadata["schema"]).toBe("neco-webgpu/detector@1");
  const picture = join(mkdtempSync(join(tmpdir(), "neco-screenshot-")), "page.png");
  await page.screenshot({ path: picture, fullPage: true });
  process.stdout.write(`screenshot: ${picture}\n`);
  expect(statSync(picture).size).toBeGreaterThan(20_000);
  expect(errors).toEqual([]);
});

it("says in one line what is missing without WebGPU", async () => {
  const context = await open.page.context().browser()?.newContext();
  if (!context) throw new Error("the browser is gone");
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined });
  });
  const page = await context.newPage();
  await page.goto(open.address);
  await page.waitForFunction(() => document.documentElement.dataset["state"] === "failed");
  expect(await page.textContent("#problem")).toMatch(/no WebGPU: use Chrome/);
  await context.close();
});
