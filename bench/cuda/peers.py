#!/usr/bin/env python3
"""What PyTorch takes for the cases of bench/cuda, beside its own device-to-device copy: peers.py [FILE]

The rows are those of bench/support/report.hpp, with two cells more: what of ours stands against it in the same case, and
how many times as fast that should be. Each case goes round several sets of memory, more than the L2 holds, and
runs in turns with the copy.
"""
import math
import os
import statistics
import sys

import torch

SAMPLES = 31
MEGABYTE = 1_000_000
device = torch.device("cuda")
out = open(sys.argv[1], "w") if len(sys.argv) > 1 else sys.stdout
l2_bytes = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 64 << 20)


def rotation(size):
    return 2 + 4 * l2_bytes // size


def time_in_turns(contenders):
    """Medians and spreads in microseconds of functions that take the number of the turn."""
    turns = [0] * len(contenders)

    def time(index, calls):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(calls):
            contenders[index](turns[index])
            turns[index] += 1
        end.record()
        end.synchronize()
        return 1000 * begin.elapsed_time(end) / calls

    calls = []
    for index in range(len(contenders)):
        time(index, 4)
        calls.append(max(4, min(64, int(1000 / time(index, 4)))))
    times = [[] for _ in contenders]
    for _ in range(SAMPLES):
        for index, each in enumerate(times):
            each.append(time(index, calls[index]))
    quartiles = [statistics.quantiles(each, n=4) for each in times]
    return [(middle, (high - low) / middle) for low, middle, high in quartiles]


def copy_of(size):
    """A copy that reads and writes `size` bytes in all."""
    half = size // 2
    memory = torch.randint(0, 256, (rotation(size) * 2 * half,), dtype=torch.uint8, device=device).split(half)
    return lambda turn: memory[2 * turn % len(memory) + 1].copy_(memory[2 * turn % len(memory)])


def row(case, what, size, contender, ours="", goal=""):
    (copy, _), (median, spread) = time_in_turns([copy_of(size), contender])
    cells = [case, what, f"{median:.6g}", "us", f"{spread:.6g}", str(size), "copy in PyTorch", f"{copy:.6g}",
             f"{copy / median:.6g}", "", "", ours, goal]
    print("\t".join(cells), file=out, flush=True)
    if out is not sys.stdout:
        print(f"{case:44} {what:32} {median:10.4g} us  copy {copy:.4g}  ratio {copy / median:.3f}", flush=True)
    torch.cuda.empty_cache()


def sums(dtype, name, size_of, bucket):
    """k - 1 additions, as `_foreach_add_` does them: as many tensors as a model has, so that launches are few."""
    for k in (2, 4, 8):
        parts = 20
        elements = bucket // size_of // parts
        sets = [[[torch.randn(elements, device=device).to(dtype) for _ in range(parts)] for _ in range(k)]
                for _ in range(rotation(k * bucket))]

        def add(turn):
            buckets = sets[turn % len(sets)]
            for other in buckets[1:]:
                torch._foreach_add_(buckets[0], other, alpha=1 / k)

        moved = (k + 1) * bucket if dtype == torch.float32 else (k + 2) * bucket
        row(f"sum k={k} {name} {bucket // MEGABYTE} MB", "PyTorch _foreach_add_, k-1 times", moved, add,
            "weir sum_weighted")
        del sets


def optimizers(case, sizes, size, makers, ours=""):
    for name, make in makers.items():
        parameters = [torch.nn.Parameter(torch.randn(n, device=device)) for n in sizes]
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        optimizer = make(parameters)
        optimizer.step()
        with torch.no_grad():
            row(case, name, size, lambda turn: optimizer.step(), ours)
        del parameters, optimizer


for bucket in (25 * MEGABYTE, 256 * MEGABYTE):
    sums(torch.float32, "float", 4, bucket)
    sums(torch.bfloat16, "bfloat16", 2, bucket)

