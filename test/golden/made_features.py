"""Features that test/neco/made.ts makes too, bit by bit: integers, and float64 sums in one order.

Only +, −, ·, / of float64 elementwise, rounded to f32 at the end: no dot product, no function that
two libraries could round apart. made-regimes.json has the regimes.
"""

import json
import pathlib

import numpy as np

REGIMES = json.loads((pathlib.Path(__file__).parent / "made-regimes.json").read_text())
SPLITS = ("train", "test", "near", "far")
PEERS = 2  # models that an ensemble has beside the regime's own
U32 = np.uint64(0xFFFFFFFF)


def mix(x):
    """A 32-bit bijection (lowbias32), on uint64 arrays that hold 32 bits."""
    x = np.asarray(x, np.uint64) & U32
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x7FEB352D)) & U32
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x846CA68B)) & U32
    return x ^ (x >> np.uint64(16))


def bell(seed, stream, count):
    """Sums of four 16-bit uniforms, centred: multiples of 2⁻¹⁶ in (−2, 2), deviation 0.577."""
    index = np.arange(count, dtype=np.uint64)
    key = mix(np.uint64(1000 * seed + stream))
    a = mix(mix(np.uint64(2) * index) + key)
    b = mix(mix(np.uint64(2) * index + np.uint64(1)) + key)
    low, half = np.uint64(0xFFFF), np.uint64(16)
    total = (a & low) + (a >> half) + (b & low) + (b >> half)
    return (total.astype(np.float64) - 131070) / 65536


def checksum(arrays):
    """Of the bits of f32 arrays, one after the other."""
    bits = np.concatenate([a.astype(np.float32).ravel() for a in arrays]).view(np.uint32)
    index = np.arange(len(bits), dtype=np.uint64)
    return int(mix(bits.astype(np.uint64) ^ mix(index)).sum() & U32)


def column_scales(r):
    """1/2 per step of `scales` columns."""
    column = np.arange(r["dim"])
    if "scales" not in r:
        return np.ones(r["dim"])
    return 1 / (1 << (column // r["scales"])).astype(np.float64)


def noise(r, stream, count):
    d = r["dim"]
    base = bell(r["seed"], stream, count * d).reshape(count, d)
    x = base + r["couple"] * np.roll(base, -1, axis=1)
    if "tails" in r:
        x = x / (r["tails"] + np.abs(bell(r["seed"], stream + 10, count * d).reshape(count, d)))
    return (r["noise"] / (1 + r["decay"] * np.arange(d))) * x


def duplicated(r, x, stream):
    """Columns beyond `columns` repeat the earlier ones; rows of odd index the one before them."""
    seed, (n, d) = r["seed"], x.shape
    if "columns" in r:
        part = bell(seed, stream + 20, n * d).reshape(n, d)
        source = x[:, np.arange(d) % r["columns"]]
        x = np.where(np.arange(d) < r["columns"], x, source + r["columnPart"] * part)
    if "rowPart" in r:
        odd = np.arange(n) % 2 == 1
        part = bell(seed, stream + 30, n * d).reshape(n, d)
        before = np.maximum(np.arange(n) - 1, 0)
        x = np.where(odd[:, None], x[before] + r["rowPart"] * part, x)
    return x


def make(name):
    """({split: (features f32, labels i32)}, W f32, b f32 or None) of a regime."""
    r = REGIMES[name]
    seed, d, c = r["seed"], r["dim"], r["classes"]
    means = r["means"] * bell(seed, 1, c * d).reshape(c, d)
    offset = r["offset"] * bell(seed, 2, d)
    weight = r["head"] * (means + 0.5 * bell(seed, 3, c * d).reshape(c, d))
    if "balance" in r:  # rows add up to `balance` times the last one
        total = np.zeros(d)
        for row in weight[:-1]:
            total = total + row
        weight[-1] = r["balance"] * weight[-1] - total
    bias = bell(seed, 4, c).astype(np.float32) if r["bias"] else None
    centres = 0.5 * bell(seed, 5, 4 * d).reshape(4, d)
    scale = column_scales(r)
    sets = {}
    for stream, split in enumerate(SPLITS, 6):
        n = r["sizes"][stream - 6]
        row = np.arange(n) // (2 if "rowPart" in r else 1)
        e = noise(r, stream, n)
        if split in ("train", "test"):
            often = c - r.get("singles", 0)
            y = np.where(row < c, row, row % often) if split == "train" else row % c
            x = (means[y] + offset) + e
        elif split == "near":
            y = row % min(3, c)
            x = (0.5 * (means[y] + means[(y + 1) % c]) + offset) + 1.5 * e
        else:
            y = row % 4
            x = (centres[y] + offset) + r["outside"] * bell(seed, stream, n * d).reshape(n, d)
        x = duplicated(r, x * scale, stream).astype(np.float32)
        sets[split] = (x, y.astype(np.int32))
    return sets, (weight / scale).astype(np.float32), bias


def peers(name, head):
    """Further models of a regime, heads near the regime's own (W, b): functions of rows f32 to logits f32.

    Sums go column by column, since a dot product may round apart in two languages.
    """
    r = REGIMES[name]
    weight, bias = head

    def model(index):
        apart = bell(r["seed"], 40 + 2 * index, weight.size).reshape(weight.shape)
        w = (weight + 0.5 * r["head"] * apart / column_scales(r)).astype(np.float32)
        b = bell(r["seed"], 41 + 2 * index, len(w)) if r["bias"] else np.zeros(len(w))

        def logits(x):
            total = np.tile(b, (len(x), 1))
            for column, own in zip(x.T.astype(np.float64), w.T.astype(np.float64)):
                total = total + column[:, None] * own
            return total.astype(np.float32)

        return logits

    return [model(index) for index in range(PEERS)]
