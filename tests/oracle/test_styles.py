"""Networks of exporter_styles.py and last_styles.py against onnxruntime, every observable tensor, optimized and as written.

Ends with `N passed, M failed, K skipped`; one test is one network in one arithmetic. Skipped: what the quantizer or the runtime
refuses, and what Lockstep refuses by name (MatMulNBits).
"""
import argparse
import contextlib
import io
import os
import sys
import tempfile

import numpy as np
import onnx

import cache
import compare_models
import exporter_styles
import ort_oracle

REFUSED_BY_NAME = "MatMulNBits"
STYLES = ("hand", "options", "last")


def made(seed, style, path):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return exporter_styles.write(seed, style, path)
    except Exception as error:  # the quantizer has limits of its own
        return None, repr(error)[:160]


def compared(path, net, arith, args, folder):
    row = compare_models.Row(os.path.basename(path), arith)
    for width in (1, 3):
        x = np.random.default_rng(width).standard_normal(net.input_shape()).astype(np.float32) * np.float32(width)
        compare_models.compare_case(row, args.binary, path, f"times {width}", {"input": x}, ort_oracle.answer, folder, False)
    return row


def wrong(row, style, path):
    """What fails a network. In `last` networks codes and the network's outputs decide in `ort`: inner floats behind a Transpose that a quantizer
    went past, and which of two equal quantizers gives its name, are counted apart (docs/plan.md). As written, everything must be there and equal."""
    if style != "last" or row.arith != "ort":
        return row.bad()
    outputs = [out.name for out in onnx.load(path).graph.output]
    return row.count["differ"] + row.count["failed"] + sum(row.wrong[name] for name in outputs)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true")
    p.add_argument("--first", type=int, default=0, help="the first seed")
    p.add_argument("--seeds", type=int, help="networks of each style; 10, or 100 with --long")
    p.add_argument("--style", action="append", choices=STYLES)
    p.add_argument("--notes", type=int, default=3)
    p.add_argument("--apart", action="store_true", help="also notes what style last counts apart")
    p.add_argument("--keep", help="a folder for the networks")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    passed = failed = skipped = codes = apart = 0
    with tempfile.TemporaryDirectory() as folder:
        if args.keep:
            os.makedirs(args.keep, exist_ok=True)
        for style in args.style or STYLES:
            for seed in range(args.first, args.first + (args.seeds or (100 if args.long else 10))):
                path = os.path.join(args.keep or folder, f"{style}{seed}.onnx")
                net, what = made(seed, style, path)
                if net is None:
                    print(f"skipped  {style} {seed}: the quantizer refuses: {what}")
                    skipped += 1
                    continue
                for arith in ("ort-noopt", "ort"):
                    row = compared(path, net, arith, args, folder)
                    codes += row.count["codes"]
                    refused = row.count["refused"] or any(REFUSED_BY_NAME in note for note in row.notes)
                    bad = wrong(row, style, path)
                    apart += row.bad() - bad
                    skipped, passed, failed = skipped + bool(refused), passed + (not refused and not bad), failed + (not refused and bool(bad))
                    if bad and not refused:
                        print(f"FAILED  {style} {seed} {arith}: {row.verdict()} ({what})")
                    for note in row.notes[:args.notes] if row.bad() and (bad or args.apart) else []:
                        print("    " + note[:300], flush=True)
    print(f"{codes} codes compared with onnxruntime; in style last {apart} floats and tensors that are known to differ")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    os.environ.setdefault("ORT_LOGGING_LEVEL", "4")
    sys.exit(main())
