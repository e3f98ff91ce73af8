"""Training steps of spiking networks, ours and the peers', interleaved.

    cargo bench -p chiasm-spiking --bench spiking_steps --no-run
    python bench/peers/run_spiking_steps.py [--rounds 7] [--work spiking|delays] [--batch 64]

Each round runs every system once in a process of its own; medians over rounds of each run's median step, the
ratio to ours, peak memory, and the loss after equal steps are printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SYSTEMS = {
    "spiking": ["ordinary", "fused", "spikingjelly", "snntorch"],
    "delays": ["spikingjelly"],
}
SCRIPTS = {"spiking": "torch_spiking_step.py", "delays": "spikingjelly_delays.py"}
# What the binary sets for itself: pages are kept, and huge.
PAGES = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always"}


def line(command, **environment):
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment).stdout
    return json.loads(out.strip().splitlines()[-1])


def binary():
    out = subprocess.run(
        ["cargo", "bench", "--workspace", "--bench", "spiking_steps", "--no-run", "--message-format=json"],
        check=True, capture_output=True, text=True, cwd=HERE,
    ).stdout
    built = [json.loads(text) for text in out.splitlines()]
    return next(b["executable"] for b in built if b.get("executable") and b["target"]["name"] == "spiking_steps")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--work", choices=list(SYSTEMS), action="append")
    parser.add_argument("--batch", type=int, default=64, help="samples a step of the delay network")
    parser.add_argument("--binary", help="an executable that is built already")
    arguments = parser.parse_args()
    ours = arguments.binary or binary()
    with tempfile.TemporaryDirectory() as folder:
        for work in arguments.work or SYSTEMS:
            script = str(HERE / SCRIPTS[work])
            sizes = ["--batch", str(arguments.batch)] if work == "delays" else []
            subprocess.run([sys.executable, script, "prepare", folder, *sizes], check=True)
            results = {}
            for _ in range(arguments.rounds):
                runs = [line([sys.executable, script, "run", system, folder]) for system in SYSTEMS[work]]
                counts = ["--steps", "15", "--warmup", "3"] if work == "spiking" else ["--steps", "7", "--warmup", "2"]
                runs.append(line([ours, work, folder, *counts], **PAGES))
                for run in runs:
                    results.setdefault(run["system"], []).append(run)
            print(f"{work}: {arguments.rounds} rounds, two threads")
            median = {system: statistics.median(r["median_ms"] for r in runs) for system, runs in results.items()}
            for system, runs in results.items():
                print(
                    f"  {system:14} {median[system]:8.1f} ms  ours takes {median['chiasm'] / median[system]:.2f} of it"
                    f"  {max(r['peak_rss_mib'] for r in runs):6.0f} MiB"
                    f"  loss {runs[0]['first_loss']:.4f} -> {runs[0]['last_loss']:.4f}"
                )


if __name__ == "__main__":
    main()
