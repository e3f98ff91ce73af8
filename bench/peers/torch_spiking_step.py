"""Training steps of a spiking network 700-256-256-20 over 100 steps, by PyTorch, SpikingJelly and snnTorch:
the peers of `spiking` in `crates/spiking/benches/spiking_steps.rs`.

`prepare FOLDER` writes initial weights and data, from which all sides start.
`run SYSTEM FOLDER` times steps of `ordinary`, `fused`, `spikingjelly` or `snntorch` and prints one line of JSON.

Per layer v <- 0.9 v + I - s_prev without gradient through the reset, s = 1[v > 1], surrogate
1 / (1 + 10 |v - 1|)^2; scores are ten times the mean output spikes. SpikingJelly subtracts the reset before
the decay and fires at the threshold too, so its losses differ.
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

THREADS = 2
BATCHES = 4
STEPS, BATCH, SIZES = 100, 64, (700, 256, 256, 20)
DECAY, SLOPE = 0.9, 10.0


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).float()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient / (1 + SLOPE * x.abs()) ** 2


class Scan(torch.autograd.Function):
    """The whole scan as one operation: the strongest simple PyTorch form."""

    @staticmethod
    def forward(ctx, current):
        membranes = torch.empty_like(current)
        spikes = torch.empty_like(current)
        v = torch.zeros_like(current[0])
        s = torch.zeros_like(v)
        for t in range(current.shape[0]):
            v = torch.sub(torch.add(current[t], v, alpha=DECAY), s, out=membranes[t])
            s = spikes[t].copy_(v > 1.0)
        ctx.save_for_backward(membranes)
        return spikes

    @staticmethod
    def backward(ctx, gradient):
        (membranes,) = ctx.saved_tensors
        slope = torch.sub(membranes, 1.0).abs_().mul_(SLOPE).add_(1.0).square_().reciprocal_().mul_(gradient)
        for t in range(slope.shape[0] - 2, -1, -1):
            slope[t].add_(slope[t + 1], alpha=DECAY)
        return slope


class Network(nn.Module):
    def __init__(self, system):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b, bias=False) for a, b in zip(SIZES, SIZES[1:])])
        self.system = system
        if system == "spikingjelly":
            from spikingjelly.activation_based import functional, neuron, surrogate

            class Surrogate(surrogate.SurrogateFunctionBase):
                def __init__(self):
                    super().__init__(alpha=SLOPE, spiking=True)

                @staticmethod
                def spiking_function(x, alpha):
                    return Spike.apply(x)

                @staticmethod
                def primitive_function(x, alpha):
                    return x / (1 + alpha * x.abs())

            self.clear = functional.reset_net
            self.neurons = nn.ModuleList([
                neuron.LIFNode(tau=1 / (1 - DECAY), decay_input=False, v_reset=None, detach_reset=True,
                               surrogate_function=Surrogate(), step_mode="m")
                for _ in self.layers
            ])
        elif system == "snntorch":
            import snntorch

            self.neurons = [snntorch.Leaky(beta=DECAY, spike_grad=Spike.apply) for _ in self.layers]

    def spikes(self, index, current):
        if self.system == "fused":
            return Scan.apply(current)
        if self.system == "spikingjelly":
            return self.neurons[index](current)
        spikes = []
        if self.system == "snntorch":
            v = torch.zeros_like(current[0])
            for step in current:
                s, v = self.neurons[index](step, v)
                spikes.append(s)
        else:
            v = s = torch.zeros_like(current[0])
            for step in current:
                v = DECAY * v + step - s.detach()
                s = Spike.apply(v - 1.0)
                spikes.append(s)
        return torch.stack(spikes)

    def forward(self, x):
        if self.system == "spikingjelly":
            self.clear(self)
        for index, layer in enumerate(self.layers):
            x = self.spikes(index, layer(x))
        return 10 * x.mean(0)


def prepare(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    # Wide enough that all layers fire.
    weights = [torch.randn(a, b) * (g / a**0.5) for a, b, g in zip(SIZES, SIZES[1:], (4.0, 3.0, 3.0))]
    names = {f"layers.{i}.weight": weight for i, weight in enumerate(weights)}
    save_file(names, folder / "spiking-weights.safetensors")
    inputs = (torch.rand(BATCHES, STEPS, BATCH, SIZES[0]) < 0.05).float()
    targets = torch.randint(0, SIZES[-1], (BATCHES, BATCH))
    save_file({"inputs": inputs, "targets": targets.float()}, folder / "spiking-data.safetensors")


def run(system, folder, steps, warmup):
    torch.set_num_threads(THREADS)
    model = Network(system)
    weights = load_file(folder / "spiking-weights.safetensors")
    for index, layer in enumerate(model.layers):
        layer.weight.data = weights[f"layers.{index}.weight"].t().contiguous()
    stored = load_file(folder / "spiking-data.safetensors")
    inputs, targets = stored["inputs"], stored["targets"].long()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    times, losses = [], []
    for step in range(warmup + steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[step % BATCHES]), targets[step % BATCHES])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        times.append(time.perf_counter() - start)
    times = times[warmup:]
    return {
        "system": system,
        "work": "spiking",
        "median_ms": statistics.median(times) * 1e3,
        "fastest_ms": min(times) * 1e3,
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["prepare", "run"])
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--warmup", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.command == "prepare":
        prepare(Path(arguments.rest[0]))
    else:
        system, folder = arguments.rest
        print(json.dumps(run(system, Path(folder), arguments.steps, arguments.warmup)))
