"""Runs Lockstep and the imitated runtime on the same models and inputs, and compares every observable tensor.

End to end: each tensor of Lockstep comes from Lockstep's own earlier tensors, never from the runtime's.
Integer tensors: every code must be equal. Float tensors: |difference| <= FLOAT_STEPS of the arithmetic * 2^-23 * max|tensor|.
Exits 1 when anything differs, when Lockstep fails on a model that the runtime runs, or runs one that it refuses.
"""
import argparse
import collections
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import cache
import inputs

# Float tensors: steps of 2^-23 of the tensor's largest magnitude that may differ. Lockstep follows the runtime's
# order of summation (docs/numerics.md, "Float tensors against the runtimes"); XNNPACK's it does not.
FLOAT_STEPS = {"tflite": 256}
FLOAT_STEPS_ELSE = 64
QUICK_BYTES = 700_000
BEGIN, END = "<!-- table: made by tests/oracle, do not edit between the markers -->", "<!-- /table -->"


class Row:
    """What one model in one arithmetic amounts to, over all its inputs."""

    def __init__(self, model, arith):
        self.model, self.arith = model, arith
        self.count = collections.Counter()
        self.float_steps = 0.0
        self.notes = []
        self.wrong = collections.Counter()  # floats out of bounds and absences, by tensor

    def bad(self):
        return self.count["differ"] + self.count["float_out"] + self.count["missing"] + self.count["failed"]

    def cells(self):
        c = self.count
        return [self.model, self.arith, c["inputs"], c["tensors"], c["codes"], c["differ"], c["ties"],
                c["floats"], f"{self.float_steps:.3g}", c["unobservable"], self.verdict()]

    def verdict(self):
        if self.count["refused"] and not self.bad():
            return "refused by both"
        return "equal" if not self.bad() else f"{self.bad()} wrong"


HEAD = ["model", "arithmetic", "inputs", "tensors compared", "codes compared", "codes that differ", "ties",
        "floats compared", "largest float difference (steps of 2^-23 of the maximum)", "unobservable tensors", "result"]


def ask_lockstep(binary, model, case, arith, folder):
    """(tensors, message): Lockstep's tensors, or None and its own words."""
    x, out = os.path.join(folder, "x.npz"), os.path.join(folder, "out.npz")
    np.savez(x, **case)
    if os.path.exists(out):
        os.remove(out)
    done = subprocess.run([binary, "run", model, "--input", x, "--arith", arith, "--all", "-o", out],
                          capture_output=True, text=True, timeout=900)
    if done.returncode != 0 or not os.path.exists(out):
        return None, f"exit {done.returncode}: {(done.stderr or done.stdout).strip()[:300]}"
    with np.load(out) as z:
        return {n: z[n] for n in z.files}, ""


def compare_tensor(row, tag, name, mine, theirs, verbose):
    """Adds one tensor to the row."""
    row.count["tensors"] += 1
    where = f"{row.model} {row.arith} {tag} {name}"
    if mine.size != theirs.size or mine.shape != theirs.shape:
        row.count["differ"] += theirs.size
        row.notes.append(f"{where}: shape {mine.shape} against {theirs.shape}")
        return
    if theirs.dtype.kind in "iub":
        row.count["codes"] += theirs.size
        differ = mine.astype(np.int64) != theirs.astype(np.int64)
        n = int(differ.sum())
        if mine.dtype != theirs.dtype:
            row.notes.append(f"{where}: type {mine.dtype} against {theirs.dtype}")
            n = theirs.size
        row.count["differ"] += n
        if n:
            i = tuple(np.argwhere(differ)[0]) if differ.any() else ()
            row.notes.append(f"{where}: {n} of {theirs.size} codes differ, first at {i}: "
                             f"{mine[i] if i else ''} against {theirs[i] if i else ''}")
        return
    row.count["floats"] += theirs.size
    a, b = mine.astype(np.float64), theirs.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return
    finite = np.isfinite(b)
    top = np.abs(b[finite]).max() if finite.any() else 0.0
    with np.errstate(all="ignore"):
        steps = np.where(same, 0.0, np.abs(a - b) / (max(top, 1e-30) * 2.0 ** -23))
    steps = np.where(np.isnan(steps), np.inf, steps)
    worst = float(steps.max())
    row.float_steps = max(row.float_steps, worst)
    out = int((steps > FLOAT_STEPS.get(row.arith, FLOAT_STEPS_ELSE)).sum())
    row.count["float_out"] += out
    if out or verbose:
        i = tuple(np.unravel_index(int(steps.argmax()), steps.shape))
        row.notes.append(f"{where}: {int((~same).sum())} of {b.size} floats differ, worst {worst:.3g} steps at {i}: "
                         f"{mine[i]!r} against {theirs[i]!r}")


