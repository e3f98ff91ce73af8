"""Training steps of the delay network of Hammouamri and colleagues (2024) by SpikingJelly 2.0.0 with dcls 0.1.1:
the peer of `delays` in `crates/spiking/benches/spiking_steps.rs`.

`prepare FOLDER` writes initial weights and data, from which both sides start.
`run SYSTEM FOLDER` (SYSTEM is `spikingjelly`) times steps and prints one line of JSON.

140-256-256-20, 25 taps, Gaussian spread, normalisation over time and batch, leaky integrate-and-fire with time
constant 1.005, readout by the sum over time of the softmax; dropout off so that losses compare. Inputs are
counts at the density of spiking-digit frames. Forward, backward, both Adam groups, positions clamped.
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
BATCHES = 2
STEPS, SIZES, TAPS = 100, (140, 256, 256, 20), 25
TAU, SPREAD = 1.005, 6.0
DENSITY = 0.1


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        from DCLS.construct.modules import Dcls1d
        from spikingjelly.activation_based import functional, layer, neuron, surrogate

        def delays(inputs, outputs):
            return Dcls1d(inputs, outputs, kernel_count=1, groups=1, dilated_kernel_size=TAPS, bias=False, version="gauss")

        def lif(threshold, record):
            return neuron.LIFNode(
                tau=TAU, v_threshold=threshold, surrogate_function=surrogate.ATan(alpha=5.0), detach_reset=True,
                step_mode="m", decay_input=False, store_v_seq=record,
            )

        self.clear = functional.reset_net
        self.delays = nn.ModuleList([delays(a, b) for a, b in zip(SIZES, SIZES[1:])])
        self.norms = nn.ModuleList([layer.BatchNorm1d(width, step_mode="m") for width in SIZES[1:-1]])
        self.neurons = nn.ModuleList([lif(1.0, False) for _ in SIZES[1:-1]])
        self.readout = lif(1e9, True)
        for synapses in self.delays:
            nn.init.constant_(synapses.SIG, SPREAD)
            synapses.SIG.requires_grad = False

    def delay(self, synapses, x):
        x = F.pad(x.permute(1, 2, 0), (TAPS - 1, (TAPS - 1) // 2))
        return synapses(x).permute(2, 0, 1)

    def forward(self, x):
        self.clear(self)
        for synapses, norm, neurons in zip(self.delays, self.norms, self.neurons):
            x = self.delay(synapses, x)
            x = norm(x.unsqueeze(3)).squeeze(3)
            x = neurons(x)
        self.readout(self.delay(self.delays[-1], x))
        return F.softmax(self.readout.v_seq, dim=2).sum(0)


def prepare(folder, batch):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    half = TAPS // 2
    names = {}
    for index, (a, b) in enumerate(zip(SIZES, SIZES[1:])):
        where = "readout" if index == len(SIZES) - 2 else f"layers.{index}.synapses"
        names[f"{where}.Delayed.weight"] = (torch.rand(a, b) * 2 - 1) * (6 / a) ** 0.5
        names[f"{where}.Delayed.positions"] = (torch.rand(a, b) * 2 - 1) * half
        if where != "readout":
            norm = f"layers.{index}.norm"
            names |= {f"{norm}.scale": torch.ones(b), f"{norm}.shift": torch.zeros(b),
                      f"{norm}.running_mean": torch.zeros(b), f"{norm}.running_variance": torch.ones(b)}
    save_file(names, folder / "delays-weights.safetensors")
    inputs = (torch.rand(BATCHES, STEPS, batch, SIZES[0]) < DENSITY).float()
    targets = torch.randint(0, SIZES[-1], (BATCHES, batch))
    save_file({"inputs": inputs, "targets": targets.float()}, folder / "delays-data.safetensors")


def run(system, folder, steps, warmup):
    torch.set_num_threads(THREADS)
    model = Network()
    weights = load_file(folder / "delays-weights.safetensors")
    for index, synapses in enumerate(model.delays):
        where = "readout" if index == len(SIZES) - 2 else f"layers.{index}.synapses"
        synapses.weight.data = weights[f"{where}.Delayed.weight"].t().unsqueeze(2).contiguous()
        synapses.P.data = weights[f"{where}.Delayed.positions"].t().unsqueeze(2).unsqueeze(0).contiguous()
    stored = load_file(folder / "delays-data.safetensors")
    inputs, targets = stored["inputs"], stored["targets"].long()
    positions = [synapses.P for synapses in model.delays]
    others = [p for n, p in model.named_parameters() if not n.endswith((".P", ".SIG"))]
    optimizers = [torch.optim.Adam(others, lr=1e-3, weight_decay=1e-5), torch.optim.Adam(positions, lr=0.1)]
    times, losses = [], []
    for step in range(warmup + steps):
        start = time.perf_counter()
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[step % BATCHES]), targets[step % BATCHES])
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            for position in positions:
                position.clamp_(-(TAPS // 2), TAPS // 2)
        losses.append(loss.item())
        times.append(time.perf_counter() - start)
    times = times[warmup:]
    return {
        "system": system,
        "work": "delays",
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
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--warmup", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.command == "prepare":
        prepare(Path(arguments.rest[0]), arguments.batch)
    else:
        system, folder = arguments.rest
        print(json.dumps(run(system, Path(folder), arguments.steps, arguments.warmup)))
