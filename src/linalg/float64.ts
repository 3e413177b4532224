/** Element access for the float64 host loops: one array type, so that the engine keeps it fast. */

/** The element, or NaN outside: an indexing mistake shows as NaN instead of passing silently. */
export const get = (list: Float64Array, index: number): number => list[index] ?? Number.NaN;

/** Distance from 1 to the next float64. */
export const EPSILON = 2 ** -52;
