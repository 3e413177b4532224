/** What people read: notes on standard error, results on standard output, a bar where there is a terminal. */
import { SingleBar } from "cli-progress";
import { writeAtomic } from "#platform";
import { jsonText } from "./json-text.ts";

/** A note for people; standard output stays free for results. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A result, on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes JSON to a file, or to standard output for "-". */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const text = jsonText(value);
  if (path === "-") process.stdout.write(text);
  else await writeAtomic(path, text);
}

/** Progress of something counted. */
export interface Progress {
  /** Where it stands, with a few words such as "loss 0.123". */
  update(done: number, words?: string, etaSeconds?: number): void;
  stop(): void;
}

const PLAIN_INTERVAL = 10_000; // ms between lines where there is no terminal

/** `92 s`, `12 min 05 s`, `3 h 20 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 100) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/**
 * Seconds left by the mean pace since the start, or since the count went back to begin a further pass;
 * null while there is no pace.
 */
function estimate(total: number, now: () => number): (done: number) => number | null {
  let [start, first, last] = [now(), 0, 0];
  return (done) => {
    if (done < last) [start, first] = [now(), done];
    last = done;
    return done > first ? ((now() - start) / 1000 / (done - first)) * (total - done) : null;
  };
}

const leftText = (seconds: number | null): string =>
  seconds === null ? "" : `${duration(seconds)} left`;

function barProgress(title: string, total: number, now: () => number): Progress {
  const leftAfter = estimate(total, now);
  const bar = new SingleBar({
    format: `${title} [{bar}] {value}/{total} {words} {left}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    clearOnComplete: false,
    stream: process.stderr,
    barsize: 24,
  });
  bar.start(total, 0, { words: "", left: "" });
  return {
    update(done, words = "", etaSeconds: number | null = leftAfter(done)) {
      bar.update(done, { words, left: leftText(etaSeconds) });
    },
    stop() {
      bar.stop();
    },
  };
}

function lineProgress(title: string, total: number, now: () => number): Progress {
  const leftAfter = estimate(total, now);
  let last = now();
  let isLong = false;
  return {
    update(done, words = "", etaSeconds: number | null = leftAfter(done)) {
      const time = now();
      // The end is worth a line only of work that was long enough for an earlier one.
      if (time - last < PLAIN_INTERVAL && !(done >= total && isLong)) return;
      isLong = true;
      last = time;
      const figures = words === "" ? "" : ` ${words}`;
      const left = etaSeconds === null ? "" : `, ${leftText(etaSeconds)}`;
      note(`${title} ${done}/${total}${figures}${left}`);
    },
    stop() {
      return undefined;
    },
  };
}

/** A bar on a terminal; a line now and then elsewhere (logs, CI). */
export function startProgress(
  title: string,
  total: number,
  {
    terminal = process.stderr.isTTY,
    now = Date.now,
  }: { terminal?: boolean; now?: () => number } = {},
): Progress {
  return terminal ? barProgress(title, total, now) : lineProgress(title, total, now);
}
