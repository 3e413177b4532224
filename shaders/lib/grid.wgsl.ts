/** Finds an invocation's place in a grid that was folded past the limit of one dimension. */

/** `flat_workgroup(wid, groups)`: the workgroup's number in a folded grid. */
export const flatWorkgroup = `fn flat_workgroup(wid: vec3u, groups: vec3u) -> u32 {
  return wid.y * groups.x + wid.x;
}
`;
