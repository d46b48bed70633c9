#!/usr/bin/env python3
"""The host's masked products beside PyTorch's of the same masks as CSR or BSR, with one thread.

    python3 bench/mask/peers.py build/release/bin/bench-mask-host_products build/release/bin/weir-design

Needs PyTorch (any build for the CPU) and NumPy. Masks are 4096 x 4096; single entries are CSR, tiles are BSR. Ours and the
peer run by turns, and the best time of each counts. PyTorch gets the order of samples that it is fastest with, the
transposed weights ready, and for the weight gradient `sampled_addmm`, which it has for CSR only."""

import argparse
import os
import subprocess
import tempfile
import time
import warnings

import numpy
import torch

SIDE = 4096
PRODUCTS = ("forward", "input gradient", "weight gradient")


def mask(program, order, block):
    """Of tiles: of the grid, each of whose entries stands for a tile."""
    side = str(SIDE // block)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "mask.npy")
        subprocess.run([program, "--family", "hadamard-group", "--order", str(order), "--outputs", side, "--inputs", side,
                        "--matrix", file], check=True, capture_output=True)
        grid = torch.from_numpy(numpy.load(file)).float()
    return grid.repeat_interleave(block, 0).repeat_interleave(block, 1)


def best(work, seconds=0.4):
    work()
    times, spent = [], 0.0
    while len(times) < 3 or (len(times) < 40 and spent < seconds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
        spent += times[-1]
    return 1e3 * min(times)


def peers_of(weights, block, samples):
    """For each product the ways in which PyTorch has it."""
    as_sparse = (lambda dense: dense.to_sparse_csr()) if block == 1 else (lambda dense: dense.to_sparse_bsr((block, block)))
    forward, backward = as_sparse(weights), as_sparse(weights.t().contiguous())
    x, by_feature = torch.randn(samples, SIDE), torch.randn(SIDE, samples)
    dy = torch.randn(samples, SIDE)
    assert torch.allclose(forward @ by_feature, weights @ by_feature, rtol=1e-3, atol=1e-3)
    ways = {"forward": [lambda: forward @ by_feature, lambda: torch.nn.functional.linear(x, forward)],
            "input gradient": [lambda: backward @ by_feature, lambda: torch.nn.functional.linear(dy, backward)]}
    if block == 1:
        by_output = dy.t().contiguous()
        ways["weight gradient"] = [lambda: torch.sparse.sampled_addmm(forward, by_output, x, beta=0.0)]
    return ways


def ours(program, order, block, samples):
    output = subprocess.run([program, "times", str(order), str(block), str(samples)], check=True, capture_output=True,
                            text=True).stdout
    return dict(zip(PRODUCTS, map(float, output.split())))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmark")
    parser.add_argument("design")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)  # sparse layouts are in beta
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, one thread")

    cases = [(block, order, samples) for block, orders in ((1, (4, 16, 64)), (64, (4, 8, 16)), (128, (4, 8)))
             for order in orders for samples in ((1, 64, 256) if block == 1 else (64, 256))]
    for block, order, samples in cases:
        live = mask(options.design, order, block)
        ways = peers_of(live * torch.randn(SIDE, SIDE), block, samples)
        own = {product: [] for product in ways}
        times = {product: [] for product in ways}
        for _ in range(options.rounds):
            now = ours(options.benchmark, order, block, samples)
            for product in ways:
                own[product].append(now[product])
                times[product].append(min(best(way) for way in ways[product]))
        for product in ways:
            name = "entries, CSR" if block == 1 else f"tiles of {block}, BSR"
            peer, we = min(times[product]), min(own[product])
            print(f"{name:18} d=1/{order:<3} N={samples:<4} {product:16} {peer:10.3f} ms, ours {we:9.3f} ms: "
                  f"{peer / we:7.1f} times", flush=True)


main()
