#!/usr/bin/env python3
"""Draws what a selection costs over the size of a bucket, per estimator, from what bench-compress-selection has measured.

  build/release/bin/bench-compress-selection --benchmark_out=selection.json --benchmark_out_format=json
  bench/compress/cost.py selection.json --svg chart.svg

The cost is in reads: of one pass over the bucket that does nothing else, by the same threads in the same run. Needs Python 3
and nothing else.
"""
import argparse
import json

import line_chart


def cases(path):
    """By (name, threads, one_in): a list of (size, cost)."""
    with open(path) as file:
        benchmarks = json.load(file)["benchmarks"]
    found = {}
    for benchmark in benchmarks:
        if benchmark.get("run_type") == "aggregate" or "of_read" not in benchmark or "error_occurred" in benchmark:
            continue
        name, *arguments = benchmark["name"].split("/")
        values = dict(argument.split(":") for argument in arguments if argument.count(":") == 1)
        key = name, int(values["threads"]), int(values["one_in"])
        found.setdefault(key, []).append((2 ** int(values["log2_size"]), benchmark["of_read"]))
    return {key: sorted(points) for key, points in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("results", nargs="+", help="JSON of bench-compress-selection; later files override earlier ones")
    parser.add_argument("--one-in", type=int, default=100, help="1 / density [100]")
    parser.add_argument("--svg", required=True, help="draw here")
    arguments = parser.parse_args()
    found = {}
    for path in arguments.results:
        for key, points in cases(path).items():
            found[key] = sorted({**dict(found.get(key, [])), **dict(points)}.items())
    found = {key: points for key, points in found.items()
             if key[2] == arguments.one_in and "nth_element" not in key[0] and not key[0].startswith("estimate")}
    if not found:
        parser.error(f"no selection at a density of 1/{arguments.one_in} in {', '.join(arguments.results)}")
    names = list(dict.fromkeys(name for name, _, _ in found))
    colours = dict(zip(names, line_chart.COLOURS))
    threads = sorted({count for _, count, _ in found})
    sizes = sorted({size for points in found.values() for size, _ in points})
    most = max(cost for points in found.values() for _, cost in points)
    ticks = [tick for tick in (0.5, 1, 2, 4, 8, 16, 32, 64, 128) if tick <= 2 * most]
    x = line_chart.Axis(sizes[0] / 1.2, sizes[-1] * 1.2, logarithmic=True, ticks=sizes,
                        text=lambda size: f"2<tspan dy='-4' font-size='9'>{size.bit_length() - 1}</tspan>")
    y = line_chart.Axis(ticks[0], ticks[-1], logarithmic=True, ticks=ticks)
    elements = [f'<text x="56" y="20" font-size="14">Selection without feedback at a density of 1/{arguments.one_in}, in reads of the '
                'bucket</text>']
    elements += line_chart.legend(56, 42, names, colours, columns=5, width=170)
    rows = (len(names) + 4) // 5
    top = 60 + 18 * rows + 14
    for place, count in enumerate(threads):
        lines = [(name, points, False) for (name, of, _), points in found.items() if of == count]
        elements += line_chart.panel(56 + 440 * place, top, 400, 300, f"{count} thread{'s' if count > 1 else ''}", x, y,
                                     "elements", lines, colours)
    with open(arguments.svg, "w") as file:
        file.write(line_chart.document(56 + 440 * len(threads) - 10, top + 350, elements))


main()
