/** An adapter opens, and the one that is wanted, or the error says how to get it. */
import { afterEach, expect, test, vi } from "vitest";
import { openGpu } from "#platform";
import { AdapterError } from "../../src/util/errors.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("auto opens an adapter that makes a device", async () => {
  const { adapter, description, kind } = await openGpu({ adapter: "auto" });
  expect(description).not.toBe("");
  expect(description.includes("(software)")).toBe(kind !== "gpu");
  const device = await adapter.requestDevice();
  expect(device.limits.maxComputeInvocationsPerWorkgroup).toBeGreaterThanOrEqual(256);
  device.destroy();
});

test("NECO_UNSAFE_GPU=1 opens the same adapter, with no fewer features", async () => {
  const usual = await openGpu({ adapter: "auto" });
  vi.stubEnv("NECO_UNSAFE_GPU", "1");
  const unsafe = await openGpu({ adapter: "auto" });
  expect(unsafe.description).toBe(usual.description);
  expect([...unsafe.adapter.features]).toEqual(expect.arrayContaining([...usual.adapter.features]));
});

test.each(["gpu", "lavapipe"])("%s opens, or says how to get it", async (wanted) => {
  const outcome = await openGpu({ adapter: wanted }).catch((error: unknown) => error);
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(AdapterError);
    expect(outcome.message).toMatch(/install/);
  } else expect(outcome).toMatchObject({ kind: wanted });
});
