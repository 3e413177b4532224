/** Block sizes that kernels and the algorithms above them share. */

/** Largest side of a triangle that one workgroup factors or substitutes with: its lanes. */
export const TRIANGULAR_BLOCK = 64;

/** Columns of a tridiagonalisation that one workgroup finishes: fewer are not worth dispatches each. */
export const HOUSEHOLDER_TAIL = 128;

/** Rows whose products one workgroup diagonalises in a block Jacobi: two blocks of half as many. */
export const JACOBI_SIDE = 32;
