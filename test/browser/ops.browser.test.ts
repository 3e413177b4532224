/** The op table in a browser: the same checks as in Node, on the smaller samples. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { opEntries } from "../../src/kernels/index.ts";
import { openTestPage } from "./browser.ts";
import type { OpenPage } from "./browser.ts";

let open: OpenPage;
let checks = 0;
let left = 0;
beforeAll(async () => {
  open = await openTestPage();
});
afterAll(async () => {
  const adapter = await open.page.evaluate(() => testPage.adapter());
  process.stdout.write(
    `in the page, on ${adapter}: ${checks} checks, ${left} larger samples left out\n`,
  );
  await open.close();
});

for (const [name] of opEntries())
  it(name, async () => {
    const result = await open.page.evaluate((op) => testPage.checkOp(op), name);
    checks += result.checks;
    left += result.left;
    expect(result.failures).toEqual([]);
    expect(result.checks).toBeGreaterThan(0);
    expect(open.errors).toEqual([]);
  });
