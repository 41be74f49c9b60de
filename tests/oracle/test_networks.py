"""The small .tflite networks of networks/ against the runtimes, every tensor, end to end: tflite-ref against LiteRT's
reference kernels, tflite against its default, cmsis-nn against TFLite Micro.

`--folder F` takes the files of another folder. Ends with `N passed, M failed, K skipped`; one test is one file in one
arithmetic.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np

import cache
import compare_models
import inputs_tflite
import litert_oracle
import tflite_oracle
import tflm_oracle


def cases(path):
    """[(tag, inputs)]: seeded random over the type's range, normal, all minimum, all maximum, zero."""
    made = {"random": {}, "normal": {}, "minimum": {}, "maximum": {}, "zero": {}}
    for name, dtype, shape, (_, zero) in inputs_tflite.signature(path):
        rng = inputs_tflite.random_of(path.name + name)
        whole = dtype.kind in "iu"
        low, high = (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)) if whole else (-3.0, 3.0)
        normal = (low + high) / 2 + rng.standard_normal(shape) * (high - low) / 6
        made["random"][name] = (rng.integers(low, high + 1, shape) if whole else rng.uniform(low, high, shape)).astype(dtype)
        made["normal"][name] = (np.clip(np.rint(normal), low, high) if whole else normal).astype(dtype)
        for tag, value in (("minimum", low), ("maximum", high), ("zero", zero if whole else 0)):
            made[tag][name] = np.full(shape, value, dtype)
    return list(made.items())


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true", help="all inputs; else three of each")
    p.add_argument("--folder", default=str(pathlib.Path(__file__).parent / "networks"))
    p.add_argument("--only", default="", help="files whose name contains this")
    p.add_argument("--notes", type=int, default=3)
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    passed = failed = skipped = codes = 0
    with tempfile.TemporaryDirectory() as folder:
        oracles = {"tflite-ref": tflite_oracle.answer, "tflite": litert_oracle.answer}
        if tflm_oracle.available():
            oracles["cmsis-nn"] = tflm_oracle.answer
        files = sorted(p for p in pathlib.Path(args.folder).glob("*.tflite") if args.only in p.name)
        for path, arith in [(path, arith) for path in files for arith in oracles]:
            if arith == "cmsis-nn" and path.name.startswith("recurrent"):
                print(f"skipped  {arith} {path.name}: TFLite Micro keeps no room for shapes that change by step, and writes beyond them")
                skipped += 1
                continue
            row = compare_models.Row(path.name, arith)
            for tag, case in cases(path)[:None if args.long else 3]:
                compare_models.compare_case(row, args.binary, str(path), tag, case, oracles[arith], folder, False)
            refused = not row.bad() and row.count["refused"] > 0
            if refused:
                print(f"skipped  {arith} {path.name}: refused by the runtime")
            skipped, passed, failed = skipped + refused, passed + (row.bad() == 0 and not refused), failed + (row.bad() > 0)
            codes += row.count["codes"]
            if row.bad():
                print(f"FAILED  {arith} {path}: " + ", ".join(f"{k} {v}" for k, v in sorted(row.count.items())))
                for note in row.notes[:args.notes]:
                    print("    " + note, flush=True)
    if not passed + failed + skipped:
        print(f"skipped  no .tflite file in {args.folder}: networks/make_tflite.py writes them")
        skipped = 1
    print(f"{codes} codes compared")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
