"""Float64 eigenvalues of f32 matrices, and scikit-learn's PCA, for test/linalg.

The matrices are defined by formulas that test/linalg/matrices.ts repeats, so that only their spectra
are stored. Run: python3 test/golden/make_linalg_goldens.py
"""

import json
import pathlib

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

MASK = 0xFFFFFFFF


def mulberry32(seed):
    """The generator of test/ops/samples.ts."""
    state = seed & MASK
    while True:
        state = (state + 0x6D2B79F5) & MASK
        mixed = ((state ^ (state >> 15)) * (state | 1)) & MASK
        mixed ^= (mixed + (((mixed ^ (mixed >> 7)) * (mixed | 61)) & MASK)) & MASK
        yield ((mixed ^ (mixed >> 14)) & MASK) / 2**32


def uniform(count, seed):
    draw = mulberry32(seed)
    return np.array([next(draw) * 2 - 1 for _ in range(count)])


def symmetric(size, seed):
    values = uniform(size * size, seed).reshape(size, size)
    return np.tril(values) + np.tril(values, -1).T


def gram(size, rank, seed):
    """Integer factors: exact in f32."""
    factor = np.floor(uniform(size * rank, seed) * 8).reshape(size, rank)
    return factor @ factor.T


def index(size):
    return np.meshgrid(np.arange(size, dtype=float), np.arange(size, dtype=float), indexing="ij")


def toeplitz(size):
    i, j = index(size)
    return 0.5 ** np.abs(i - j)


def hilbert(size):
    i, j = index(size)
    return 1 / (i + j + 1)


def graded(size):
    i, j = index(size)
    return gram(size, 2 * size, 5) * 0.5 ** (np.floor(i / 4) + np.floor(j / 4))


def wilkinson(size):
    return np.diag(np.abs(np.arange(size) - (size - 1) / 2)) + np.eye(size, k=1) + np.eye(size, k=-1)


def paired(size):
    """Zeros beside a matrix and its negative: eigenvalues in pairs of opposite sign."""
    half = symmetric(size // 2, 6)
    return np.block([[np.zeros_like(half), half], [half, np.zeros_like(half)]])


MATRICES = {
    **{f"symmetric {n}": symmetric(n, 1) for n in (1, 2, 3, 7, 32, 33, 64, 65, 97, 200)},
    "gram 50 full": gram(50, 100, 2),
    "gram 100 rank 7": gram(100, 7, 3),
    "toeplitz 96": toeplitz(96),
    "hilbert 40": hilbert(40),
    "graded 72": graded(72),
    "wilkinson 65": wilkinson(65),
    "paired 80": paired(80),
    "clustered 80": np.eye(80) + symmetric(80, 4) * 2.0**-14,
    "ones 70": np.ones((70, 70)),
    "identity 50": np.eye(50),
    "zero 20": np.zeros((20, 20)),
    "tiny 40": symmetric(40, 7) * 2.0**-100,
    "huge 40": symmetric(40, 7) * 2.0**100,
}


def pca_case(standardize):
    rows, dim = 60, 6
    x = uniform(rows * dim, 11).reshape(rows, dim) * 2.0 ** np.arange(dim) + 10 * np.arange(dim)
    x = x.astype(np.float32).astype(np.float64)
    scaled = StandardScaler().fit_transform(x) if standardize else x
    fit = PCA().fit(scaled)
    return {
        "variance": fit.explained_variance_.tolist(),
        "ratio": fit.explained_variance_ratio_.tolist(),
        "components": fit.components_.tolist(),
    }


goldens = {
    "eigenvalues": {
        name: np.linalg.eigvalsh(matrix.astype(np.float32).astype(np.float64))[::-1].tolist()
        for name, matrix in MATRICES.items()
    },
    "pca": {"plain": pca_case(False), "standardized": pca_case(True)},
}
path = pathlib.Path(__file__).with_name("linalg.json")
path.write_text(json.dumps(goldens) + "\n")
