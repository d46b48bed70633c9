#!/usr/bin/env python3
"""What masks cost in accuracy: dense layers, block designs, random masks, random biregular masks.

Drives weir-train over several seeds, which change initial weights, the order of samples and the random masks, and prints,
per network and mask, the mean test accuracy with its 95 % confidence interval, and of block designs against random masks the
mean difference of the same seed, with its own. The digits of examples/data are enlarged to 28 x 28 pixels for the networks
of 784 inputs; --idx takes MNIST's files, or any like them, in their place.

  bench/mask/accuracy.py build/release/bin/weir-train --json results.json --svg chart.svg

Needs Python 3 and nothing else.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import platform
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import confidence

MASKS = ["none", "bibd", "random", "random-biregular"]
NAMES = {"none": "dense", "bibd": "block design", "random": "random", "random-biregular": "random biregular"}
COLOURS = {"none": "#4d4d4d", "bibd": "#0b6fa4", "random": "#d1495b", "random-biregular": "#e0a030"}
# By width, then by depth. That of CIFAR-10, whose files are not bundled, is for --cifar10.
MLPS = [("mlp 784-16-20-10", "16,20"), ("mlp 784-25-30-10", "25,30"), ("mlp 784-36-42-10", "36,42"),
        ("mlp 784-49-56-10", "49,56"), ("mlp 784-112-56-10", "112,56"), ("mlp 784-16-10", "16"),
        ("mlp 784-16-16-10", "16,16"), ("mlp 784-16-32-16-10", "16,32,16"), ("mlp 784-16-32-32-16-10", "16,32,32,16"),
        ("mlp 784-16-32-32-32-32-16-10", "16,32,32,32,32,16")]
TEST_IMAGES = 360  # the last of the digits, as in weir-train

def enlarged(image, side, to):
    """Bilinear, edges repeated; pixels from 0 to 16 become bytes."""
    def place(i):
        at = min(max((i + 0.5) * side / to - 0.5, 0.0), side - 1.0)
        low = min(int(at), side - 2)
        return low, at - low
    result = bytearray()
    for row in range(to):
        y, down = place(row)
        for column in range(to):
            x, right = place(column)
            top = image[y * side + x] * (1 - right) + image[y * side + x + 1] * right
            bottom = image[(y + 1) * side + x] * (1 - right) + image[(y + 1) * side + x + 1] * right
            result.append(round((top * (1 - down) + bottom * down) * 255 / 16))
    return bytes(result)


def write_digits(folder, to):
    """The bundled digits as the value of --data."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/data/digits.csv")
    with open(path) as file:
        rows = [[int(value) for value in line.split(",")] for line in file]
    paths = []
    for name, part in (("train", rows[:-TEST_IMAGES]), ("test", rows[-TEST_IMAGES:])):
        images, labels = os.path.join(folder, name + "-images"), os.path.join(folder, name + "-labels")
        with open(images, "wb") as file:
            file.write(struct.pack(">IIII", 0x803, len(part), to, to))
            for row in part:
                file.write(enlarged(row[:64], 8, to))
        with open(labels, "wb") as file:
            file.write(struct.pack(">II", 0x801, len(part)) + bytes(row[64] for row in part))
        paths += [images, labels]
    return "idx:" + ",".join(paths)


def train(program, options):
    done = subprocess.run([program, "--report", "json", "--threads", "1", *options], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return json.loads(done.stdout)["configurations"][0]


def measure(arguments, network, options):
    """All masks of a network, over all seeds."""
    runs = [(mask, seed) for mask in MASKS for seed in range(arguments.seeds)]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(
            lambda run: train(arguments.program, options + ["--mask", run[0], "--seed", str(run[1])]), runs))
    result = {"network": network, "options": options_shown(options), "masks": {}}
    accuracies = {mask: [] for mask in MASKS}
    for (mask, _), outcome in zip(runs, outcomes):
        accuracies[mask].append(100 * outcome["test_accuracy"])
        result["masks"].setdefault(mask, {"parameters": outcome["nonzero_parameters"]})
    for mask in MASKS:
        mean, half = confidence.interval(accuracies[mask])
        result["masks"][mask].update(
            mean=round(mean, 3), half_interval=round(half, 3), accuracies=[round(a, 3) for a in accuracies[mask]])
    for other in MASKS[2:]:
        mean, half = confidence.interval([a - b for a, b in zip(accuracies["bibd"], accuracies[other])])
        result["bibd minus " + other] = {"mean": round(mean, 3), "half_interval": round(half, 3)}
    return result


