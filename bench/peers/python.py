"""PyTorch on the CPU or CUDA, and NumPy: answers the bench's requests (protocol.ts) as child.ts does."""

import json
import math
import os
import socket
import sys
import time

import numpy as np

torch = None  # NumPy's rows do not need it
device = "cpu"  # of PyTorch

EPSILON = 1e-5  # graph.ts
LEARNING_RATE = 0.01  # bench/workloads.ts
COMPARED_LOSSES = 3


def load(files):
    """Every input as an array."""
    kinds = {"f32": np.float32, "i32": np.int32}
    return {
        name: np.fromfile(f["file"], kinds[f["dtype"]]).reshape(f["shape"])
        for name, f in files.items()
    }


def tensor(array):
    return torch.from_numpy(array).to(device)


def finish():
    """Waits for the GPU: CUDA's calls return before their work is done."""
    if device == "cuda":
        torch.cuda.synchronize()


class Op:
    """A function of the inputs without state."""

    def __init__(self, inputs, function):
        self.inputs = {name: tensor(array) for name, array in inputs.items()}
        self.function = function

    def run(self):
        with torch.inference_mode():
            return self.function(self.inputs)

    def result(self):
        return {"y": self.run().cpu().numpy()}


def attention(q, k, v):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores, -1) @ v


def linear(x, inputs, name):
    return torch.addmm(
        inputs[name + ".bias"], x.reshape(-1, x.shape[-1]), inputs[name + ".weight"]
    ).reshape(*x.shape[:-1], -1)


def norm(x, inputs, name):
    weight, bias = inputs[name + ".weight"], inputs[name + ".bias"]
    return torch.nn.functional.layer_norm(x, x.shape[-1:], weight, bias, EPSILON)


