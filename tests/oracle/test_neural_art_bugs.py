"""Mistakes of a compiler (neural_art_bugs.py), planted into epoch programs one at a time: `audit` or the table of `npu compare`
must name the epoch in which each stands, and the audit of the unbroken program must hold no error.

A mistake that changes no byte that any epoch writes is counted apart: there is nothing to find. Ends with `N passed, M failed, K skipped`.
"""
import argparse
import collections
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

import cache
import neural_art_bugs as bugs
import neural_art_networks as nets
import test_neural_art as generated


class Trial:
    def __init__(self, binary, program, model, inputs, folder):
        self.binary, self.model, self.inputs, self.folder = binary, model, inputs, pathlib.Path(folder)
        self.program = bugs.Program(program)
        self.rows = self.table(program)
        self.made = self.tensors(program)
        self.clean = self.errors(program)

    def run(self, *args):
        return subprocess.run([self.binary, *map(str, args)], capture_output=True, text=True, timeout=600)

    def errors(self, program):
        """[(epoch, rule)] of the audit, or its refusal as a string."""
        out = self.folder / "findings.json"
        done = self.run("audit", program, "--model", self.model, "--json", out)
        if done.returncode == 2:
            return done.stderr.strip()
        found = json.loads(out.read_text())
        found = found if isinstance(found, list) else found["findings"]
        return [(f["epoch"], f["rule"]) for f in found if f["severity"] == "error"]

    def table(self, program):
        """{(epoch, tensor): (max LSB, share)} in order, or the refusal."""
        done = self.run("npu", "compare", program, "--model", self.model, "--input", self.inputs)
        if done.returncode:
            return done.stderr.strip()
        rows = [line.split() for line in done.stdout.splitlines()[1:]]
        inner = {(int(r[0]), r[1]): (float(r[2]), 100.0) for r in rows if r[3] == "of"}  # sums and copies that the model implies
        return inner | {(int(r[0]), r[1]): (float(r[2]), float(r[3])) for r in rows if r[3] != "of"}

    def tensors(self, program):
        out = self.folder / "made.npz"
        done = self.run("npu", "run", program, "--model", self.model, "--input", self.inputs, "--mode", "forced", "-o", out)
        if done.returncode:
            return done.stderr.strip()
        with np.load(out) as z:
            return {n: z[n] for n in z.files}

    def departure(self, rows):
        worse = [key[0] for key, (most, share) in rows.items()
                 if (usual := self.rows.get(key, (0, 0))) and (most > usual[0] or share > 1.5 * usual[1] + 0.1)]
        return min(worse, default=0)

    def no_effect(self, program):
        made = self.tensors(program)
        return not isinstance(made, str) and all(n in made and np.array_equal(made[n], a) for n, a in self.made.items())

    def look(self, epoch, program):
        """(how it was found or '', what was said first)."""
        errors = self.errors(program)
        if isinstance(errors, str):
            return ("refused" if re.search(rf"epoch {epoch}\b", errors) else "", errors)
        if errors and errors[0][0] == epoch:
            return "audit", str(errors[0])
        if any(e == epoch for e, _ in errors):
            return "audit, not first", str(errors[:3])
        rows = self.table(program)
        if isinstance(rows, str):
            return ("run" if re.search(rf"epoch {epoch}\b", rows) else "", rows)
        at = self.departure(rows)
        return ("run" if at == epoch else "", (str(errors[:2]) if errors else "") + f" departs at {at}")


def plant_all(t, kinds, seeds, count, how):
    """Plants each kind once for each seed; prints what is missed, or named behind another epoch."""
    broken = t.folder / "broken.program.json"
    for name in kinds:
        for seed in seeds:
            program = t.program.copy()
            epoch = bugs.KINDS[name](program, np.random.default_rng(seed))
            if epoch is None:
                break
            program.save(broken)
            found, said = t.look(epoch, broken)
            if not found and t.no_effect(broken):
                count["without effect"] += 1
                continue
            count["planted"] += 1
            count["found"] += bool(found)
            how[found or "missed"] += 1
            if not found or found.endswith("first"):
                print(f"{'later' if found else 'MISSED'}  {name}, seed {seed}, epoch {epoch}: {said[:200]}", flush=True)


def shared_programs():
    """(program, model, inputs) of the two compiled networks, or nothing where they are not at hand."""
    folder = cache.shared_folder() / "models"
    for name, model in (("yamnet_1024", "yamnet_1024_64x96_qdq_int8"), ("stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8")):
        base = folder / "neural-art" / name
        if base.with_suffix(".program.json").exists():
            yield f"{base}.program.json", f"{folder}/st/{model}.onnx", f"{base}.inputs.npz"


def lowered_programs(binary, folder, seeds):
    """The same of generated networks, by `npu lower`."""
    for kind in (generated.chain, generated.residual, generated.classifier, generated.passes, generated.joined):
        for seed in seeds:
            net = nets.Network(seed, np.int8, ("onnx", "tflite"))
            kind(net)
            for form, model in net.save(folder).items():
                if form == "stated":
                    continue
                codes = net.maps[0].codes.astype(net.dtype)[1:]  # the first sample may be of one value only
                inputs, program = f"{folder}/x.npz", f"{folder}/lowered.program.json"
                np.savez(inputs, x=codes if form == "tflite" else codes.transpose(0, 3, 1, 2))
                if subprocess.run([binary, "npu", "lower", model, "-o", program], capture_output=True).returncode == 0:
                    yield program, model, inputs


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("program", nargs="?", help="with --model and --input; else the two shared programs and some by `npu lower`")
    p.add_argument("--model")
    p.add_argument("--input")
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--kind", action="append")
    p.add_argument("--long", action="store_true", help="every kind everywhere, not one in eight")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    count, how = collections.Counter(), collections.Counter()
    seeds = range(args.first, args.first + args.seeds)
    kinds = args.kind or list(bugs.KINDS)
    bad = programs = 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as files:
        own = [(args.program, args.model, args.input)] if args.program else []
        for case in own or itertools.chain(shared_programs(), lowered_programs(args.binary, files, seeds)):
            t = Trial(args.binary, *case, folder)
            programs += 1
            if isinstance(t.rows, str) or isinstance(t.made, str) or t.clean:
                print(f"FAILED  {case[0]} unbroken: {t.clean or (t.rows if isinstance(t.rows, str) else t.made)}")
                bad += 1
                continue
            all_of_them = args.long or args.kind or args.program
            plant_all(t, kinds if all_of_them else kinds[programs % 8::8], seeds, count, how)
    print(", ".join(f"{n} {k}" for k, n in sorted(how.items())))
    missed = count["planted"] - count["found"]
    print(f"{count['found']} of {count['planted']} mistakes in {programs} programs found at their epoch, {count['without effect']} without effect")
    print(f"{count['found']} passed, {missed + bad} failed, {0 if programs else 1} skipped")
    return 1 if missed + bad else 0


if __name__ == "__main__":
    sys.exit(main())
