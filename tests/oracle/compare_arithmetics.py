"""Where arithmetics differ from each other: the same models and inputs in several, codes counted end to end.

Every operator takes its inputs from its own arithmetic, so differences add up along the network. No runtime is asked;
the runtimes' side is compare_models.py. `--table docs/numerics.md` writes the page.
"""
import argparse
import collections
import os
import pathlib
import sys
import tempfile

import cache
import compare_models
import inputs
import inputs_tflite

BEGIN = "<!-- differences: made by tests/oracle/compare_arithmetics.py, do not edit between the markers -->"
END = "<!-- /differences -->"
PAIRS = {"onnx": [("ort-noopt", "ort")],
         "tflite": [("tflite-ref", "tflite"), ("tflite-ref", "cmsis-nn"), ("cmsis-nn", "cmsis-nn-single")]}


def compare(binary, path, cases, pair, folder):
    """Counter of codes, codes that differ, greatest difference, tensors; None when one refuses the model."""
    count = collections.Counter()
    for _, case in cases:
        a, b = (compare_models.ask_lockstep(binary, path, case, arith, folder)[0] for arith in pair)
        if a is None or b is None:
            return None
        for name in a.keys() & b.keys() - case.keys():
            x, y = a[name], b[name]
            if isinstance(x, bytes):  # the archive's own description
                continue
            if x.dtype != y.dtype or x.dtype.kind not in "iu" or x.shape != y.shape or x.dtype.itemsize > 2:
                continue
            d = abs(x.astype("int64") - y.astype("int64"))
            count["tensors"] += 1
            count["tensors that differ"] += bool(d.any())
            count["codes"] += x.size
            count["differ"] += int((d > 0).sum())
            count["most"] = max(count["most"], int(d.max(initial=0)))
    return count


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("model", nargs="*")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    p.add_argument("--inputs", type=int, default=2)
    p.add_argument("--table")
    args = p.parse_args()
    root, lines = cache.shared_folder() / "models", []
    jobs = [(m, pair, inputs.onnx_inputs) for m in inputs.onnx_models() for pair in PAIRS["onnx"]]
    jobs += [(m, pair, inputs_tflite.tflite_inputs) for m in inputs_tflite.tflite_models() for pair in PAIRS["tflite"]]
    with tempfile.TemporaryDirectory() as folder:
        for model, pair, make in jobs:
            if args.model and not any(s in model for s in args.model):
                continue
            c = compare(args.binary, os.path.join(root, model), make(model)[:args.inputs], pair, folder)
            if c is None or not c["codes"]:
                continue
            cells = [model, " / ".join(pair), c["tensors"], c["tensors that differ"], c["codes"], c["differ"],
                     f"{100 * c['differ'] / c['codes']:.3g} %", c["most"]]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
            print(" | ".join(map(str, cells)), flush=True)
    if args.table:
        head = ["model", "arithmetics", "tensors", "tensors that differ", "codes", "codes that differ", "share", "greatest difference"]
        page = pathlib.Path(args.table).read_text(encoding="utf-8")
        before, rest = page.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        table = "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)] + lines)
        pathlib.Path(args.table).write_text(before + BEGIN + "\n" + table + "\n" + END + after, encoding="utf-8")
    return 0 if lines else 1


if __name__ == "__main__":
    sys.exit(main())
