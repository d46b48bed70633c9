#!/usr/bin/env python3
"""How well estimators hit the density, over the gradients of a real training.

Trains a network of 64 inputs, two hidden layers and 10 classes on the digits of examples/data, writes the gradient of
each step to a file, gives the files to weir-sparsify as successive steps of one bucket, with each estimator, without and with
error feedback, and draws how many elements it selected over how many it should have.

  bench/compress/quality.py build/release/bin/weir-sparsify --json results.json --svg chart.svg

Needs Python 3 and nothing else; the training takes a minute.
"""
import argparse
import array
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

import line_chart

ESTIMATORS = [("histogram", ["histogram"]), ("exponential", ["exponential"]),
              ("exponential, adaptive stages", ["exponential", "--stages", "adaptive"]),
              ("generalized Pareto", ["generalized-pareto"]),
              ("generalized Pareto, adaptive", ["generalized-pareto", "--stages", "adaptive"]),
              ("gamma", ["gamma"]), ("gamma, approximate", ["gamma-approximate"]),
              ("gamma-Pareto, adaptive", ["gamma-pareto", "--stages", "adaptive"]),
              ("normal, adaptive", ["normal", "--stages", "adaptive"]),
              ("dgc", ["dgc"]), ("gaussian-k", ["gaussian-k"]), ("redsync", ["redsync"]),
              ("redsync, trim", ["redsync-trim"])]


def read_digits():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/data/digits.csv")
    with open(path) as file:
        rows = [[int(value) for value in line.split(",")] for line in file]
    return [([pixel / 16 for pixel in row[:64]], row[64]) for row in rows[:-360]]  # without the test images


class Layer:
    def __init__(self, inputs, outputs, chance):
        bound = math.sqrt(6 / inputs)
        self.weights = [[chance.uniform(-bound, bound) for _ in range(inputs)] for _ in range(outputs)]
        self.biases = [0.0] * outputs
        self.velocity = None

    def forward(self, x):
        return [sum(map(float.__mul__, row, x)) + b for row, b in zip(self.weights, self.biases)]

    def clear(self):
        self.gradient = [[0.0] * len(row) for row in self.weights]
        self.bias_gradient = [0.0] * len(self.biases)

    def backward(self, x, delta):
        """Adds the gradients; returns that of the inputs."""
        below = [0.0] * len(x)
        for o, d in enumerate(delta):
            if d == 0.0:
                continue
            self.gradient[o] = [g + d * v for g, v in zip(self.gradient[o], x)]
            self.bias_gradient[o] += d
            below = [b + d * w for b, w in zip(below, self.weights[o])]
        return below

    def flat(self):
        return [g for row in self.gradient for g in row] + self.bias_gradient

    def update(self, rate, momentum):
        if self.velocity is None:
            self.velocity = [[0.0] * len(row) for row in self.weights], [0.0] * len(self.biases)
        rows, biases = self.velocity
        for o, gradient in enumerate(self.gradient):
            rows[o] = [momentum * v + g for v, g in zip(rows[o], gradient)]
            self.weights[o] = [w - rate * v for w, v in zip(self.weights[o], rows[o])]
            biases[o] = momentum * biases[o] + self.bias_gradient[o]
            self.biases[o] -= rate * biases[o]


def gradients(steps, batch, hidden, rate=0.05, momentum=0.9):
    """Of each step of a training, as flat lists; and the losses."""
    chance = random.Random(1)
    samples = read_digits()
    layers = [Layer(a, b, chance) for a, b in ((64, hidden), (hidden, hidden), (hidden, 10))]
    for step in range(steps):
        if step * batch % len(samples) < batch:
            chance.shuffle(samples)
        for layer in layers:
            layer.clear()
        loss = 0.0
        for i in range(batch):
            x, label = samples[(step * batch + i) % len(samples)]
            activations = [x]
            for place, layer in enumerate(layers):
                out = layer.forward(activations[-1])
                activations.append([max(value, 0.0) for value in out] if place < 2 else out)
            largest = max(activations[-1])
            exponentials = [math.exp(value - largest) for value in activations[-1]]
            total = sum(exponentials)
            loss -= math.log(exponentials[label] / total) / batch
            delta = [(e / total - (o == label)) / batch for o, e in enumerate(exponentials)]
            for place in (2, 1, 0):
                delta = layers[place].backward(activations[place], delta)
                if place:
                    delta = [d if a > 0 else 0.0 for d, a in zip(delta, activations[place])]
        yield loss, [g for layer in layers for g in layer.flat()]
        for layer in layers:
            layer.update(rate, momentum)


