/** Files on their way to their place: gone if the process ends before they arrive. */
import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A name beside the final one, removed at the process's end unless released. */
export interface Temporary {
  readonly path: string;
  /** Call once the file has been renamed or removed. */
  readonly release: () => void;
}

/** Names a temporary file beside `path`. */
export function temporaryBeside(path: string): Temporary {
  const suffix = `${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const temporary = join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
  const remove = (): void => {
    rmSync(temporary, { force: true });
  };
  process.once("exit", remove);
  return {
    path: temporary,
    release: () => {
      process.off("exit", remove);
    },
  };
}
