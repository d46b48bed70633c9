#!/usr/bin/env python3
"""What sparsified gradients cost in accuracy: dense training, and densities of 0.1, 0.01 and 0.001 with and without feedback.

Drives weir-train over several seeds, which change initial weights and the order of samples, with equal steps, and prints per
model and density the mean test accuracy with its 95 % confidence interval, the mean difference to the dense training of the
same seed with its own, and what a rank has sent, in percent of the bytes of the dense training.

  bench/compress/accuracy.py build/release/bin/weir-train --json results.json

Needs Python 3 and nothing else.
"""
import argparse
import concurrent.futures
import json
import pathlib
import platform
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import confidence

MODELS = [("mlp 64-64", ["--model", "mlp", "--hidden", "64,64"]), ("cnn", ["--model", "cnn"]), ("gru 64", ["--model", "gru"])]


def interval(values):
    """As it is written down."""
    mean, half = confidence.interval(values)
    return {"mean": round(mean, 3), "half_interval": round(half, 3)}


def train(program, options):
    done = subprocess.run([program, "--report", "json", *options], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return json.loads(done.stdout)["configurations"][0]


def ways(densities):
    """Of sending a gradient: a name and its options."""
    yield "dense", []
    for density in densities:
        for feedback in ("on", "off"):
            yield f"{density}{'' if feedback == 'on' else ', no feedback'}", ["--density", density, "--feedback", feedback]


def measure(arguments, model, options):
    """All ways of sending the gradients of a model, over all seeds."""
    runs = [(name, more, seed) for name, more in ways(arguments.densities) for seed in range(arguments.seeds)]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(
            lambda run: train(arguments.program, options + run[1] + ["--seed", str(run[2])]), runs))
    result = {"model": model, "options": " ".join(options), "parameters": outcomes[0]["parameters"],
              "steps": outcomes[0]["steps"], "ways": {}}
    for (name, _, _), outcome in zip(runs, outcomes):
        if outcome["steps"] != result["steps"]:
            sys.exit(f"{model}, {name}: {outcome['steps']} steps, not {result['steps']}")
        way = result["ways"].setdefault(name, {"bytes_per_step": [], "accuracies": []})
        way["accuracies"].append(round(100 * outcome["test_accuracy"], 3))
        way["bytes_per_step"].append(outcome["bytes_sent_per_step"])
    dense = result["ways"]["dense"]
    for way in result["ways"].values():
        way["accuracy"] = interval(way["accuracies"])
        way["minus_dense"] = interval([a - b for a, b in zip(way["accuracies"], dense["accuracies"])])
        way["bytes_percent"] = round(100 * sum(way["bytes_per_step"]) / sum(dense["bytes_per_step"]), 3)
    return result


def table(results):
    def text(value):
        return f"{value['mean']:.2f} ± {value['half_interval']:.2f}"
    lines = ["| model | parameters | steps | density | accuracy [%] | minus dense | bytes sent [% of dense] |", "|---" * 7 + "|"]
    for result in results:
        for name, way in result["ways"].items():
            difference = "" if name == "dense" else text(way["minus_dense"])
            lines.append(f"| {result['model']} | {result['parameters']:,} | {result['steps']:,} | {name} | {text(way['accuracy'])} | "
                         f"{difference} | {way['bytes_percent']:.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program", help="weir-train")
    parser.add_argument("--seeds", type=int, default=10, help="at least 5 [10]")
    parser.add_argument("--epochs", type=int, default=30, help="[30]")
    parser.add_argument("--ranks", type=int, default=4, help="[4]")
    parser.add_argument("--batch", type=int, default=8, help="of a rank [8]")
    parser.add_argument("--learning-rate", default="0.05", help="[0.05]")
    parser.add_argument("--momentum", default="0.9", help="[0.9]")
    parser.add_argument("--estimator", default="histogram", help="[histogram]")
    parser.add_argument("--densities", nargs="+", default=["0.1", "0.01", "0.001"], help="[0.1 0.01 0.001]")
    parser.add_argument("--models", nargs="+", default=["mlp", "cnn", "gru"], help="[mlp cnn gru]")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time [1]")
    parser.add_argument("--json", help="write all accuracies here")
    parser.add_argument("--commit", default="", help="of what is measured, for the results")
    arguments = parser.parse_args()
    if arguments.seeds < 5:
        parser.error("--seeds: with fewer than 5 an interval says nothing")
    training = ["--ranks", str(arguments.ranks), "--comm", "threads", "--threads", "1", "--epochs", str(arguments.epochs),
                "--batch", str(arguments.batch), "--learning-rate", arguments.learning_rate, "--momentum", arguments.momentum]
    results = []
    for model, options in MODELS:
        if model.split()[0] not in arguments.models:
            continue
        results.append(measure(arguments, model, options + training))
        print(model, "done", file=sys.stderr)
    print(table(results))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"what": f"test accuracy by density, {arguments.estimator}: digits, {arguments.seeds} seeds",
                       "device": platform.processor() or platform.machine(), "commit": arguments.commit, "results": results},
                      file, indent=1)
            file.write("\n")


main()
