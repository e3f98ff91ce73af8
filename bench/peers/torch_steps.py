"""PyTorch's side of the training steps of `crates/nn/benches/training_steps.rs`.

`prepare FOLDER` writes initial weights and data, from which both sides start.
`run WORK FOLDER` times steps and prints one line of JSON.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

BATCHES = 8


class Mlp(nn.Module):
    """784-1024-1024-10."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(784, 1024), nn.Linear(1024, 1024), nn.Linear(1024, 10)])

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class Cnn(nn.Module):
    """Two 3x3 convolutions with pooling, one linear layer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 32, 3, padding=1)
        self.second = nn.Conv2d(32, 64, 3, padding=1)
        self.readout = nn.Linear(64 * 7 * 7, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return self.readout(x.flatten(1))


class Block(nn.Module):
    def __init__(self, features, heads, hidden, fused):
        super().__init__()
        self.attention_norm = nn.LayerNorm(features)
        self.attention = nn.ModuleDict(
            {"input": nn.Linear(features, 3 * features), "output": nn.Linear(features, features)}
        )
        self.perceptron_norm = nn.LayerNorm(features)
        self.expand = nn.Linear(features, hidden)
        self.contract = nn.Linear(hidden, features)
        self.heads, self.fused = heads, fused

    def forward(self, x):
        batch, time, features = x.shape
        packed = self.attention["input"](self.attention_norm(x))
        packed = packed.view(batch, time, 3, self.heads, features // self.heads)
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-2, -1) / (features // self.heads) ** 0.5
            hidden = torch.ones(time, time, dtype=torch.bool).triu(1)
            mixed = scores.masked_fill(hidden, float("-inf")).softmax(-1) @ v
        mixed = mixed.transpose(1, 2).reshape(batch, time, features)
        x = x + self.attention["output"](mixed)
        return x + self.contract(F.gelu(self.expand(self.perceptron_norm(x))))


class Transformer(nn.Module):
    """Four causal pre-norm blocks over 256 symbols."""

    def __init__(self, fused=True):
        super().__init__()
        self.symbols = nn.Embedding(256, 256)
        self.positions = nn.Parameter(torch.randn(128, 256) * 0.02)
        self.blocks = nn.ModuleList([Block(256, 4, 1024, fused) for _ in range(4)])
        self.norm = nn.LayerNorm(256)
        self.readout = nn.Linear(256, 256)

    def forward(self, x):
        x = self.symbols(x) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.readout(self.norm(x)).flatten(0, 1)


MODELS = {"mlp": Mlp, "cnn": Cnn, "transformer": Transformer}


def rust_name(model, name, value):
    """Linear weights are (inputs x outputs) there."""
    module = model.get_submodule(name.rpartition(".")[0])
    return value.t().contiguous() if isinstance(module, nn.Linear) and name.endswith("weight") else value


def data(work):
    torch.manual_seed(1)
    if work == "transformer":
        symbols = torch.randint(0, 256, (BATCHES, 8, 129))
        return symbols[..., :-1].contiguous(), symbols[..., 1:].reshape(BATCHES, -1).contiguous()
    inputs = torch.rand(BATCHES, *((128, 784) if work == "mlp" else (64, 1, 28, 28)))
    planted = torch.randn(784, 10)
    return inputs, (inputs.flatten(2) - 0.5).matmul(planted).argmax(-1)


def prepare(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for work, kind in MODELS.items():
        torch.manual_seed(0)
        model = kind()
        state = {name: rust_name(model, name, value) for name, value in model.state_dict().items()}
        save_file(state, folder / f"{work}-weights.safetensors")
        torch.save(model.state_dict(), folder / f"{work}.pt")
        inputs, targets = data(work)
        save_file({"inputs": inputs.float(), "targets": targets.float()}, folder / f"{work}-data.safetensors")


def run(work, folder, steps, warmup, threads, fused):
    torch.set_num_threads(threads)
    model = Transformer(fused) if work == "transformer" else MODELS[work]()
    model.load_state_dict(torch.load(folder / f"{work}.pt"))
    stored = load_file(folder / f"{work}-data.safetensors")
    inputs, targets = stored["inputs"], stored["targets"].long()
    if work == "transformer":
        inputs = inputs.long()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    times, losses = [], []
    for step in range(warmup + steps):
        if step == warmup:
            busy = time.process_time()
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[step % BATCHES]), targets[step % BATCHES])
        loss.backward()
        if work != "transformer":
            optimizer.step()
        losses.append(loss.item())
        times.append(time.perf_counter() - start)
    busy = (time.process_time() - busy) / steps
    norm = sum(float(p.grad.double().square().sum()) for p in model.parameters()) ** 0.5
    times = times[warmup:]
    return {
        "system": "torch" if fused else "torch, ordinary attention",
        "work": work,
        "median_ms": statistics.median(times) * 1e3,
        "fastest_ms": min(times) * 1e3,
        "processor_ms": busy * 1e3,
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "gradient_norm": norm,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["prepare", "run"])
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ordinary-attention", action="store_true")
    arguments = parser.parse_args()
    if arguments.command == "prepare":
        prepare(Path(arguments.rest[0]))
    else:
        work, folder = arguments.rest
        fused = not arguments.ordinary_attention
        print(json.dumps(run(work, Path(folder), arguments.steps, arguments.warmup, arguments.threads, fused)))
