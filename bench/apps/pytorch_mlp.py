#!/usr/bin/env python3
"""The peer of `weir-train`: the same network, data and batch in PyTorch eager mode, on one thread.

As fast as eager mode gets: tensors are ready-made, an epoch is shuffled by one indexing, the optimizer is the
quicker of `fused` and `foreach`, and the loss is read once per epoch. Prints one JSON object.
"""
import argparse
import json
import time

import torch

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("data", help="digits.csv")
parser.add_argument("--hidden", default="64,64")
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--learning-rate", type=float, default=0.1)
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--optimizer", choices=["fused", "foreach"], default="fused")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)

with open(options.data) as file:
    rows = torch.tensor([[int(value) for value in line.split(",")] for line in file])
pixels, labels = rows[:, :64].float() / 16, rows[:, 64]
train, test = slice(0, -360), slice(-360, None)

layers, width = [], 64
for hidden in map(int, options.hidden.split(",")):
    layers += [torch.nn.Linear(width, hidden), torch.nn.ReLU()]
    width = hidden
model = torch.nn.Sequential(*layers, torch.nn.Linear(width, 10))
for module in model:
    if isinstance(module, torch.nn.Linear):
        torch.nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        torch.nn.init.zeros_(module.bias)
optimizer = torch.optim.SGD(
    model.parameters(), lr=options.learning_rate, momentum=options.momentum, **{options.optimizer: True})


def epoch():
    order = torch.randperm(len(pixels[train]))
    total = torch.zeros(())
    steps = 0
    for x, y in zip(pixels[train][order].split(options.batch), labels[train][order].split(options.batch)):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(y)
        steps += 1
    return steps, total.item() / len(order)


epoch()  # what is done once, such as creating the momentum, is not timed
steps, loss = 0, 0.0
begin = time.perf_counter()
for _ in range(options.epochs - 1):
    count, loss = epoch()
    steps += count
seconds = time.perf_counter() - begin
with torch.no_grad():
    right = (model(pixels[test]).argmax(1) == labels[test]).float().mean().item()
print(json.dumps({
    "torch": torch.__version__, "optimizer": options.optimizer, "steps_per_second": steps / seconds,
    "samples_per_second": len(pixels[train]) * (options.epochs - 1) / seconds, "train_loss": loss,
    "test_accuracy": right}))
