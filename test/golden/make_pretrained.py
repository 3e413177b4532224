#!/usr/bin/python3
"""A random torchvision VisionTransformer written in timm's layout (safetensors) and in Google's
(npz), with its logits and features for random images, to check the loaders against.

  /usr/bin/python3 test/golden/make_pretrained.py             small fixture: test/fixtures/vit
  /usr/bin/python3 test/golden/make_pretrained.py --full DIR  vit_b_16 at 224 pixels into DIR
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
from torchvision.models.vision_transformer import VisionTransformer

full = sys.argv[1] == "--full" if len(sys.argv) > 1 else False
out = Path(sys.argv[2] if full else "test/fixtures/vit")
out.mkdir(parents=True, exist_ok=True)
S = dict(image_size=224, patch_size=16, num_layers=12, num_heads=12, hidden_dim=768, mlp_dim=3072, num_classes=1000)
if not full:
    S = dict(image_size=24, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=5)
torch.manual_seed(3)
model = VisionTransformer(**S).eval()
with torch.no_grad():  # torchvision's head starts at zero: give every parameter something to show
    for p in model.parameters():
        if p.abs().max() == 0 or p.ndim == 1:
            p.add_(torch.randn_like(p) * 0.05)
D, H = S["hidden_dim"], S["num_heads"]
sd = {k: v.detach() for k, v in model.state_dict().items()}

timm = {
    "cls_token": sd["class_token"],
    "pos_embed": sd["encoder.pos_embedding"],
    "patch_embed.proj.weight": sd["conv_proj.weight"],
    "patch_embed.proj.bias": sd["conv_proj.bias"],
    "norm.weight": sd["encoder.ln.weight"],
    "norm.bias": sd["encoder.ln.bias"],
    "head.weight": sd["heads.head.weight"],
    "head.bias": sd["heads.head.bias"],
}
for i in range(S["num_layers"]):
    a, b = f"encoder.layers.encoder_layer_{i}.", f"blocks.{i}."
    mlp = ("mlp.linear_1", "mlp.linear_2") if a + "mlp.linear_1.weight" in sd else ("mlp.0", "mlp.3")
    for theirs, ours in [("ln_1", "norm1"), ("ln_2", "norm2"), ("self_attention.out_proj", "attn.proj"), (mlp[0], "mlp.fc1"), (mlp[1], "mlp.fc2")]:
        for part in ("weight", "bias"):
            timm[b + ours + "." + part] = sd[a + theirs + "." + part]
    timm[b + "attn.qkv.weight"] = sd[a + "self_attention.in_proj_weight"]
    timm[b + "attn.qkv.bias"] = sd[a + "self_attention.in_proj_bias"]

header, body = {}, []
offset = 0
for name, value in sorted(timm.items()):
    data = value.contiguous().numpy().astype("<f4").tobytes()
    header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + len(data)]}
    offset += len(data)
    body.append(data)
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(out / "timm.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text)
    for data in body:
        f.write(data)

g = {
    "cls": timm["cls_token"],
    "embedding/kernel": timm["patch_embed.proj.weight"].permute(2, 3, 1, 0),
    "embedding/bias": timm["patch_embed.proj.bias"],
    "Transformer/posembed_input/pos_embedding": timm["pos_embed"],
    "Transformer/encoder_norm/scale": timm["norm.weight"],
    "Transformer/encoder_norm/bias": timm["norm.bias"],
    "head/kernel": timm["head.weight"].T,
    "head/bias": timm["head.bias"],
}
for i in range(S["num_layers"]):
    a, b = f"blocks.{i}.", f"Transformer/encoderblock_{i}/"
    for ours, theirs in [("norm1", "LayerNorm_0"), ("norm2", "LayerNorm_2")]:
        g[b + theirs + "/scale"] = timm[a + ours + ".weight"]
        g[b + theirs + "/bias"] = timm[a + ours + ".bias"]
    for ours, theirs in [("mlp.fc1", "MlpBlock_3/Dense_0"), ("mlp.fc2", "MlpBlock_3/Dense_1")]:
        g[b + theirs + "/kernel"] = timm[a + ours + ".weight"].T
        g[b + theirs + "/bias"] = timm[a + ours + ".bias"]
    m = b + "MultiHeadDotProductAttention_1/"
    for k, role in enumerate(("query", "key", "value")):
        g[m + role + "/kernel"] = timm[a + "attn.qkv.weight"][k * D : (k + 1) * D].T.reshape(D, H, D // H)
        g[m + role + "/bias"] = timm[a + "attn.qkv.bias"][k * D : (k + 1) * D].reshape(H, D // H)
    g[m + "out/kernel"] = timm[a + "attn.proj.weight"].T.reshape(H, D // H, D)
    g[m + "out/bias"] = timm[a + "attn.proj.bias"]
np.savez(out / "google.npz", **{k: np.ascontiguousarray(v.numpy()) for k, v in g.items()})

# Images as the loaders see them: u8, normalised by (p / 255 - 0.5) / 0.5.
rng = np.random.default_rng(5)
count, side = (2, S["image_size"])
pixels = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
x = torch.tensor(pixels).permute(0, 3, 1, 2).float().div(255).sub(0.5).div(0.5)
with torch.no_grad():
    features = []
    model.encoder.ln.register_forward_hook(lambda _m, _i, o: features.append(o[:, 0]))
    logits = model(x)
np.savez(out / "expected.npz", pixels=pixels, logits=logits.numpy(), features=features[0].numpy())

# Position embeddings resized as the references do it: scipy's zoom (order 1) and torch's bicubic.
from scipy.ndimage import zoom

if not full:
    grid = timm["pos_embed"][0, 1:].reshape(3, 3, D)
    new = 5
    linear = zoom(grid.numpy(), (new / 3, new / 3, 1), order=1)
    cubic = torch.nn.functional.interpolate(grid.permute(2, 0, 1)[None], size=(new, new), mode="bicubic", align_corners=False)
    np.savez(out / "positions.npz", linear=linear, cubic=cubic[0].permute(1, 2, 0).numpy())
print(logits[:, :5])