def logits(inputs, config):
    """As logits in graph.ts: the last block goes on with the class token alone."""
    gelu = torch.nn.functional.gelu
    patches = linear(inputs["patches"], inputs, "patch_embed.proj")  # [N, T-1, D]
    batch, dim, heads = patches.shape[0], config["dim"], config["heads"]
    x = torch.cat([inputs["cls_token"].expand(batch, 1, dim), patches], 1) + inputs["pos_embed"]
    for layer in range(config["depth"]):
        at = f"blocks.{layer}"
        qkv = linear(norm(x, inputs, at + ".norm1"), inputs, at + ".attn.qkv")  # [N, T, 3D]
        q, k, v = qkv.reshape(batch, -1, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
        if layer == config["depth"] - 1:
            q, x = q[:, :, :1], x[:, :1]
        attended = attention(q, k, v).transpose(1, 2).reshape(batch, -1, dim)
        x = x + linear(attended, inputs, at + ".attn.proj")
        hidden = gelu(linear(norm(x, inputs, at + ".norm2"), inputs, at + ".mlp.fc1"))
        x = x + linear(hidden, inputs, at + ".mlp.fc2")
    return linear(norm(x.reshape(batch, dim), inputs, "norm"), inputs, "head")


class Training:
    """Plain SGD on the work's batch."""

    def __init__(self, inputs, config):
        self.inputs = {name: tensor(array) for name, array in inputs.items()}
        self.labels = self.inputs.pop("labels").long()
        weights = [name for name in self.inputs if name != "patches"]
        for name in weights:
            self.inputs[name].requires_grad_()
        self.optimizer = torch.optim.SGD([self.inputs[name] for name in weights], LEARNING_RATE)
        self.config = config
        self.losses = []

    def run(self):
        self.optimizer.zero_grad()
        found = logits(self.inputs, self.config)
        loss = torch.nn.functional.cross_entropy(found, self.labels)
        loss.backward()
        self.optimizer.step()
        if len(self.losses) < COMPARED_LOSSES:
            self.losses.append(loss.item())

    def result(self):
        while len(self.losses) < COMPARED_LOSSES:
            self.run()
        return {"losses": np.array(self.losses, np.float32)}


RANK, OVERSAMPLE, POWER_ITERATIONS = 20, 10, 4  # decompositions.ts


def randomised(linalg, a):
    """Halko et al. as src/linalg has it: a QR after every product."""
    start = np.random.default_rng(0).standard_normal((a.shape[1], RANK + OVERSAMPLE))
    q, _ = linalg.qr(a @ (start.astype(np.float32) if linalg is np.linalg else like(a, start)))
    for _ in range(POWER_ITERATIONS):
        p, _ = linalg.qr(a.T @ q)
        q, _ = linalg.qr(a @ p)
    u, values, vt = svd(linalg, q.T @ a)
    return (q @ u)[:, :RANK], values[:RANK], vt[:RANK]


def like(a, array):
    """A NumPy array as a tensor of a's kind."""
    return torch.from_numpy(array).to(a)


def svd(linalg, a):
    return linalg.svd(a, full_matrices=False)


def principal(linalg, a):
    """From the covariance, as src/linalg does it: values and directions."""
    x = a - a.mean(0)
    return linalg.eigh(x.T @ x / (a.shape[0] - 1))


METHODS = {
    "eigh": (("values", "vectors"), lambda linalg, a: linalg.eigh(a)),
    "svd": (("u", "values", "vt"), svd),
    "qr": (("q", "r"), lambda linalg, a: linalg.qr(a)),
    "cholesky": (("l",), lambda linalg, a: (linalg.cholesky(a),)),
    "lstsq": (("x",), lambda linalg, a, b: linalg.lstsq(a, b, rcond=None)[:1]),
    "pinvh": (("x",), lambda linalg, a: (linalg.pinv(a, hermitian=True),)),
    "randomised": (("u", "values", "vt"), randomised),
    "pca": (("values", "v"), principal),
}


def on_host(part):
    return np.asarray(part.cpu() if torch is not None else part)


class Decomposition:
    """A decomposition by LAPACK or cuSOLVER; linalg is NumPy's module or PyTorch's."""

    def __init__(self, linalg, inputs, what):
        self.linalg = linalg
        self.inputs = inputs
        self.names, self.method = METHODS[what]

    def run(self):
        return self.method(self.linalg, *self.inputs)

    def result(self):
        found = {name: on_host(part) for name, part in zip(self.names, self.run())}
        if "vt" in found:
            found["v"] = found.pop("vt").T
        return {name: np.ascontiguousarray(part) for name, part in found.items()}


def prepare(engine, work, inputs):
    kind = work["kind"]
    if kind in ("eigh", "decompose"):
        arrays = [inputs[name] for name in ("a", "b") if name in inputs]
        linalg = np.linalg
        if torch is not None:
            arrays, linalg = [tensor(array) for array in arrays], torch.linalg
        return Decomposition(linalg, arrays, work.get("what", kind))
    if kind == "train":
        return Training(inputs, work["config"])
    if kind == "vit":
        inputs.pop("labels")
    functions = {
        "matmul": lambda t: t["a"] @ t["b"],
        "attention": lambda t: attention(t["q"], t["k"], t["v"]),
        "softmax": lambda t: torch.softmax(t["x"], -1),
        "layernorm": lambda t: torch.nn.functional.layer_norm(
            t["x"], t["x"].shape[-1:], t["weight"], t["bias"], EPSILON
        ),
        "gelu": lambda t: torch.nn.functional.gelu(t["x"]),
        "vit": lambda t: logits(t, work["config"]),
    }
    return Op(inputs, functions[kind])


class Answers:
    def __init__(self, engine):
        self.engine = engine
        self.prepared = None

    def available(self, _):
        if self.engine == "numpy":
            return {"version": f"numpy {np.__version__} (solves in float64)", "adapter": None}
        if device == "cuda":
            name = torch.cuda.get_device_name()
            return {"version": f"torch {torch.__version__}, CUDA on {name}", "adapter": None}
        torch.set_num_threads(os.cpu_count())
        return {"version": f"torch {torch.__version__}", "adapter": None}

    def prepare(self, request):
        self.prepared = prepare(self.engine, request["work"], load(request["inputs"]))

    def run(self, request):
        finish()
        start = time.perf_counter()
        for _ in range(request["repeats"]):
            self.prepared.run()
        finish()
        return {"ms": (time.perf_counter() - start) * 1000 / request["repeats"]}

    def result(self, request):
        outputs = self.prepared.result()
        for name, values in outputs.items():
            values.astype(np.float32).tofile(os.path.join(request["folder"], name + ".f32"))
        return {"names": list(outputs)}


def main():
    global device, torch
    engine = sys.argv[1]
    if engine.startswith("pytorch"):
        import torch as found

        torch = found
    if engine == "pytorch-cuda":
        device = "cuda"
    answers = Answers(engine)
    channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
    for line in channel.makefile("r", encoding="utf-8"):  # a line is a message
        request = json.loads(line)
        try:
            answer = {"ok": getattr(answers, request["do"])(request)}
        except Exception as error:  # noqa: BLE001 - the bench prints it
            answer = {"error": f"{type(error).__name__}: {error}"}
        channel.sendall((json.dumps({"id": request["id"], **answer}) + "\n").encode())


main()
