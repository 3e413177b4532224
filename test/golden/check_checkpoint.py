#!/usr/bin/python3
"""Loads a run's checkpoint into a short PyTorch ViT and compares features and logits with those
that `neco extract` wrote: the proof that a checkpoint is a plain timm state dict.

  neco extract --run RUN --dataset NAME --split test --out test.npz
  /usr/bin/python3 test/golden/check_checkpoint.py CHECKPOINT.safetensors test.npz IDX_IMAGES ...
"""
import argparse
import gzip
import json
import struct

import numpy as np
import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("checkpoint")
parser.add_argument("features", help="npz with features, logits and labels, as neco extract writes")
parser.add_argument("images", help="idx3-ubyte(.gz) that holds the images, in any order")
parser.add_argument("labels", help="idx1-ubyte(.gz) beside it")
parser.add_argument("--mean", type=float, default=0.1307)
parser.add_argument("--std", type=float, default=0.3081)
parser.add_argument("--classes", default="0,1,2,3,5,6,7,8", help="original labels, in order")
args = parser.parse_args()


def safetensors(path):
    data = open(path, "rb").read()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + n])
    meta = header.pop("__metadata__", {})
    out = {}
    for name, entry in header.items():
        a, b = entry["data_offsets"]
        values = np.frombuffer(data[8 + n + a : 8 + n + b], "<f4").reshape(entry["shape"])
        out[name] = torch.tensor(values.copy())
    return out, meta


def idx(path):
    raw = gzip.open(path).read() if path.endswith(".gz") else open(path, "rb").read()
    rank = raw[3]
    shape = struct.unpack(">" + "I" * rank, raw[4 : 4 + 4 * rank])
    return np.frombuffer(raw[4 + 4 * rank :], np.uint8).reshape(shape)


w, meta = safetensors(args.checkpoint)
c = json.loads(meta["model"])
D, P, H = c["dim"], c["patch"], c["heads"]


def vit(x):  # [N, 1, S, S]
    x = F.conv2d(x, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=P)
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([w["cls_token"].expand(len(x), -1, -1), x], 1) + w["pos_embed"]

    def ln(x, n):
        return F.layer_norm(x, (D,), w[n + ".weight"], w[n + ".bias"], c["epsilon"])

    def lin(x, n):
        return F.linear(x, w[n + ".weight"], w[n + ".bias"])

    for i in range(c["depth"]):
        b = f"blocks.{i}."
        n, t, _ = x.shape
        q, k, v = lin(ln(x, b + "norm1"), b + "attn.qkv").reshape(n, t, 3, H, D // H).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(-1, -2) / (D // H) ** 0.5, -1) @ v
        x = x + lin(a.transpose(1, 2).reshape(n, t, D), b + "attn.proj")
        x = x + lin(F.gelu(lin(ln(x, b + "norm2"), b + "mlp.fc1")), b + "mlp.fc2")
    h = ln(x, "norm")[:, 0]
    return h, lin(h, "head")


given = np.load(args.features)
images, labels = idx(args.images), idx(args.labels)
classes = [int(k) for k in args.classes.split(",")]
# mnist-10k's split: per class in file order 80 % train, 5 % validation, 15 % test; `neco extract`
# writes the split in the data set's order, so images are matched by their features.
keep = np.isin(labels, classes)
with torch.no_grad():
    x = torch.tensor((images[keep] / 255 - args.mean) / args.std, dtype=torch.float32)[:, None]
    h, z = vit(x)
h, z = h.numpy(), z.numpy()
f, g = given["features"], given["logits"]
scale_f, scale_z = np.abs(h).max(), np.abs(z).max()
worst_f = worst_z = wrong = 0
for row in range(len(f)):
    nearest = np.argmin(((h - f[row]) ** 2).sum(1))
    worst_f = max(worst_f, np.abs(h[nearest] - f[row]).max() / scale_f)
    worst_z = max(worst_z, np.abs(z[nearest] - g[row]).max() / scale_z)
    wrong += int(z[nearest].argmax() != g[row].argmax())
    wrong += int(classes[given["labels"][row]] != labels[keep][nearest])
print(f"{len(f)} images: features differ by {worst_f:.2e}, logits by {worst_z:.2e} of the largest;")
print(f"{wrong} predictions or labels differ")
raise SystemExit(0 if worst_f <= 1e-4 and worst_z <= 1e-4 and wrong == 0 else 1)
