/**
 * Lets Dawn use the SwiftShader that tools/setup.mjs unpacked: a CPU driver for machines with
 * neither a Vulkan driver nor root. In process, nothing is installed system-wide.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const FOLDER = "swiftshader-147.0.0"; // the version of the package that ships it
const LOADER = "libvulkan.so.1";
const DRIVER = "vk_swiftshader_icd.json";
const RTLD_NOW = 2;
const RTLD_NODELETE = 0x1000; // without it Node unloads the library at once

/** The user's cache folder; NECO_CACHE and XDG_CACHE_HOME move it. Not created here. */
export function cacheFolder(): string {
  const { NECO_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (NECO_CACHE) return NECO_CACHE;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "neco-webgpu");
  if (process.platform === "win32" && LOCALAPPDATA) return join(LOCALAPPDATA, "neco-webgpu");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "neco-webgpu");
  return join(homedir(), ".cache", "neco-webgpu");
}

/** Where the unpacked SwiftShader lives, present or not. */
export const swiftshaderFolder = (): string => join(cacheFolder(), FOLDER);

/** Whether SwiftShader is unpacked and made for this machine. */
export const hasSwiftshader = (): boolean =>
  process.platform === "linux" &&
  process.arch === "x64" &&
  existsSync(join(swiftshaderFolder(), DRIVER)) &&
  existsSync(join(swiftshaderFolder(), LOADER));

/**
 * Whether the system has a Vulkan loader, and so perhaps a driver. Asking first spares people
 * Dawn's warnings on machines without one.
 */
export function hasVulkanLoader(): boolean {
  if (process.platform !== "linux") return true;
  try {
    process.dlopen({ exports: {} }, LOADER);
    return true;
  } catch (error) {
    // What is found fails later: it is a plain library, not an addon.
    return !String(error).includes("cannot open shared object file");
  }
}

/**
 * Points this process's Vulkan loader at SwiftShader; call before Dawn's next `create()`. Brings
 * its own loader where the system has none. Does not work from a worker thread, whose environment
 * is a copy.
 */
export function useSwiftshader(): void {
  const driver = join(swiftshaderFolder(), DRIVER);
  process.env["VK_ICD_FILENAMES"] = driver;
  process.env["VK_DRIVER_FILES"] = driver; // newer loaders prefer this name
  try {
    process.dlopen({ exports: {} }, join(swiftshaderFolder(), LOADER), RTLD_NOW | RTLD_NODELETE);
  } catch {
    // Always throws: a plain library does not register itself as an addon, but it stays loaded.
  }
}
