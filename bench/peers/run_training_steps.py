"""Training steps beside PyTorch: one command, interleaved runs, medians, quality beside time.

    python bench/peers/run_training_steps.py [--runs 7] [--works mlp cnn transformer] [--threads 2]

Needs torch and safetensors; builds `crates/nn/benches/training_steps.rs` first. Both sides start
from the same weights, see the same batches, use as many threads. Every run is a process of its own,
peers and ours in turn; a row shows the median over runs of each run's median step. Where other work
shares the machine, `--threads 1` and the processor column still compare: waiting does not count.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "bench" / "peers" / "torch_steps.py"
TARGETS = {"mlp": 0.8, "cnn": 1.0, "transformer": 1.0}


def build():
    """The benchmark's executable."""
    command = ["cargo", "bench", "--workspace", "--bench", "training_steps", "--no-run"]
    lines = subprocess.run(
        [*command, "--message-format=json"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    made = [json.loads(line) for line in lines]
    return next(
        m["executable"]
        for m in made
        if m.get("reason") == "compiler-artifact" and m["target"]["name"] == "training_steps"
    )


def run(command):
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    return json.loads(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--works", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--binary", help="an executable that is built already")
    arguments = parser.parse_args()
    ours = arguments.binary or build()
    steps = ["--steps", str(arguments.steps), "--threads", str(arguments.threads)]
    print("| work | system | step, ms (median, fastest; processor) | last loss | gradient norm | peak memory, MiB |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, PEER, "prepare", folder], check=True)
        for work in arguments.works:
            commands = [[sys.executable, PEER, "run", work, folder, *steps], [ours, work, folder, *steps]]
            if work == "transformer":
                commands.append([*commands[0], "--ordinary-attention"])
            results = [[run(command) for command in commands] for _ in range(arguments.runs)]
            medians = []
            for rows in zip(*results):
                median = statistics.median(row["median_ms"] for row in rows)
                fastest = min(row["fastest_ms"] for row in rows)
                memory = max(row["peak_rss_mib"] for row in rows)
                processor = statistics.median(row["processor_ms"] for row in rows)
                medians.append((median, fastest, processor))
                print(
                    f"| {work} | {rows[0]['system']} | {median:.1f}, {fastest:.1f}; {processor:.1f} | {rows[0]['last_loss']:.5f} "
                    f"| {rows[0]['gradient_norm']:.5f} | {memory:.0f} |"
                )
            ratio, fast, busy = (ours / peer for ours, peer in zip(medians[1], medians[0]))
            print(
                f"\n{work}: ours / PyTorch = {ratio:.2f} (fastest steps {fast:.2f}, processor time {busy:.2f}), "
                f"target at most {TARGETS[work]}\n",
                flush=True,
            )


if __name__ == "__main__":
    main()
