/** Shader text kept by its options, for ops that run hundreds of times in a row. */

/** The text for these options, made once. */
export function remember(known: Map<string, string>, options: object, make: () => string): string {
  const key = Object.values(options).join();
  const code = known.get(key) ?? make();
  known.set(key, code);
  return code;
}
