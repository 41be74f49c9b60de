"""`lockstep diagnose` on faulty captures that another program made: foreign_faults.py, through the command line.

Every tensor in codes and the input are captured. One test is one fault in one network: the first wrong operation and
the cause must be those of the table; what changes no number is skipped and counted. Ends with `N passed, M failed,
K skipped`. `--level half|outputs` captures less and prints what is found: the cause alone is judged, or what the
report proves to be the very same; verdicts that say "cannot decide" and causes that stay unexplained are counted on
their own then, healthy ones as failed. Words may stand in the cause, a tie or the verdict; a verdict that the captures do
not belong to the model is asked for no operation.
`--count 1` records one inference, `--as float32` writes codes as a tool that knows only reals would. `--network wide`
(or line, dense) takes the networks and faults of foreign_wide_faults.py. A wrong cause stated as certain is printed
as such and counted whatever the level.
"""
import argparse
import json
import logging
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

logging.disable(logging.WARNING)

import numpy as np
import onnx

import foreign_faults
import foreign_wide_faults
from foreign_network import captured, code_tensors

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Not solved: printed, counted as skipped.
OPEN = {}


def field(text, name):
    found = re.search(rf"^{name} +(.*)$", text, re.M)
    return found.group(1) if found else ""


def names_of(level, bench):
    if level == "all":
        return None
    outputs = [o.name for o in bench.model.graph.output]
    return ["image", *outputs] + (code_tensors(bench.model)[1::2] if level == "half" else [])


def is_certain(report):
    """Whether the first suspect's cause is stated as certain."""
    suspects = json.loads(report.read_text())["suspects"] if report.exists() else []
    return bool(suspects and suspects[0]["explained"] and suspects[0]["explanations"][0]["certain"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0", help="networks, by comma")
    parser.add_argument("--network", default="", choices=["", "wide", "line", "dense"], help="of the second set of faults")
    parser.add_argument("--level", default="all", choices=["all", "half", "outputs"])
    parser.add_argument("--count", type=int, default=4, help="inferences")
    parser.add_argument("--as", dest="kind", default="", help="a type of NumPy that tensors are written in")
    parser.add_argument("--only", default="", help="a pattern of names")
    parser.add_argument("--keep", default="", help="a folder for the model and the captures of each case that fails")
    parser.add_argument("--long", action="store_true", help="two more networks")
    parser.add_argument("--lockstep", default=str(ROOT / "build/bin/lockstep"))
    options = parser.parse_args()
    passed, failed, skipped, undecided, unexplained, sure = 0, 0, 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        model, capture, report = (pathlib.Path(folder) / n for n in ("m.onnx", "captures.npz", "report.json"))
        for seed in map(int, (options.seeds + (",1,2" if options.long else "")).split(",")):
            second = options.network != ""
            bench = foreign_wide_faults.Wide(options.network, seed, options.count) if second else foreign_faults.Bench(seed, options.count)
            onnx.save(bench.model, model)
            for name, samples, operation, words in (foreign_wide_faults if second else foreign_faults).cases(bench):
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
                report.unlink(missing_ok=True)
                done = subprocess.run([options.lockstep, "diagnose", str(model), "--target", str(capture), "--json", str(report)],
                                      capture_output=True, text=True)
                text = re.sub("\x1b\\[[0-9;]*m", "", done.stdout)
                cause, first, tie = field(text, "cause"), field(text, "first wrong"), field(text, " +tie:")
                if options.level != "all" and field(text, "verdict").startswith("cannot decide") and done.returncode == 1:
                    print(f"undecided {seed} {name}")
                    undecided += 1
                    continue
                if operation is None:
                    ok = done.returncode == 0
                else:
                    said = cause + tie + field(text, "verdict")
                    ok = done.returncode == 1 and (any(w in said for w in words) if words else cause.startswith("unexplained"))
                    if options.level == "all" and not field(text, "verdict").startswith("the captures do not belong"):
                        ok = ok and first.startswith(operation)
                if options.level != "all" and not ok and cause.startswith("unexplained"):
                    print(f"unexplained {seed} {name}", flush=True)
                    unexplained += 1
                    continue
                passed, failed = passed + ok, failed + (not ok)
                certain = not ok and is_certain(report)
                sure += certain
                if not ok and options.keep:
                    kept = pathlib.Path(options.keep) / f"{options.network}{seed}-{options.level}-{name}"
                    kept.mkdir(parents=True, exist_ok=True)
                    shutil.copy(model, kept), shutil.copy(capture, kept)
                if not ok:
                    print(f"{'CERTAIN ' if certain else 'FAILED  '} {seed} {name}: first wrong {first[:50]!r}, cause {cause[:100]!r}{done.stderr[:200]}", flush=True)
    if undecided or unexplained:
        print(f"{undecided} undecided, {unexplained} unexplained")
    if sure:
        print(f"{sure} of the failed stated as certain")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
