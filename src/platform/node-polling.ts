/**
 * Makes Dawn's waiting in Node cheap. Its binding polls: while anything is awaited it queues one
 * native callback after another through the global setImmediate, which keeps a core busy. A software
 * adapter computes on that core: a training step on two cores took 1.7 times as long.
 */

type Tick = () => void;

/** Shares of the time waited so far that a pause may take: what it can add to the wait. */
const PAUSE_SHARE = 0.1;
/** Pauses up to this long block the thread; timers are no finer, and would round them up. */
const LONGEST_BLOCK_MS = 1;
/** No pause before this: short waits end within a few polls. */
const BUSY_MS = 0.05;

const never = new Int32Array(new SharedArrayBuffer(4));
const native = /^function \(\) \{ \[native code\] \}$/;

let eased = false;

/**
 * From now on the binding's polls pause in between, the longer the longer the wait lasts (a tenth
 * of it, 1 ms at most); every other user of setImmediate sees no difference. Once per thread.
 */
export function easePolling(): void {
  if (eased) return;
  eased = true;
  const { setImmediate } = globalThis;
  let waitingSince = 0;
  let polling = false;
  const poll = (tick: Tick): void => {
    polling = true;
    try {
      tick();
    } finally {
      polling = false;
    }
  };
  const paced = (tick: Tick): NodeJS.Immediate | NodeJS.Timeout => {
    const now = performance.now();
    if (!polling) waitingSince = now; // called by a request, not by the poll before
    const waited = now - waitingSince;
    const pause = waited < BUSY_MS ? 0 : waited * PAUSE_SHARE;
    if (pause > LONGEST_BLOCK_MS) return setTimeout(poll, LONGEST_BLOCK_MS, tick);
    if (pause > 0) Atomics.wait(never, 0, 0, pause);
    return setImmediate(poll, tick);
  };
  const easy = ((callback: Tick, ...args: unknown[]) =>
    args.length === 0 && callback.name === "" && native.test(String(callback))
      ? paced(callback)
      : setImmediate(callback, ...(args as []))) as typeof setImmediate;
  globalThis.setImmediate = Object.assign(easy, setImmediate);
}
