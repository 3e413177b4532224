/** Training steps in a page against the same steps in Node. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import { hasSwiftshader } from "../../src/platform/node-swiftshader.ts";
import { openTestPage } from "./browser.ts";
import type { OpenPage } from "./browser.ts";
import { threeSteps } from "./three-steps.ts";
import type { ThreeSteps } from "./three-steps.ts";

// Both on SwiftShader where Node has it, and only builds may differ; else on another driver.
const adapter = hasSwiftshader() ? "swiftshader" : "auto";
const TOLERANCE = adapter === "swiftshader" ? 1e-5 : 1e-4; // relative

let open: OpenPage;
let inNode: ThreeSteps;
beforeAll(async () => {
  open = await openTestPage();
  const engine = await createEngine({ adapter });
  inNode = await threeSteps(engine);
  engine.destroy();
}, 300_000);
afterAll(() => open.close());

it("gives Node's losses and first gradient norms", async () => {
  const inPage = await open.page.evaluate(() => testPage.threeSteps());
  const pairs = [
    ...inNode.losses.map((loss, k) => [`loss ${k + 1}`, loss, inPage.losses[k]] as const),
    ...Object.entries(inNode.norms).map(
      ([name, norm]) => [name, norm, inPage.norms[name]] as const,
    ),
  ];
  expect(Object.keys(inPage.norms)).toEqual(Object.keys(inNode.norms));
  const largest = Math.max(...Object.values(inNode.norms));
  for (const [name, node, page = Number.NaN] of pairs) {
    // The norm of a gradient that is nearly zero is rounding: judge it by the largest one.
    const scale = Math.max(Math.abs(node), 1e-3 * largest);
    expect(Math.abs(page - node), name).toBeLessThanOrEqual(TOLERANCE * scale);
  }
  const equal = pairs.filter(([, node, page]) => node === page).length;
  process.stdout.write(
    `page and Node (${adapter}): ${equal} of ${pairs.length} figures equal to the bit; losses ${inPage.losses.join(", ")}\n`,
  );
  expect(open.errors).toEqual([]);
});
