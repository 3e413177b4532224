/** Holds all engines to one Vulkan driver: an engine with a Dawn of its own finds it by itself. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const MANIFESTS = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/** Environment in which the Vulkan loader has lavapipe alone; nothing for other adapters. */
export function driverEnvironment(kind: string): Readonly<Record<string, string>> {
  if (kind !== "lavapipe" || process.platform !== "linux") return {};
  const files = MANIFESTS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.startsWith("lvp_icd"))
      .map((name) => join(folder, name)),
  );
  const [file] = files;
  return file === undefined ? {} : { VK_ICD_FILENAMES: file, VK_DRIVER_FILES: file };
}

/** The Vulkan drivers in a list of mapped files, /proc/self/maps: "lvp", "radeon", "swiftshader". */
export function driversIn(maps: string): string[] {
  const found = maps.matchAll(/\/lib(?:vulkan_(\w+)|vk_(swiftshader)|(GLX_nvidia))\.so/g);
  return [...new Set([...found].map(([, mesa, swift, nvidia]) => mesa ?? swift ?? nvidia ?? ""))];
}

const KINDS: Readonly<Record<string, string>> = { lvp: "lavapipe", swiftshader: "swiftshader" };

/**
 * Which kind of adapter this process runs on, by the only driver that it has loaded.
 * @throws Error if there are several or none, or the host does not tell.
 */
export function onlyDriver(): string {
  if (process.platform !== "linux") throw new Error("which adapter it takes cannot be seen here");
  const drivers = driversIn(readFileSync("/proc/self/maps", "utf8"));
  const [driver] = drivers;
  if (driver === undefined || drivers.length > 1)
    throw new Error(
      `which adapter it takes cannot be seen (drivers loaded: ${drivers.join(", ") || "none"}): set VK_DRIVER_FILES to one driver's file`,
    );
  return KINDS[driver] ?? "gpu";
}
