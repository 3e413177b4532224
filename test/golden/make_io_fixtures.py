"""Writes test/fixtures/io: small arrays as numpy and safetensors' own layout store them.

Run: python3 test/golden/make_io_fixtures.py
"""
import json
import struct
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent.parent / "fixtures" / "io"
HERE.mkdir(parents=True, exist_ok=True)
rows, dim, classes = 5, 3, 2
# Values that f16 holds exactly, so that every width must give the same.
features = np.arange(rows * dim, dtype=np.float64).reshape(rows, dim) / 4 - 1
labels = np.array([0, 1, 1, 0, 1], dtype=np.int64)
weight = np.array([[1, 0, -1], [0.5, 0.25, 0]], dtype=np.float32)
bias = np.array([0.5, -0.5], dtype=np.float32)
logits = (features @ weight.T + bias).astype(np.float32)

np.save(HERE / "f4.npy", features.astype("<f4"))
np.save(HERE / "f8-fortran.npy", np.asfortranarray(features))
np.save(HERE / "f2.npy", features.astype("<f2"))
np.save(HERE / "f4-big-endian.npy", features.astype(">f4"))
np.save(HERE / "i8-labels.npy", labels)
np.save(HERE / "object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
np.save(HERE / "complex.npy", features.astype(np.complex64))
np.save(HERE / "scalar.npy", np.float32(2.5))
with open(HERE / "version-3.npy", "wb") as file:
    np.lib.format.write_array(file, features.astype("<f4"), version=(3, 0))
np.savez(
    HERE / "stored.npz",
    features=features.astype("<f2"),
    labels=labels,
    logits=logits,
    W=weight,
    b=bias,
)
np.savez_compressed(
    HERE / "deflated-fortran.npz",
    features=np.asfortranarray(features),
    labels=labels.astype(np.uint8),
    **{"fc.weight": weight.astype(np.float64), "fc.bias": bias},
)
np.savez(HERE / "nan.npz", features=np.where(features == 0, np.nan, features))
np.savez(HERE / "float-labels.npz", features=features, labels=labels.astype(np.float32))
np.savez(HERE / "half-labels.npz", features=features, labels=labels + 0.5)
np.savez(HERE / "short-labels.npz", features=features, labels=labels[:3])
with zipfile.ZipFile(HERE / "lzma.npz", "w", compression=zipfile.ZIP_LZMA) as archive:
    archive.write(HERE / "f4.npy", "features.npy")

tensors = {
    "head.weight": ("F32", weight),
    "head.bias": ("F16", bias.astype("<f2")),
    "features": ("F64", features),
    "labels": ("I64", labels),
}
header, data = {"__metadata__": {"format": "pt"}}, b""
for name, (dtype, array) in tensors.items():
    raw = array.tobytes()
    header[name] = {
        "dtype": dtype,
        "shape": list(array.shape),
        "data_offsets": [len(data), len(data) + len(raw)],
    }
    data += raw
text = json.dumps(header).encode()
(HERE / "numpy.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
