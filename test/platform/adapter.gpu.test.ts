/** An adapter opens, and the one that is wanted, or the error says how to get it. */
import { expect, test } from "vitest";
import { openGpu } from "#platform";
import { AdapterError } from "../../src/util/errors.ts";

test("auto opens an adapter that makes a device", async () => {
  const { adapter, description, kind } = await openGpu({ adapter: "auto" });
  expect(description).not.toBe("");
  expect(description.includes("(software)")).toBe(kind !== "gpu");
  const device = await adapter.requestDevice();
  expect(device.limits.maxComputeInvocationsPerWorkgroup).toBeGreaterThanOrEqual(256);
  device.destroy();
});

test.each(["gpu", "lavapipe"])("%s opens, or says how to get it", async (wanted) => {
  const outcome = await openGpu({ adapter: wanted }).catch((error: unknown) => error);
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(AdapterError);
    expect(outcome.message).toMatch(/install/);
  } else expect(outcome).toMatchObject({ kind: wanted });
});
