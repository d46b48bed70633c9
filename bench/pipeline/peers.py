"""1F1B over two threads beside torch.distributed.pipelining over two processes with gloo: the same dense layers,
micro-batches and optimizer, one thread each.

    python3 bench/pipeline/peers.py build/release/bin/bench-pipeline-model [--rounds R]

Needs PyTorch 2.5 or later (any build for the CPU). Both run by turns, and the median of each counts. Goal: at least 2
times as many steps per second."""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch
import torch.distributed
import torch.multiprocessing
from torch.distributed.pipelining import PipelineStage, Schedule1F1B

WIDTH, LAYERS, BATCH, MICRO_BATCHES, RANKS = 512, 4, 64, 8, 2  # those of model.cpp


def train(rank, steps, store, result):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS)
    torch.manual_seed(rank)
    layers = []
    for _ in range(LAYERS // RANKS):
        layers += [torch.nn.Linear(WIDTH, WIDTH, bias=False), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers)
    stage = PipelineStage(model, rank, RANKS, torch.device("cpu"))
    schedule = Schedule1F1B(stage, MICRO_BATCHES, loss_fn=lambda y, target: (y - target).square().mean() / 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    samples = torch.rand(BATCH * MICRO_BATCHES, WIDTH)
    target = torch.zeros(BATCH * MICRO_BATCHES, WIDTH)

    def step():
        optimizer.zero_grad()
        if rank == 0:
            schedule.step(samples)
        else:
            schedule.step(target=target)
        optimizer.step()

    for _ in range(3):
        step()
    times = []
    for _ in range(steps):
        torch.distributed.barrier()
        start = time.perf_counter()
        step()
        torch.distributed.barrier()
        times.append(time.perf_counter() - start)
    if rank == 0:
        with open(result, "w") as file:
            json.dump(1 / min(times), file)
    torch.distributed.destroy_process_group()


def theirs(steps):
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "result")
        torch.multiprocessing.spawn(train, (steps, os.path.join(folder, "store"), result), nprocs=RANKS)
        with open(result) as file:
            return json.load(file)


def ours(program):
    output = subprocess.run([program, "--benchmark_filter=^flush/one_f_one_b", "--benchmark_format=json"],
                            check=True, capture_output=True, text=True).stdout
    return json.loads(output)["benchmarks"][0]["runs_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    here, there = [], []
    for _ in range(options.rounds):
        there.append(theirs(options.steps))
        here.append(ours(options.program))
    here, there = statistics.median(here), statistics.median(there)
    print(f"1f1b, 2 stages of {LAYERS // RANKS} layers of {WIDTH}, {MICRO_BATCHES} micro-batches of {BATCH}: "
          f"PyTorch {there:.1f} steps/s, ours {here:.1f}: {here / there:.2f} times, goal 2", flush=True)


if __name__ == "__main__":
    main()
