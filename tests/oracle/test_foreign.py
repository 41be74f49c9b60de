"""`lockstep diagnose` on faulty captures that another program made: foreign_faults.py, through the command line.

Every tensor in codes and the input are captured. One test is one fault in one network: the first wrong operation and
the cause must be those of the table; what changes no number is skipped and counted. Ends with `N passed, M failed,
K skipped`. `--level half|outputs` captures less and prints what is found: the cause alone is judged, or what the
report proves to be the very same; verdicts that say "cannot decide" are counted on their own, healthy ones as failed.
`--count 1` records one inference, `--as float32` writes codes as a tool that knows only reals would.
"""
import argparse
import logging
import pathlib
import re
import subprocess
import sys
import tempfile

logging.disable(logging.WARNING)

import numpy as np
import onnx

from foreign_faults import Bench, cases, code_tensors
from foreign_network import captured

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Not solved: printed, counted as skipped.
OPEN = {}


def field(text, name):
    found = re.search(rf"^{name} +(.*)$", text, re.M)
    return found.group(1) if found else ""


def names_of(level, bench):
    if level == "all":
        return None
    return ["image", "logits"] + (code_tensors(bench.model)[1::2] if level == "half" else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0", help="networks, by comma")
    parser.add_argument("--level", default="all", choices=["all", "half", "outputs"])
    parser.add_argument("--count", type=int, default=4, help="inferences")
    parser.add_argument("--as", dest="kind", default="", help="a type of NumPy that tensors are written in")
    parser.add_argument("--only", default="", help="a pattern of names")
    parser.add_argument("--long", action="store_true", help="two more networks")
    parser.add_argument("--lockstep", default=str(ROOT / "build/bin/lockstep"))
    options = parser.parse_args()
    passed, failed, skipped, undecided = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        model, capture = pathlib.Path(folder) / "m.onnx", pathlib.Path(folder) / "captures.npz"
        for seed in map(int, (options.seeds + (",1,2" if options.long else "")).split(",")):
            bench = Bench(seed, options.count)
            onnx.save(bench.model, model)
            for name, samples, operation, words in cases(bench):
                if not re.search(options.only, name):
                    continue
                shown = captured(samples, names_of(options.level, bench))
                right = captured(bench.right, names_of(options.level, bench))
                np.savez(capture, **({k: v.astype(options.kind) for k, v in shown.items()} if options.kind else shown))
                invisible = all((shown[k] == right[k]).all() for k in shown if k != "image")
                if operation is not None and (invisible or name in OPEN):
                    print(f"skipped  {seed} {name}: {'changes nothing here' if invisible else OPEN[name]}")
                    skipped += 1
                    continue
                done = subprocess.run([options.lockstep, "diagnose", str(model), "--target", str(capture)], capture_output=True, text=True)
                text = re.sub("\x1b\\[[0-9;]*m", "", done.stdout)
                cause, first, tie = field(text, "cause"), field(text, "first wrong"), field(text, " +tie:")
                if options.level != "all" and field(text, "verdict").startswith("cannot decide") and done.returncode == 1:
                    print(f"undecided {seed} {name}")
                    undecided += 1
                    continue
                if operation is None:
                    ok = done.returncode == 0
                else:
                    ok = done.returncode == 1 and (any(w in cause + tie for w in words) if words else cause.startswith("unexplained"))
                    if options.level == "all":
                        ok = ok and first.startswith(operation)
                passed, failed = passed + ok, failed + (not ok)
                if not ok:
                    print(f"FAILED   {seed} {name}: first wrong {first[:50]!r}, cause {cause[:100]!r}{done.stderr[:200]}")
    if undecided:
        print(f"{undecided} undecided")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
