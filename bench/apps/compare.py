#!/usr/bin/env python3
"""Steps per second of `weir-train` and of its PyTorch peer, one after the other in turns, and their ratio.

    compare.py build/release/bin/weir-train examples/data/digits.csv [--python PYTHON] [--rounds 10]

The same network, data, batch, optimizer and number of epochs, each on one thread. The peer runs with both of its
optimizers; the ratio is that of the medians, with the better one. Accuracies are means over all runs: they vary by
about 0.01 with the seed.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program")
parser.add_argument("data")
parser.add_argument("--python", default=sys.executable, help="one that has torch")
parser.add_argument("--rounds", type=int, default=10)
parser.add_argument("--hidden", default="64,64")
parser.add_argument("--batch", default="32")
parser.add_argument("--epochs", default="40")
options = parser.parse_args()

common = ["--hidden", options.hidden, "--batch", options.batch, "--epochs", options.epochs]
peer = [options.python, str(pathlib.Path(__file__).with_name("pytorch_mlp.py")), options.data, *common]


def run(command):
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout)


ours, peers = [], {"fused": [], "foreach": []}
for seed in range(options.rounds):
    run_ours = run([options.program, "--report", "json", "--threads", "1", "--seed", str(seed), *common])
    ours.append(run_ours["configurations"][0])
    for optimizer, runs in peers.items():
        runs.append(run([*peer, "--seed", str(seed), "--optimizer", optimizer]))

speed = statistics.median(run["steps"] / run["seconds"] for run in ours)
speeds = {name: statistics.median(run["steps_per_second"] for run in runs) for name, runs in peers.items()}
best = max(speeds, key=speeds.get)
print(json.dumps({
    "weir_steps_per_second": speed,
    "pytorch_steps_per_second": speeds[best],
    "pytorch_optimizer": best,
    "torch": peers[best][0]["torch"],
    "ratio": speed / speeds[best],
    "weir_test_accuracy": statistics.mean(run["test_accuracy"] for run in ours),
    "pytorch_test_accuracy": statistics.mean(run["test_accuracy"] for runs in peers.values() for run in runs),
}, indent=2))