def options_shown(options):
    """Without paths, which belong to this machine."""
    shown = list(options)
    if "--data" in shown:
        del shown[shown.index("--data"):shown.index("--data") + 2]
    return " ".join(shown)


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(results):
    def text(value):
        return f"{value['mean']:.2f} ± {value['half_interval']:.2f}"
    lines = [row(["network", "parameters, dense", "masked"] + [NAMES[m] + " [%]" for m in MASKS] +
                 ["design - random", "design - biregular"]), "|---" * 9 + "|"]
    for result in results:
        masks = result["masks"]
        lines.append(row([result["network"], f"{masks['none']['parameters']:,}", f"{masks['bibd']['parameters']:,}"] +
                         [text(masks[m]) for m in MASKS] +
                         [text(result["bibd minus " + m]) for m in MASKS[2:]]))
    return "\n".join(lines)


def chart(results, about):
    """Mean and interval for each mask of each network."""
    values = [masks["mean"] + sign * masks["half_interval"]
              for result in results for masks in result["masks"].values() for sign in (-1, 1)]
    low, high = math.floor(min(values)), math.ceil(max(values))
    step = max(130, 8 + 7 * max(len(result["network"]) for result in results))
    left, top, width, height = 56, 56, step * len(results), 300
    def y(value):
        return top + height * (high - value) / (high - low)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 16} {top + height + 44}" '
           'font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="18" font-size="14">Test accuracy [%], mean and 95 % confidence interval; {about}</text>']
    for place, mask in enumerate(MASKS):
        out.append(f'<circle cx="{left + 6 + 140 * place}" cy="36" r="4" fill="{COLOURS[mask]}"/>'
                   f'<text x="{left + 16 + 140 * place}" y="40">{NAMES[mask]}</text>')
    for tick in range(low, high + 1, max(1, (high - low) // 8)):
        out.append(f'<line x1="{left}" x2="{left + width}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#e0e0e0"/>'
                   f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>')
    for index, result in enumerate(results):
        middle = left + step * index + step // 2
        for place, mask in enumerate(MASKS):
            value, x = result["masks"][mask], middle - 36 + 24 * place
            above, below = y(value["mean"] + value["half_interval"]), y(value["mean"] - value["half_interval"])
            out.append(f'<line x1="{x}" x2="{x}" y1="{above:.1f}" y2="{below:.1f}" stroke="{COLOURS[mask]}" '
                       f'stroke-width="2"/><circle cx="{x}" cy="{y(value["mean"]):.1f}" r="4" fill="{COLOURS[mask]}"/>')
        out.append(f'<text x="{middle}" y="{top + height + 22}" text-anchor="middle">{result["network"]}</text>')
    return "\n".join(out) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program", help="weir-train")
    parser.add_argument("--seeds", type=int, default=20, help="at least 5 [20]")
    parser.add_argument("--epochs", type=int, default=50, help="[50]")
    parser.add_argument("--learning-rate", default="0.01",
                        help="[0.01; at 0.05 the narrowest network fails without a mask]")
    parser.add_argument("--idx", help="IMAGES,LABELS,TEST_IMAGES,TEST_LABELS of 28 x 28 pixels, in place of the digits")
    parser.add_argument("--cifar10", help="folder of CIFAR-10's binary version: adds an MLP for it")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time [1]")
    parser.add_argument("--json", help="write all accuracies here")
    parser.add_argument("--svg", help="draw them here")
    parser.add_argument("--commit", default="", help="of what is measured, for the results")
    arguments = parser.parse_args()
    if arguments.seeds < 5:
        parser.error("--seeds: with fewer than 5 an interval says nothing")
    training = ["--epochs", str(arguments.epochs), "--batch", "32", "--learning-rate", arguments.learning_rate,
                "--momentum", "0.9"]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        data = "idx:" + arguments.idx if arguments.idx else write_digits(folder, 28)
        for network, hidden in MLPS:
            results.append(measure(arguments, network, ["--data", data, "--hidden", hidden] + training))
            print(network, "done", file=sys.stderr)
        if arguments.cifar10:
            results.append(measure(arguments, "mlp 3072-112-56-10",
                                   ["--data", "cifar10:" + arguments.cifar10, "--hidden", "112,56"] + training))
        small = ["--data", data] if arguments.idx else []
        results.append(measure(arguments, "cnn 16-32-10", small + ["--model", "cnn"] + training))
    images = "files given" if arguments.idx else "digits"
    about = f"{images}, {arguments.seeds} seeds, {arguments.epochs} epochs"
    print(table(results))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"what": "test accuracy by mask: " + about, "device": platform.processor() or platform.machine(),
                       "commit": arguments.commit, "results": results}, file, indent=1)
            file.write("\n")
    if arguments.svg:
        with open(arguments.svg, "w") as file:
            file.write(chart(results, about))


main()
