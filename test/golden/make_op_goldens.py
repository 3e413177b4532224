"""PyTorch's answers (CPU, float64, from f32-rounded inputs) for ops and optimizer steps.

Run by hand: python3 test/golden/make_op_goldens.py
Writes test/golden/ops.json: {name: {attribute or array: value}}, arrays as {shape, data}. Tests
never run it.
"""

import json
import pathlib

import torch
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
torch.manual_seed(20)


def draw(*shape, scale=1.0, shift=0.0):
    """Normal numbers that f32 holds exactly."""
    return (torch.randn(*shape) * scale + shift).double()


def array(tensor):
    """A tensor as JSON, with the digits that f32 has and a few more."""
    values = [float(f"{value:.10g}") for value in tensor.detach().flatten().tolist()]
    return {"shape": list(tensor.shape), "data": values}


def differentiated(function, *inputs):
    """The output, a random cotangent, and the gradients of the inputs under it."""
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    output = function(*leaves)
    cotangent = draw(*output.shape) if output.dim() else torch.ones(()).double()
    gradients = torch.autograd.grad(output, leaves, cotangent)
    return output, cotangent, gradients


def layernorm():
    x, weight, bias = draw(5, 24, scale=2, shift=0.5), draw(24), draw(24)
    y, g, (dx, dweight, dbias) = differentiated(
        lambda x, w, b: F.layer_norm(x, (24,), w, b, eps=1e-6), x, weight, bias
    )
    return dict(x=x, weight=weight, bias=bias, y=y, g=g, dx=dx, dweight=dweight, dbias=dbias)


def gelu():
    x = torch.cat([draw(40, scale=3), torch.tensor([0.0, -8.0, 8.0]).double()])
    y, g, (dx,) = differentiated(F.gelu, x)
    return dict(x=x, y=y, g=g, dx=dx)


def cross_entropy(smoothing):
    logits = draw(6, 10, scale=3)
    labels = torch.tensor([0, 9, 3, 3, 7, 1])
    y, _, (dlogits,) = differentiated(
        lambda z: F.cross_entropy(z, labels, label_smoothing=smoothing), logits
    )
    return dict(logits=logits, labels=labels, y=y, dlogits=dlogits, labelSmoothing=smoothing)


def attention():
    heads, size, tokens = 2, 8, 5
    qkv = draw(3, tokens, 3 * heads * size)

    def attend(packed):
        parts = packed.reshape(3, tokens, 3, heads, size).permute(2, 0, 3, 1, 4)
        q, k, v = parts  # [N, H, T, D/H]
        y = F.softmax(q @ k.transpose(-1, -2) / size**0.5, dim=-1) @ v
        return y.transpose(1, 2).reshape(3, tokens, heads * size)

    y, g, (dqkv,) = differentiated(attend, qkv)
    return dict(qkv=qkv, y=y, g=g, dqkv=dqkv, heads=heads)


def steps(make, max_norm):
    """Three optimizer steps on given gradients, clipped to max_norm first."""
    start, grads = draw(12), [draw(12, scale=scale) for scale in (1.0, 0.01, 3.0)]
    param = torch.nn.Parameter(start.clone())
    optimizer = make([param])
    after = []
    for grad in grads:
        param.grad = grad.clone()
        torch.nn.utils.clip_grad_norm_([param], max_norm)
        optimizer.step()
        after.append(param.detach().clone())
    return dict(param=start, grads=torch.stack(grads), after=torch.stack(after), maxNorm=max_norm)


def sgd(nesterov):
    make = lambda params: torch.optim.SGD(
        params, lr=0.03, momentum=0.9, weight_decay=0.01, nesterov=nesterov
    )
    return dict(steps(make, 1.0), learningRate=0.03, weightDecay=0.01)


def adamw():
    make = lambda params: torch.optim.AdamW(
        params, lr=0.003, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.05
    )
    return dict(steps(make, 1.0), learningRate=0.003, weightDecay=0.05)


GOLDENS = {
    "layernorm": layernorm(),
    "gelu": gelu(),
    "crossEntropy": cross_entropy(0.0),
    "crossEntropySmoothed": cross_entropy(0.1),
    "attention": attention(),
    "sgd": sgd(False),
    "sgdNesterov": sgd(True),
    "adamw": adamw(),
}
rows = {
    name: {
        key: array(value) if isinstance(value, torch.Tensor) else value
        for key, value in golden.items()
    }
    for name, golden in GOLDENS.items()
}
text = json.dumps({"torch": torch.__version__, **rows}, separators=(",", ":"))
(HERE / "ops.json").write_text(text.replace('},"', '},\n"') + "\n")
