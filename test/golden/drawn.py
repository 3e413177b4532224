"""What the scores draw by a seed, in Python: Philox4x32-10 (Salmon et al., 2011) and what is made of its words.

Written from the paper and from the comments of src/util/random.ts; numpy's Philox is that of 64 bits.
"""

import itertools

import numpy as np

WORD = 0xFFFFFFFF
SHUFFLE_STREAM = WORD


def philox(counter, key):
    """Four 32-bit words of a counter of four under a key of two."""
    a, b, c, d = counter
    k, l = key
    for _ in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (right >> 32) ^ b ^ k, right & WORD, (left >> 32) ^ d ^ l, left & WORD
        k, l = (k + 0x9E3779B9) & WORD, (l + 0xBB67AE85) & WORD
    return a, b, c, d


def words(seed, stream, epoch=0):
    """All words of a stream, one after the other."""
    for index in itertools.count():
        counter = (index, stream, epoch & WORD, epoch >> 32)
        yield from philox(counter, (seed & WORD, seed >> 32))


def uniforms(count, seed, stream=0):
    """In [0, 1), of 53 bits: 27 from one word and 26 from the next."""
    source = words(seed, stream)
    return np.array([((next(source) >> 5) * 2**26 + (next(source) >> 6)) / 2**53 for _ in range(count)])


def below(limit, source):
    """A whole number below the limit, each equally likely (Lemire, 2019)."""
    while True:
        product = next(source) * limit
        if product & WORD >= 2**32 % limit:
            return product >> 32


def shuffled(count, seed, epoch=0):
    """A permutation (Fisher and Yates, from the end)."""
    source, order = words(seed, SHUFFLE_STREAM, epoch), list(range(count))
    for last in range(count - 1, 0, -1):
        chosen = below(last + 1, source)
        order[last], order[chosen] = order[chosen], order[last]
    return order


# Random123's known answers for Philox4x32-10.
assert philox((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
assert philox((WORD,) * 4, (WORD, WORD)) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
