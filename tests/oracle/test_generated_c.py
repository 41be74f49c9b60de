"""Generated C against the reference on networks made from seeds: every tensor equal, dead bytes poisoned, no warning.

ONNX networks of generated.py in `ort` and `ort-noopt`, single-operator TFLite models of test_tflite_ops.py and ONNX ones
of test_onnx_ops.py in their arithmetics (a short run: some of them), and with --folder every .onnx and .tflite file below it. Each is generated,
compiled and run by `validate --target c:` (with --qemu N every N-th on the emulated Cortex-M55 too); network.c is compiled
once more with every warning an error by gcc and clang. Activations over 1.02 of the largest live set fail. What has no C,
what the reference itself does not take, what could not be made and files too large are skipped, counted by reason. Ends with
`N passed, M failed, K skipped`; one test is one network in one arithmetic.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import cache

QUICK, LONG = 12, 200
# Operators of which a short run takes one model each as well.
SOME = "Detection", "NonMaxSuppression", "four bits", "MatMulNBits", "RNN"
ONNX, TFLITE = ("ort", "ort-noopt"), ("tflite-ref", "cmsis-nn", "tflite")
WARNINGS = ["-std=c99", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-c"]
M55 = ["-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"]
COMPILERS = [c for c in (["gcc"], ["clang"], ["arm-none-eabi-gcc", *M55]) if shutil.which(c[0])]


class Sweep:
    def __init__(self, args, folder):
        self.args, self.folder = args, pathlib.Path(folder)
        self.count, self.reasons = collections.Counter(), collections.Counter()
        self.ran = self.on_board = 0
        self.all_have_c = False  # of what is asked now

    def lockstep(self, *words, seconds=900):
        return subprocess.run([self.args.binary, *map(str, words)], capture_output=True, text=True, timeout=seconds)

    def skip(self, reason, tests):
        self.count["skipped"] += tests
        self.reasons[reason] += tests

    def one(self, name, model, arith, fed=None):
        verdict, words = self.judge(model, arith, fed)
        self.count[verdict] += 1
        if verdict == "failed" or (self.args.verbose and verdict != "passed"):
            print(f"{verdict}  {arith} {name}: {words}", flush=True)

    def judge(self, model, arith, fed):
        out = self.folder / "net"
        shutil.rmtree(out, ignore_errors=True)
        made = self.lockstep("generate", model, "-o", out, "--arith", arith)
        if made.returncode != 0:
            words = made.stderr.strip()
            if made.returncode != 2:
                return "failed", f"generate ended with {made.returncode}: {words[-300:]}"
            if "no C for" not in words:
                taken = self.lockstep("run", model, "--arith", arith, "-o", self.folder / "taken.npz").returncode == 0
                if taken:
                    return "failed", f"run takes it, generate does not: {words}"
                self.reasons["not taken by the reference either"] += 1
                return "skipped", words
            if self.all_have_c:
                return "failed", words
            self.reasons["no C for " + re.search(r"no C for (.*?);", words)[1]] += 1
            return "skipped", words
        if self.args.generate_only:
            return "passed", ""
        live = re.search(r"activations +(\d+) bytes \((\d+) live", made.stdout)
        if live[1] == "0":
            self.reasons["constants alone: nothing runs"] += 1
            return "skipped", "constants alone"
        # A vector of slack behind the block, and two roundings of tiny networks.
        if int(live[1]) - 16 > 1.02 * int(live[2]) + 32:
            return "failed", f"{live[1]} bytes of activations, {live[2]} live"
        bad = self.run(model, arith, f"c:{out},poison=on", fed) or self.warnings(out)
        self.ran += 1
        if not bad and self.args.qemu and self.ran % self.args.qemu == 0:
            self.on_board += 1
            bad = self.run(model, arith, f"qemu:{out}", fed)
        return ("failed", bad) if bad else ("passed", "")

    def run(self, model, arith, target, fed):
        """What is wrong, or ''; `fed`: a file of inputs, else seeded ones."""
        inputs = ["--input", fed] if fed else ["--samples", self.args.samples, "--seed", self.args.input_seed]
        told = self.folder / "told.json"
        told.unlink(missing_ok=True)
        done = self.lockstep("validate", model, "--reference", arith, "--target", target, "--tolerance", "exact",
                             *inputs, "--json", told)
        if done.returncode == 0:
            return ""
        wrong = [line.strip() for line in done.stdout.splitlines() if "WRONG" in line or line.startswith("first wrong")]
        return f"{target.split(':')[0]}: exit {done.returncode}: {(' | '.join(wrong[:2]) or done.stderr.strip())[:400]}"

    def warnings(self, out):
        for compiler in COMPILERS:
            for source in ("network.c", "network_weights.c"):
                done = subprocess.run([*compiler, *WARNINGS, source, "-o", os.devnull], cwd=out, capture_output=True, text=True)
                if done.returncode != 0:
                    return f"{compiler[0]}: {done.stderr.strip()[:300]}"
        return ""


def sanitizing(folder):
    """A compiler for `c:` whose programs end at the first thing that the sanitizers find."""
    path = pathlib.Path(folder) / "sanitizing-cc"
    path.write_text('#!/bin/sh\nexec cc -g -fsanitize=address,undefined -fno-sanitize-recover=all "$@"\n')
    path.chmod(0o755)
    return str(path)


def generated_onnx(sweep, seeds, first):
    import generated
    names = list(generated.VARIANTS)
    stages, heads = list(generated.STAGES), list(generated.HEADS)
    for i in range(seeds):
        job = (first + i, names[(first + i) % len(names)], [stages[i % len(stages)]], heads[i % len(heads)])
        try:
            path = generated.network(*job)
        except Exception as error:  # the quantizer or the runtime refuses its own network
            print(f"not made  {job}: {str(error)[:120]}")
            sweep.skip(f"not made: {type(error).__name__}", len(ONNX))
            continue
        for arith in ONNX:
            sweep.one(path.name, path, arith)


def generated_tflite(sweep, seeds, first, only):
    import test_tflite_ops as ops
    if not ops.CASES:
        ops.define_cases()
    for name in ops.CASES:
        if only and not any(o in name for o in only):
            continue
        for seed in range(first, first + seeds):
            m = ops.Maker([seed, sum(name.encode())])
            op, operands, results, kind, *_ = ops.CASES[name](m)
            path = sweep.folder / "m.tflite"
            path.write_bytes(ops.mark_variables(ops.build(op, operands, results, kind, 4), operands))
            for arith in TFLITE:
                sweep.one(f"{name} #{seed}", path, arith)


def generated_onnx_operators(sweep, seeds, first, only):
    import numpy as np
    import onnx
    import onnx_cases
    from onnx_operands import CASES, Maker
    if not CASES:
        onnx_cases.define_cases()
    for name in CASES:
        if only and not any(o in name for o in only):
            continue
        for seed in range(first, first + seeds):
            m = Maker([seed, sum(name.encode())])
            CASES[name](m)
            path, fed = sweep.folder / "m.onnx", sweep.folder / "fed.npz"
            onnx.save(m.model(), path)
            np.savez(fed, **m.fed)
            for arith in ONNX:
                sweep.one(f"{name} #{seed}", path, arith, fed)


def files(sweep, folder):
    found = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix in (".onnx", ".tflite"))
    for path in found[sweep.args.first % sweep.args.every::sweep.args.every]:
        ariths = ONNX if path.suffix == ".onnx" else TFLITE
        if path.stat().st_size > sweep.args.most_bytes:
            sweep.skip(f"files over {sweep.args.most_bytes} bytes", len(ariths))
            continue
        for arith in ariths:
            sweep.one(str(path.relative_to(folder)), path, arith)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true")
    p.add_argument("--onnx", type=int, help="this many generated ONNX networks")
    p.add_argument("--tflite", type=int, help="this many models of each TFLite operator and type")
    p.add_argument("--onnx-operators", type=int, help="this many models of each ONNX operator")
    p.add_argument("--only", action="append", help="operators' cases whose name contains one of these")
    p.add_argument("--folder", action="append", default=[], help="every .onnx and .tflite file below it, nothing generated")
    p.add_argument("--every", type=int, default=1, help="of a folder every so many-th file, from --first on")
    p.add_argument("--most-bytes", type=int, default=3_000_000, help="larger files are left out")
    p.add_argument("--first", type=int, default=0, help="the first seed")
    p.add_argument("--arith", action="append", help="only these")
    p.add_argument("--samples", type=int, default=2)
    p.add_argument("--input-seed", type=int, default=42)
    p.add_argument("--qemu", type=int, default=0, help="every so many-th on the emulated Cortex-M55 too")
    p.add_argument("--sanitize", action="store_true", help="what runs here under the address and undefined sanitizers")
    p.add_argument("--generate-only", action="store_true", help="what has C, without compiling it")
    p.add_argument("--verbose", action="store_true", help="name what is skipped too")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    global ONNX, TFLITE
    if args.arith:
        ONNX, TFLITE = ([a for a in group if a in args.arith] for group in (ONNX, TFLITE))
    with tempfile.TemporaryDirectory() as folder:
        sweep = Sweep(args, folder)
        if args.sanitize:
            os.environ["CC"] = sanitizing(folder)
        for given in args.folder:
            files(sweep, given)
        alone = args.folder or args.only
        onnx = args.onnx if args.onnx is not None else 0 if alone else LONG if args.long else QUICK
        each = 0 if args.folder else 1
        only = args.only or (None if args.long else SOME)
        generated_onnx(sweep, onnx, args.first)
        for make, asked in ((generated_tflite, args.tflite), (generated_onnx_operators, args.onnx_operators)):
            seeds, which = (each, only) if asked is None else (asked, args.only)
            if seeds:
                sweep.all_have_c = which is SOME
                make(sweep, seeds, args.first, which)
    for reason, times in sweep.reasons.most_common():
        print(f"skipped {times:4}  {reason}")
    c = sweep.count
    print(f"{sweep.ran} compiled and run here, {sweep.on_board} of them on the board too")
    print(f"{c['passed']} passed, {c['failed']} failed, {c['skipped']} skipped")
    return 1 if c["failed"] or not c["passed"] else 0


if __name__ == "__main__":
    os.environ.setdefault("ORT_LOGGING_LEVEL", "4")
    sys.exit(main())
