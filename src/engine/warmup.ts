/** Has the driver finish pipelines before they are needed. */
import { GPU_BUFFER_USAGE } from "./pool.ts";
import type { Command, PassCommand } from "./profile.ts";

const GRID_BYTES = 12; // three u32

/**
 * Dispatches each pipeline once, with no workgroups: software adapters make machine code at the first
 * dispatch, for half a second per large kernel, whatever its grid. The empty grid lies in a buffer,
 * where browsers and Dawn do not warn of it. Resolves when the driver is done.
 */
export async function warmUp(device: GPUDevice, commands: readonly Command[]): Promise<void> {
  const first = new Map<GPUComputePipeline, PassCommand>();
  for (const command of commands)
    if (command.kind === "pass" && !first.has(command.pipeline))
      first.set(command.pipeline, command);
  const emptyGrid = device.createBuffer({
    label: "empty grid",
    size: GRID_BYTES, // zeros, as every new buffer
    usage: GPU_BUFFER_USAGE.INDIRECT,
  });
  const encoder = device.createCommandEncoder({ label: "warm-up" });
  const pass = encoder.beginComputePass({ label: "warm-up" });
  for (const { pipeline, bindGroup, offsets } of first.values()) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup, offsets);
    pass.dispatchWorkgroupsIndirect(emptyGrid, 0);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  emptyGrid.destroy();
}
