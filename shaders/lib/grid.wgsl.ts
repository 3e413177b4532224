/** Finds an invocation's place in a grid that was folded past the limit of one dimension. */

/** Options of shaders in which one invocation is one element. */
export interface ElementOptions {
  readonly workgroup: number;
}

/** `flat_workgroup(wid, groups)`: the workgroup's number in a folded grid. */
export const flatWorkgroup = `fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}
`;
