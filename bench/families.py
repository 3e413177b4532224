"""Compares what bench/families.ts found with LAPACK in float64, as a Markdown table."""

import json
import os
import sys

import numpy as np

folder = sys.argv[1]
with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
    index = json.load(file)

HEAD = ["D", "family", "Δσ/σ₁", "Δσ/σ", "SVD", "U, V", "Δλ/λ₁", "eigh", "V", "QR column", "Q", "svd ms"]
print("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD))


def skew(q):
    """Largest |QᵀQ − I|."""
    return np.abs(q.T @ q - np.eye(q.shape[1])).max()


for row in index["rows"]:
    size = row["size"]

    def read(name, dtype=np.float32, square=True, row=row, size=size):
        values = np.fromfile(os.path.join(folder, f"{row['file']}.{name}"), dtype).astype(np.float64)
        return values.reshape(size, size) if square else values

    a, s = read("a"), read("s")
    scale = np.abs(a).max() or 1.0  # squares must not overflow
    a, s = a / scale, s / scale
    values, lam = (read(name, np.float64, False) / scale for name in ("values", "lambda"))
    true = np.linalg.svd(a, compute_uv=False)
    large = true >= 1e-5 * true[0] if true[0] > 0 else np.zeros(size, bool)
    u, v, vectors, q, r = (read(name) for name in ("u", "v", "vectors", "q", "r"))
    r = r / scale
    top = true[0] or 1.0
    eigen = np.linalg.eigvalsh(s)[::-1]
    span = np.abs(eigen).max() or 1.0
    columns = np.linalg.norm(a, axis=0)
    off = np.linalg.norm(a - q @ r, axis=0) / np.where(columns > 0, columns, 1)
    figures = [
        np.abs(values - true).max() / top,
        (np.abs(values - true)[large] / true[large]).max() if large.any() else 0,
        np.linalg.norm(a - u * values @ v.T) / (np.linalg.norm(a) or 1),
        max(skew(u), skew(v)),
        np.abs(lam - eigen).max() / span,
        np.linalg.norm(s @ vectors - vectors * lam, axis=0).max() / span,
        skew(vectors),
        off.max(),
        skew(q),
    ]
    cells = [str(size), row["family"], *(f"{x:.1e}" if x else "0" for x in figures), f"{row['ms']:.0f}"]
    print("| " + " | ".join(cells) + " |")
print(f"\n{index['adapter']}; LAPACK through NumPy {np.__version__}")
