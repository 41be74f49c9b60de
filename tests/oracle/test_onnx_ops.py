"""Single-operator ONNX models, made at random, through onnxruntime (`ort-noopt`) and through Lockstep.

Every element must be equal in its bits, floats included: what is quantized next depends on the last bit. NaN equals
NaN, and -0 equals 0. Cases marked INEXACT call functions that are not imitated; they are held to STEPS * 2^-23 of the largest magnitude,
and counted apart. Covers operators and shapes that the shared models do not use. One test is one case: two models of
it, with --long twenty. Ends with `N passed, M failed, K skipped`; skipped is what the runtime refuses, and operators that
Lockstep does not read.
"""
import argparse
import collections
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import cache
import compare_models
from onnx_cases import define_cases
from onnx_operands import CASES, INEXACT, Maker

STEPS = 16


def ask_runtime(model, fed):
    so = onnxruntime.SessionOptions()
    so.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    so.intra_op_num_threads, so.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), so, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, fed)))


def compare(name, a, b, count):
    """Words about a difference of one tensor, or none."""
    if a is None or a.shape != b.shape or a.dtype != b.dtype:
        count["failed"] += 1
        return f"{name} {None if a is None else (a.shape, a.dtype)} against {(b.shape, b.dtype)}"
    same = (a == b) | ((a != a) & (b != b))
    count["elements"] += b.size
    if same.all():
        return ""
    count["unequal"] += int((~same).sum())
    words = f"{name} {int((~same).sum())} of {b.size} elements"
    if b.dtype.kind == "f":
        with np.errstate(all="ignore"):
            top = max(float(np.abs(b[np.isfinite(b)]).max(initial=0)), 1e-30)
            steps = np.where(same, 0, np.abs(a.astype(np.float64) - b) / (top * 2.0 ** -23))
        words += f", {np.nanmax(steps):.3g} steps of the largest"
        count["beyond"] += int((~(steps <= STEPS)).sum())
    else:
        count["beyond"] += int((~same).sum())
    i = tuple(np.argwhere(~same)[0])
    return f"{words}, first at {[int(v) for v in i]}: {a[i]!r} against {b[i]!r}"


def run_case(name, seed, binary, folder, count, notes):
    m = Maker([seed, sum(name.encode())])
    CASES[name](m)
    try:
        model = m.model()
        theirs = ask_runtime(model, m.fed)
    except Exception as error:  # the runtime refuses its own operator in this form
        count["refused by the runtime"] += 1
        notes.append(f"{name} #{seed}: the runtime refuses: {str(error).strip()[:150]}")
        return
    path = os.path.join(folder, "m.onnx")
    onnx.save(model, path)
    mine, words = compare_models.ask_lockstep(binary, path, m.fed, "ort-noopt", folder)
    if mine is None and "want an operator of docs/ops.md" in words:
        count["not read here"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    if mine is None:
        count["failed"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    count["models"] += 1
    if m.kind == "NonMaxSuppression":  # shapes are static here: rows that stay empty are -1
        rows = mine["y0"]
        mine["y0"] = rows[:len(rows) - int((rows == -1).all(1).sum())]
    for tensor, b in theirs.items():
        words = compare(tensor, mine.get(tensor), b, count)
        if words:
            shapes = ", ".join(f"{n}{list(a.shape)}" for n, a in m.fed.items())
            notes.append(f"{name} #{seed} ({shapes}; {m.attrs}): {words}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("case", nargs="*", help="only cases whose name contains one of these")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    p.add_argument("--seeds", type=int, default=0, help="models of each case")
    p.add_argument("--first", type=int, default=0, help="the first seed")
    p.add_argument("--long", action="store_true")
    p.add_argument("--notes", type=int, default=2)
    args = p.parse_args()
    define_cases()
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            if args.case and not any(c in name for c in args.case):
                continue
            count, notes = collections.Counter(), []
            for seed in range(args.first, args.first + (args.seeds or (20 if args.long else 2))):
                run_case(name, seed, args.binary, folder, count, notes)
            bad = count["failed"] + (count["beyond"] if INEXACT[name] else count["unequal"])
            verdict = "failed" if bad else "passed" if count["models"] else "skipped"
            total["not read"] += count["not read here"] > 0
            total[verdict] += 1
            total["elements"] += count["elements"]
            total["unequal"] += count["unequal"]
            if args.case or verdict != "passed":
                print(f"{verdict} {name}: {dict(count)}", flush=True)
                for note in notes[:args.notes]:
                    print("    " + note, flush=True)
    print(f"{total['elements']} elements compared, {total['unequal']} unequal in their bits; "
          f"{total['not read']} operators that are not read here are skipped")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
