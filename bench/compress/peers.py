"""The host's exact top-k beside torch.topk of the magnitudes and numpy.partition, with the same threads.

    python3 bench/compress/peers.py build/release/bin/bench-compress-selection [--threads N] [--rounds R]

Needs PyTorch (any build for the CPU) and NumPy. The benchmark and its peers run by turns, and the median of each counts: of 20
rounds, which take some minutes for each case.
Goals: torch.topk at 2^26 at least 100 times slower at density 0.01 and 50 times at 0.001; numpy.partition at 2^24 at
least 20 and 40 times."""

import argparse
import json
import os
import statistics
import subprocess
import time

import numpy
import torch


def milliseconds(work):
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def ours(program, policy, threads, log2_size, one_in):
    name = f"^{policy}/threads:{threads}/log2_size:{log2_size}/one_in:{one_in}/"
    output = subprocess.run([program, f"--benchmark_filter={name}", "--benchmark_format=json"], check=True,
                            capture_output=True, text=True).stdout
    run = json.loads(output)["benchmarks"][0]
    return run["median_ms"], run["of_read"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=20, help="[20]")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    cases = [("torch.topk", 26, 100, 100.0), ("torch.topk", 26, 1000, 50.0),
             ("numpy.partition", 24, 100, 20.0), ("numpy.partition", 24, 1000, 40.0)]
    for peer, log2_size, one_in, goal in cases:
        size = 1 << log2_size
        k = size // one_in
        values = numpy.random.default_rng(1).laplace(size=size).astype(numpy.float32)
        tensor = torch.from_numpy(values)
        work = {"torch.topk": lambda: torch.topk(tensor.abs(), k, sorted=False),
                "numpy.partition": lambda: numpy.partition(numpy.abs(values), size - k)}[peer]
        work()
        times, own, of_read = [], [], []
        for _ in range(options.rounds):
            times.append(milliseconds(work))
            median, ratio = ours(options.program, "topk", options.threads, log2_size, one_in)
            own.append(median)
            of_read.append(ratio)
        times, own = statistics.median(times), statistics.median(own)
        print(f"{peer:16} 2^{log2_size} density 1/{one_in:<5} {times:10.2f} ms, ours {own:8.3f} ms "
              f"({statistics.median(of_read):.2f} reads): {times / own:7.1f} times, goal {goal:g}", flush=True)


main()