def write_npy(path, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(values)},), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    data = array.array("f", values)
    if sys.byteorder == "big":
        data.byteswap()
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data.tobytes())


def qualities(program, paths, density, estimator, has_feedback):
    done = subprocess.run([program, *paths, "--report", "json", "--threads", "1", "--density", str(density), "--estimator",
                           *estimator, *(["--feedback"] if has_feedback else [])], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return [step["quality"] for step in json.loads(done.stdout)["steps"]]


def chart(result):
    steps = result["steps"]
    x = line_chart.Axis(0, steps, ticks=range(0, steps + 1, max(1, steps // 6)))
    y = line_chart.Axis(0.03, 30, logarithmic=True, ticks=(0.03, 0.1, 0.3, 1, 3, 10, 30))
    names = [name for name, _ in ESTIMATORS]
    colours = dict(zip(names, line_chart.COLOURS))
    elements = [f'<text x="56" y="20" font-size="14">Selected over wanted; {result["about"]}</text>']
    columns = 4
    elements += line_chart.legend(56, 42, names, colours, columns=columns, width=215)
    top = 60 + 18 * -(-len(names) // columns)
    for place, feedback in enumerate(("without feedback", "with feedback")):
        lines = [(name, list(enumerate(result[feedback][name])), False) for name in names]
        elements += line_chart.panel(56 + 440 * place, top, 400, 300, feedback, x, y, "step", lines, colours, band=(0.8, 1.2))
    return line_chart.document(930, top + 350, elements)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program", help="weir-sparsify")
    parser.add_argument("--steps", type=int, default=120, help="[120]")
    parser.add_argument("--batch", type=int, default=32, help="[32]")
    parser.add_argument("--hidden", type=int, default=96, help="width of the hidden layers [96]")
    parser.add_argument("--density", type=float, default=0.01, help="[0.01]")
    parser.add_argument("--json", help="write all qualities here")
    parser.add_argument("--svg", help="draw them here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths, losses = [], []
        for step, (loss, values) in enumerate(gradients(arguments.steps, arguments.batch, arguments.hidden)):
            paths.append(os.path.join(folder, f"{step:05}.npy"))
            write_npy(paths[-1], values)
            losses.append(loss)
        print(f"{len(values)} elements, loss {losses[0]:.3f} to {losses[-1]:.3f}", file=sys.stderr)
        about = (f"gradients of an mlp 64-{arguments.hidden}-{arguments.hidden}-10 on digits, {len(values):,} elements, "
                 f"density {arguments.density:g}")
        result = {"about": about, "steps": arguments.steps, "losses": [round(loss, 5) for loss in losses]}
        for has_feedback, name in ((False, "without feedback"), (True, "with feedback")):
            result[name] = {title: qualities(arguments.program, paths, arguments.density, estimator, has_feedback)
                            for title, estimator in ESTIMATORS}
    print("| estimator | least, without | mean | most | least, with feedback | mean | most |\n" + "|---" * 7 + "|")
    for title, _ in ESTIMATORS:
        cells = [title]
        for name in ("without feedback", "with feedback"):
            values = result[name][title]
            cells += [f"{min(values):.3g}", f"{sum(values) / len(values):.3g}", f"{max(values):.3g}"]
        print("| " + " | ".join(cells) + " |")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(result, file)
            file.write("\n")
    if arguments.svg:
        with open(arguments.svg, "w") as file:
            file.write(chart(result))


main()
