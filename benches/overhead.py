"""What calls cost beside their work: a small eager op, a captured step, the import. Prints CPU time.

python benches/overhead.py
python benches/overhead.py --peer-python other/bin/python
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

SMALL = "a, b, w = {m}.ones(4), {m}.ones(4), {m}.ones(4).requires_grad_()"
CASES = {
    "trainsmith": {
        "a + b": "a + b",
        "a + b with gradients": "w + b",
        "a + 1.0": "a + 1.0",
        "captured step of a + b": "step(a, b)",
        "captured step of a + b, NumPy arrays": "step(x, x)",
        "captured AdamW step of 3 layers": "train(rows, targets)",
    },
    "torch": {"a + b": "a + b", "a + b with gradients": "w + b", "a + 1.0": "a + 1.0"},
}
SETUP = {
    "trainsmith": f"""
import numpy as np, trainsmith as ts
{SMALL.format(m="ts")}
x = np.ones(4, np.float32)
step = ts.compile(lambda p, q: p + q)
model = ts.nn.Sequential(ts.nn.Linear(4, 4), ts.nn.ReLU(), ts.nn.Linear(4, 4), ts.nn.ReLU(), ts.nn.Linear(4, 1))
optimizer = ts.optim.AdamW(model.parameters())
rows, targets = ts.ones((2, 4)), ts.ones((2, 1))
@ts.compile
def train(rows, targets):
    optimizer.zero_grad()
    loss = ts.nn.functional.mse_loss(model(rows), targets)
    loss.backward()
    optimizer.step()
    return loss
""",
    "torch": f"import torch\ntorch.set_num_threads(1)\n{SMALL.format(m='torch')}",
}
IMPORTS = ("import numpy", "import trainsmith")


def best(call: Callable[[], object], calls: int = 1000, rounds: int = 40) -> float:
    """Least microseconds of CPU time a call."""
    call()
    taken: list[float] = []
    for _ in range(rounds):
        start = time.thread_time()
        for _ in range(calls):
            call()
        taken.append((time.thread_time() - start) / calls * 1e6)
    return min(taken)


def measure(library: str) -> None:
    """Prints the cases of a library that this interpreter has."""
    names: dict[str, object] = {}
    exec(SETUP[library], names)
    for name, code in CASES[library].items():
        print(f"| {library}: {name} | {best(eval(f'lambda: {code}', names)):.2f} μs |")


def measure_import(statement: str) -> None:
    code = f"import time; start = time.process_time(); {statement}; print(time.process_time() - start)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(10)]
    print(f"| {statement}, median of 10 | {statistics.median(float(run.stdout) for run in runs):.3f} s |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python benches/overhead.py", description="CPU time of calls and imports")
    parser.add_argument("--peer-python", help="interpreter that has torch installed")
    parser.add_argument("--library", choices=sorted(CASES), default="trainsmith")
    options = parser.parse_args()
    if options.library != "trainsmith":
        measure(options.library)
        return
    print("| call | CPU time |\n| --- | ---: |")
    measure("trainsmith")
    if options.peer_python:
        sys.stdout.flush()
        subprocess.run([options.peer_python, __file__, "--library", "torch"], check=True)
    for statement in IMPORTS:
        measure_import(statement)


if __name__ == "__main__":
    main()