small, total, count = 1000, 100_000_000, 1000
large = (total - count // 4 * small) // (count - count // 4)
sizes = [small if i % 4 == 3 else large for i in range(count)]
adamw = {f"PyTorch {kind}": lambda parameters, kind=kind: torch.optim.AdamW(parameters, lr=1e-3, **{kind: True})
         for kind in ("fused", "foreach")}
try:
    from apex.optimizers import FusedAdam
    adamw["apex FusedAdam"] = lambda parameters: FusedAdam(parameters, lr=1e-3)
except ImportError:  # what PyTorch calls fused is made in the same way
    print("apex is not installed, so its optimizer is not measured", flush=True)
optimizers("AdamW, 1000 tensors, 100 M parameters", sizes, sum(sizes) * 28, adamw, "weir adamw_update_pieces")
# The update alone: PyTorch has no optimizer that takes a sum or writes 16-bit weights on the way.
elements = 256 * MEGABYTE // 4
optimizers("SGD with momentum, 256 MB", [elements // 20] * 20, elements * 20,
           {f"PyTorch {kind}": lambda parameters, kind=kind: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9,
                                                                             **{kind: True})
            for kind in ("fused", "foreach")})


def sum_update_and_copy(k):
    """What a trainer writes with PyTorch instead of the fused pass."""
    parts, elements = 20, 256 * MEGABYTE // 4
    buckets = [[torch.randn(elements // parts, device=device) for _ in range(parts)] for _ in range(k)]
    parameters = [torch.nn.Parameter(torch.randn(elements // parts, device=device)) for _ in range(parts)]
    narrow = [torch.empty(elements // parts, dtype=torch.bfloat16, device=device) for _ in range(parts)]
    for parameter, gradient in zip(parameters, buckets[0]):
        parameter.grad = gradient
    optimizer = torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, fused=True)
    optimizer.step()

    @torch.no_grad()
    def step(turn):
        for other in buckets[1:]:
            torch._foreach_add_(buckets[0], other, alpha=1 / k)
        optimizer.step()
        torch._foreach_copy_(narrow, parameters)

    row(f"sum k={k}, SGD with momentum, bfloat16 copy, 256 MB", "PyTorch foreach sum, fused SGD, foreach copy",
        elements * (4 * k + 18), step, "weir sgd_update_pieces")


for k in (1, 4):
    sum_update_and_copy(k)

vectors = [torch.randn(64 * MEGABYTE, device=device) for _ in range(2)]
row("norm and finite check, float, 256 MB", "PyTorch vector_norm", 256 * MEGABYTE,
    lambda turn: torch.linalg.vector_norm(vectors[turn % 2]), "weir measure")


def sparsify(size, density):
    """Exact top-k of the magnitudes with error feedback, and a fitted threshold."""
    k = max(1, int(density * size))
    gradients = [torch.randn(size, device=device) for _ in range(rotation(4 * size))]
    residual = torch.zeros(size, device=device)

    def top_k(turn):
        residual.add_(gradients[turn % len(gradients)])
        places = torch.topk(residual.abs(), k, sorted=False).indices
        values = residual[places]
        residual[places] = 0
        return values

    def fitted(turn):
        residual.add_(gradients[turn % len(gradients)])
        magnitudes = residual.abs()
        threshold = magnitudes.mean() * -math.log(density)
        places = (magnitudes > threshold).nonzero().squeeze(1)
        values = residual[places]
        residual[places] = 0
        return values

    case = f"sparsify {size} at {density:g}, error feedback"
    row(case, "PyTorch topk", 8 * size, top_k, "topk", "3")
    row(case, "PyTorch, one exponential, eager", 8 * size, fitted, "exponential", "6")


for size in (26_214_400, 262_144_000):
    for density in (0.001, 0.01):
        sparsify(size, density)


def measured_by_weir(program, case):
    """The medians of a program of bench/cuda that has written its rows beside ours, by what they are of."""
    path = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), program + ".tsv") if len(sys.argv) > 1 else ""
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return {cells[1]: float(cells[2]) for cells in rows if cells[0].startswith(case)}


def mlp_step(width=4096, layers=4, samples=4096, goal=4.0):
    """The dense step of bench/cuda/mlp_step.cpp: bfloat16, 32-bit master weights, momentum, a loss that is linear."""
    case = f"MLP step, {layers} x {width}, batch {samples}"
    model = torch.nn.Sequential(*[
        module for index in range(layers)
        for module in ([torch.nn.Linear(width, width, bias=False)] + ([torch.nn.ReLU()] if index + 1 < layers else []))
    ]).to(device, torch.bfloat16)
    narrow = list(model.parameters())
    master = [torch.nn.Parameter(parameter.detach().float()) for parameter in narrow]
    optimizer = torch.optim.SGD(master, lr=1e-6, momentum=0.9, fused=True)
    x = torch.randn(samples, width, device=device, dtype=torch.bfloat16)
    to_loss = torch.randn(samples, width, device=device, dtype=torch.bfloat16)

    def backward():
        for parameter in narrow:
            parameter.grad = None
        model(x).backward(to_loss)

    def with_master_weights(turn):
        backward()
        for wide, parameter in zip(master, narrow):
            wide.grad = parameter.grad.float()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_(narrow, master)

    in_16_bits = torch.optim.SGD(narrow, lr=1e-6, momentum=0.9, fused=True)

    def without(turn):
        backward()
        in_16_bits.step()

    contenders = {"PyTorch, dense, 32-bit master weights": with_master_weights,
                  "PyTorch, dense, all in bfloat16": without}
    times = dict(zip(contenders, time_in_turns(list(contenders.values()))))
    for what, (median, spread) in times.items():
        cells = [case, what, f"{median:.6g}", "us", f"{spread:.6g}", "", "", "", "", "", ""]
        print("\t".join(cells), file=out, flush=True)
    fastest = min(median for median, _ in times.values())
    for tiles in (64, 128):
        mine = measured_by_weir("cuda-mlp_step", f"{case}, tiles of {tiles}, d = 1/8")
        if mine:
            median = min(mine.values())
            ratio = fastest / median
            cells = [f"{case}, tiles of {tiles}, d = 1/8", "weir over PyTorch", f"{median:.6g}", "us", "0", "",
                     "fastest of PyTorch", f"{fastest:.6g}", f"{ratio:.6g}", f"ratio >= {goal:g}",
                     "yes" if ratio >= goal else "no"]
            print("\t".join(cells), file=out, flush=True)
            if out is not sys.stdout:
                print(f"{case}, tiles of {tiles}: {ratio:.2f} times PyTorch", flush=True)


def tiles(side=4096):
    """Products with masks of tiles as PyTorch has them: block compressed rows (BSR), dX with a transposed copy. As many tiles
    a row and a column as in bench/cuda/masked_products.cpp, spread evenly; which ones they are makes no difference."""
    for dtype, name in ((torch.bfloat16, "bfloat16"), (torch.float16, "float16")):
        for block in (64, 128):
            for inverse in (8, 4, 2):
                grid = side // block
                rows = torch.arange(grid, device=device)
                live = torch.zeros(grid, grid, device=device)
                for tile in range(grid // inverse):
                    live[rows, (rows + tile * inverse) % grid] = 1
                mask = live.repeat_interleave(block, 0).repeat_interleave(block, 1)
                weights = (mask * torch.randn(side, side, device=device)).to(dtype)
                for samples in (512, 4096):
                    sets = rotation(2 * samples * side * 2)
                    x = torch.randn(sets, samples, side, device=device).to(dtype)
                    size = 2 * (int(mask.sum()) + 2 * samples * side)
                    for product, matrix in (("Y = X W^T", weights), ("dX = dY W", weights.t().contiguous())):
                        case = f"{product}, {name}, tiles of {block}, d = 1/{inverse}, batch {samples}"
                        try:
                            bsr = matrix.to_sparse_bsr((block, block))
                            row(case, "PyTorch BSR", size,
                                lambda turn: torch.nn.functional.linear(x[turn % sets], bsr), "weir")
                        except (RuntimeError, NotImplementedError) as error:  # what its build lacks
                            print(f"{case}: PyTorch has none: {str(error).splitlines()[0]}", flush=True)


def convolutions(images=64):
    """The dense layers of bench/cuda/convolutions.cpp: bfloat16, the channels of a pixel side by side."""
    torch.backends.cudnn.benchmark = True
    layers = {(256, 256, 14, 3, 1): ["tiles of 64, d = 1/4"],
              (512, 512, 14, 3, 1): ["tiles of 64, d = 1/4", "tiles of 64, d = 1/8", "tiles of 128, d = 1/4"],
              (256, 512, 28, 3, 2): ["tiles of 64, d = 1/4"],
              (1024, 256, 14, 1, 1): ["tiles of 64, d = 1/4"],
              (256, 1024, 14, 1, 1): ["tiles of 64, d = 1/4"],
              (128, 128, 28, 3, 1): ["tiles of 32, d = 1/4"]}
    for (inputs, outputs, side, kernel, stride), masks in layers.items():
        def rotating(*shape):
            memory = [torch.randn(*shape, device=device).to(torch.bfloat16, memory_format=torch.channels_last)
                      for _ in range(rotation(2 * math.prod(shape)))]
            return lambda turn: memory[turn % len(memory)]

        of_output = (side + stride - 1) // stride
        x, dy = rotating(images, inputs, side, side), rotating(images, outputs, of_output, of_output)
        weights = rotating(outputs, inputs, kernel, kernel)

        def backward(turn, wanted):
            return torch.ops.aten.convolution_backward(dy(turn), x(turn), weights(turn), None, [stride] * 2,
                                                       [kernel // 2] * 2, [1, 1], False, [0, 0], 1, wanted)

        products = {
            "Y = X W^T": lambda turn: torch.nn.functional.conv2d(x(turn), weights(turn), None, stride, kernel // 2),
            "dX = dY W": lambda turn: backward(turn, [True, False, False]),
            "dW": lambda turn: backward(turn, [False, True, False])}
        size = 2 * images * (inputs * side * side + outputs * of_output * of_output)
        for product, contender in products.items():
            for mask in masks:
                case = (f"convolution {kernel}x{kernel}{', stride 2' if stride == 2 else ''}, {inputs} to {outputs} channels, "
                        f"{images} images of {side}x{side}, {product}, bfloat16, {mask}")
                with torch.no_grad():
                    row(case, "PyTorch, dense", size, contender, "weir")


mlp_step()
tiles()
convolutions()
