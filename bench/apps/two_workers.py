#!/usr/bin/env python3
"""Samples per second of `weir-train` with two workers on two cores and with one worker on one, in turns, and their ratio.

    two_workers.py build/release/bin/weir-train [--rounds 11]

The same network and the same batch per worker. One worker runs in two ways: on one core, and free to use the second one
for the stages of its recipe; two workers are compared with the faster of both. `limit` is the ratio that two programs
reach which run at once, each with one worker on a core of its own, and share nothing but the machine. Medians of all
rounds; the ratio is that of the medians. `spread` is the range of the middle half over the median: above a few percent the
machine was not quiet.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program")
parser.add_argument("--rounds", type=int, default=11)
parser.add_argument("--hidden", default="256,256")
parser.add_argument("--batch", default="64", help="samples per worker")
parser.add_argument("--epochs", default="150")
options = parser.parse_args()

cores = sorted(os.sched_getaffinity(0))[:2]
if len(cores) < 2:
    sys.exit("two cores are needed")


def start(workers, allowed):
    command = [options.program, "--report", "json", "--workers", str(workers), "--threads", str(workers),
               "--hidden", options.hidden, "--batch", options.batch, "--epochs", options.epochs]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, allowed))


def finish(program):
    output, _ = program.communicate()
    if program.returncode != 0:
        sys.exit(f"{program.args} ended with {program.returncode}")
    return json.loads(output)["configurations"][0]["samples_per_second"]


def spread(speeds):
    quarters = statistics.quantiles(speeds, n=4)
    return (quarters[2] - quarters[0]) / statistics.median(speeds)


variants = {
    "one_worker_on_one_core": [(1, cores[:1])],
    "one_worker": [(1, cores)],
    "two_workers": [(2, cores)],
    "two_programs": [(1, cores[:1]), (1, cores[1:])],
}
speeds = {name: [] for name in variants}
for _ in range(options.rounds):
    for name, programs in variants.items():
        running = [start(*program) for program in programs]
        speeds[name].append(sum(finish(program) for program in running))

medians = {name: statistics.median(values) for name, values in speeds.items()}
print(json.dumps({
    "samples_per_second": medians,
    "spread": {name: spread(values) for name, values in speeds.items()},
    "ratio": medians["two_workers"] / max(medians["one_worker_on_one_core"], medians["one_worker"]),
    "limit": medians["two_programs"] / medians["one_worker_on_one_core"],
}, indent=2))
