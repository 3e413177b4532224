/** Ctrl-C: the first asks the work to save and stop, the second ends the process at once. */
import { EXIT } from "./exit.ts";
import { note } from "./console.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs work that can stop between two steps; listeners are gone afterwards. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    note(
      "neco: stopping after this step and saving a checkpoint; press Ctrl-C again to end at once",
    );
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

/** Ends the process at Ctrl-C where nothing else answers it; files half written are removed. */
export function endAtSignals(): void {
  for (const name of SIGNALS)
    process.on(name, () => {
      if (process.listenerCount(name) > 1) return; // training, a server or a script of ours answers
      note("neco: interrupted; nothing half-written is left, start the command again");
      process.exit(EXIT.interrupted);
    });
}
