/** Writes loops out: register tiles need it where a driver's compiler does not unroll. */

/**
 * The lines for 0 … count − 1, one below the other. For whole statements whose indices must be
 * constants: SwiftShader keeps an array that a loop indexes in memory, eight times as slow.
 */
export const unroll = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");
