#!/usr/bin/python3
"""Golden values of the small-ViT training step: PyTorch's losses of three SGD steps and every
gradient of the first one. Writes test/golden/small-vit.json and small-vit-grads.safetensors.

Run from the project's root: /usr/bin/python3 test/golden/make_small_vit.py
"""
import json
import struct

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(2)
D, DEPTH, HEADS, MLP, CLASSES, PATCHES, P2, BATCH, LR = 64, 4, 4, 256, 10, 49, 16, 64, 0.01


def uniform(count, seed, scale):
    out = np.empty(count, np.float64)
    s = seed & 0xFFFFFFFF or 1
    for i in range(count):
        s ^= (s << 13) & 0xFFFFFFFF
        s ^= s >> 17
        s ^= (s << 5) & 0xFFFFFFFF
        out[i] = (s / 4294967296 - 0.5) * 2 * scale
    return out.astype(np.float32)


params = {}
seed = 7


def random(name, shape, scale):
    global seed
    params[name] = torch.tensor(uniform(int(np.prod(shape)), seed * 7919, scale).reshape(shape))
    seed += 1


def constant(name, shape, value):
    params[name] = torch.full(shape, float(value))


def norm(name):
    constant(f"{name}.weight", (D,), 1)
    constant(f"{name}.bias", (D,), 0)


def linear(name, i, o, scale):
    random(f"{name}.weight", (i, o), scale)
    constant(f"{name}.bias", (o,), 0)


linear("patch_embed.proj", P2, D, 0.2)
random("cls_token", (1, 1, D), 0.02)
random("pos_embed", (1, PATCHES + 1, D), 0.02)
for layer in range(DEPTH):
    at = f"blocks.{layer}"
    norm(f"{at}.norm1")
    linear(f"{at}.attn.qkv", D, 3 * D, (1 / D) ** 0.5)
    linear(f"{at}.attn.proj", D, D, (1 / D) ** 0.5)
    norm(f"{at}.norm2")
    linear(f"{at}.mlp.fc1", D, MLP, (1 / D) ** 0.5)
    linear(f"{at}.mlp.fc2", MLP, D, (1 / MLP) ** 0.5)
norm("norm")
linear("head", D, CLASSES, (1 / D) ** 0.5)

patches = torch.tensor(uniform(BATCH * PATCHES * P2, 99, 1).reshape(BATCH, PATCHES, P2))
labels = torch.tensor([(i * 7 + 3) % CLASSES for i in range(BATCH)])


def forward(p, x):
    def lin(x, name):
        return x @ p[f"{name}.weight"] + p[f"{name}.bias"]

    def ln(x, name):
        return F.layer_norm(x, (D,), p[f"{name}.weight"], p[f"{name}.bias"], eps=1e-5)

    x = lin(x, "patch_embed.proj")
    x = torch.cat([p["cls_token"].expand(BATCH, 1, D), x], 1) + p["pos_embed"]
    for layer in range(DEPTH):
        at = f"blocks.{layer}"
        qkv = lin(ln(x, f"{at}.norm1"), f"{at}.attn.qkv")
        q, k, v = qkv.reshape(BATCH, PATCHES + 1, 3, HEADS, D // HEADS).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(-1, -2) / (D // HEADS) ** 0.5, -1) @ v
        x = x + lin(a.transpose(1, 2).reshape(BATCH, PATCHES + 1, D), f"{at}.attn.proj")
        x = x + lin(F.gelu(lin(ln(x, f"{at}.norm2"), f"{at}.mlp.fc1")), f"{at}.mlp.fc2")
    return lin(ln(x, "norm")[:, 0], "head")


def train(dtype):
    p = {k: v.to(dtype).requires_grad_() for k, v in params.items()}
    losses, first = [], None
    for _ in range(3):
        loss = F.cross_entropy(forward(p, patches.to(dtype)), labels)
        grads = torch.autograd.grad(loss, list(p.values()))
        first = first or {k: g.clone() for k, g in zip(p, grads)}
        losses.append(loss.item())
        with torch.no_grad():
            for value, grad in zip(p.values(), grads):
                value -= LR * grad
    return losses, first


losses, grads = train(torch.float64)  # gradients in float64: the reference, not another f32
f32_losses, _ = train(torch.float32)
json.dump(
    {"torch": torch.__version__, "losses": losses, "losses_f32": f32_losses},
    open("test/golden/small-vit.json", "w"),
    indent=1,
)
header, body = {}, b""
for name, grad in sorted(grads.items()):
    data = grad.to(torch.float32).numpy().tobytes()
    header[name] = {
        "dtype": "F32",
        "shape": list(grad.shape),
        "data_offsets": [len(body), len(body) + len(data)],
    }
    body += data
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open("test/golden/small-vit-grads.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + body)
print(losses, f32_losses, len(body))