def compare_case(row, binary, path, tag, case, oracle, folder, verbose):
    """One model, one arithmetic, one input."""
    theirs, meta = oracle(path, case, row.arith)
    mine, words = ask_lockstep(binary, path, case, row.arith, folder)
    row.count["inputs"] += 1
    if meta["refused"]:
        row.count["refused"] += 1
        if mine is not None and row.arith != "cmsis-nn":  # TFLM lacks kernels; that says nothing of those it has
            row.count["failed"] += 1
            row.notes.append(f"{row.model} {row.arith} {tag}: runs here, refused by the runtime: {meta['refused'][:150]}")
        return
    if mine is None:
        row.count["failed"] += 1
        row.notes.append(f"{row.model} {row.arith} {tag}: {words}")
        return
    for name, facts in meta["tensors"].items():
        if not facts["observable"]:
            if row.count["inputs"] == 1:
                row.count["unobservable"] += 1
        elif name not in mine:
            row.count["missing"] += 1
            row.wrong[name] += 1
            row.notes.append(f"{row.model} {row.arith} {tag} {name}: observed in the runtime, absent here")
        else:
            before = row.count["float_out"]
            compare_tensor(row, tag, name, mine[name], theirs[name], verbose)
            row.wrong[name] += row.count["float_out"] - before


def plan(args):
    """[(relative path, arithmetic, oracle, cases)] of what is to be compared."""
    import ort_oracle
    jobs = []
    for m in inputs.onnx_models():
        for arith in ("ort-noopt", "ort"):
            jobs.append((m, arith, ort_oracle.answer, inputs.onnx_inputs))
    try:
        import inputs_tflite
        import tflite_oracle
        import litert_oracle
        import tflm_oracle
        for m in inputs_tflite.tflite_models():
            jobs.append((m, "tflite-ref", tflite_oracle.answer, inputs_tflite.tflite_inputs))
            jobs.append((m, "tflite", litert_oracle.answer, inputs_tflite.tflite_inputs))
            if tflm_oracle.available():
                jobs.append((m, "cmsis-nn", tflm_oracle.answer, inputs_tflite.tflite_inputs))
    except (ImportError, AttributeError) as error:
        print(f"note: no TFLite half: {error}", file=sys.stderr)
    root = cache.shared_folder() / "models"
    return [j for j in jobs
            if (not args.model or any(s in j[0] for s in args.model))
            and (not args.arith or j[1] in args.arith)
            and (not args.quick or (root / j[0]).stat().st_size <= QUICK_BYTES)]


def markdown(rows):
    lines = ["| " + " | ".join(HEAD) + " |", "|" + " --- |" * len(HEAD)]
    lines += ["| " + " | ".join(str(c) for c in r.cells()) + " |" for r in rows]
    return "\n".join(lines)


def write_table(path, rows, everything):
    """Replaces what stands between the two markers of the page; after a run of some rows, only those."""
    page = pathlib.Path(path).read_text(encoding="utf-8")
    head, rest = page.split(BEGIN, 1)
    old, tail = rest.split(END, 1)
    lines = markdown(rows).split("\n")
    if not everything:
        order = [tuple(j[:2]) for j in plan(argparse.Namespace(model=[], arith=[], quick=False))]
        of = lambda line: tuple(cell.strip() for cell in line.split("|")[1:3])
        known = {of(line): line for line in old.strip().split("\n")[2:]} | {of(line): line for line in lines[2:]}
        lines = lines[:2] + [known[key] for key in order if key in known]
    pathlib.Path(path).write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + tail, encoding="utf-8")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("model", nargs="*", help="only models whose path contains one of these")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    p.add_argument("--arith", action="append")
    p.add_argument("--quick", action="store_true", help="small models, three inputs each")
    p.add_argument("--inputs", type=int, default=0, help="only the first N inputs of each model")
    p.add_argument("--table", help="page whose table between the markers is replaced")
    p.add_argument("--verbose", action="store_true", help="also notes float tensors that differ within the bound")
    p.add_argument("--notes", type=int, default=12, help="notes printed for each row")
    args = p.parse_args()
    root, rows = cache.shared_folder() / "models", []
    with tempfile.TemporaryDirectory() as folder:
        for relative, arith, oracle, make_inputs in plan(args):
            row = Row(relative, arith)
            cases = make_inputs(relative)
            limit = args.inputs or (3 if args.quick else 0)
            for tag, case in cases[:limit] if limit else cases:
                compare_case(row, args.binary, str(root / relative), tag, case, oracle, folder, args.verbose)
            rows.append(row)
            print(" | ".join(str(c) for c in row.cells()), flush=True)
            for note in row.notes[:args.notes]:
                print("    " + note, flush=True)
            if len(row.notes) > args.notes:
                print(f"    and {len(row.notes) - args.notes} more", flush=True)
    if args.table:
        write_table(args.table, rows, not (args.model or args.arith or args.quick or args.inputs))
    codes, differ = sum(r.count["codes"] for r in rows), sum(r.count["differ"] for r in rows)
    wrong = sum(r.bad() > 0 for r in rows)
    print(f"{len(rows)} rows, {codes} codes compared, {differ} differ; {wrong} rows not equal")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
