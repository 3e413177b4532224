"""Writes erf.json: x, erf(x), erfc(x) and x*Phi(x) from mpmath, as doubles.

python3 test/golden/make_erf_goldens.py
"""

import json
import pathlib

import mpmath as mp

mp.mp.dps = 40
xs = [-8, -5, -3, -2.5, -1.5, -1, -0.5, -1e-3, -1e-10, 0, 1e-10, 1e-3, 0.25, 0.5, 0.75, 1,
      1.25, 1.75, 2, 2.4999, 2.5, 2.5001, 3, 4, 5, 6, 8, 10, 20, 26]
rows = [
    {
        "x": x,
        "erf": float(mp.erf(x)),
        "erfc": float(mp.erfc(x)),
        "gelu": float(mp.mpf(x) * mp.ncdf(x)),
    }
    for x in xs
]
path = pathlib.Path(__file__).with_name("erf.json")
path.write_text(json.dumps(rows, indent=1) + "\n")
