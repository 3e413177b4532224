/** What scores of one fitted state keep on the GPU, made once however many of them share its arrays. */
import type { Engine } from "../engine/index.ts";
import type { ScoreState } from "./score.ts";

/** A space on the GPU while a score uses it. */
export interface Taken<T> {
  readonly space: T;
  /** Gives it back, once; the last to do so frees its memory. */
  readonly release: () => void;
}

interface Held<T> {
  readonly space: T;
  users: number;
}

/** A way to take the space of a state, which `make` makes for the first who asks. */
export function sharedSpaces<T extends { dispose(): void }>(
  make: (engine: Engine, state: ScoreState) => T,
): (engine: Engine, state: ScoreState) => Taken<T> {
  const engines = new WeakMap<Engine, WeakMap<ScoreState["arrays"], Held<T>>>();
  return (engine, state) => {
    const all = engines.get(engine) ?? new WeakMap<ScoreState["arrays"], Held<T>>();
    engines.set(engine, all);
    const held = all.get(state.arrays) ?? { space: make(engine, state), users: 0 };
    all.set(state.arrays, held);
    held.users++;
    let isTaken = true;
    const release = (): void => {
      if (!isTaken) return; // the state may have a new space by now
      isTaken = false;
      if (--held.users > 0) return;
      all.delete(state.arrays);
      held.space.dispose();
    };
    return { space: held.space, release };
  };
}
