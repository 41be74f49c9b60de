"""Mistakes of a compiler, planted one at a time into epoch programs (neural_art_bugs.py) and into the text of generated C, structures
and blobs (neural_art_text.py): `audit` or the table of `npu compare` must name the epoch in which each stands, and the audit of the
unbroken program, with the model and without, must hold no error.

A mistake that changes no byte that any epoch writes is counted apart: there is nothing to find. What the audit alone finds without the
model is counted beside it. Ends with `N passed, M failed, K skipped`.
"""
import argparse
import collections
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import cache
import neural_art_bugs as bugs
import neural_art_networks as nets
import neural_art_text as text
import test_neural_art as generated


class Trial:
    def __init__(self, binary, program, model, inputs, folder):
        self.binary, self.model, self.inputs, self.folder = binary, model, inputs, pathlib.Path(folder)
        self.in_text = str(program).endswith(".c")
        self.kinds = (text if self.in_text else bugs).KINDS
        self.program = text.Text(program) if self.in_text else bugs.Program(program)
        self.rows = self.table(program)
        self.made = self.tensors(program)
        self.clean = self.errors(program) or self.errors(program, alone=True)

    def run(self, *args):
        return subprocess.run([self.binary, *map(str, args)], capture_output=True, text=True, timeout=600)

    def plant(self, name, seed):
        """(epoch, file), or nothing where the program has no place for it."""
        program = self.program.copy()
        epoch = self.kinds[name](program, np.random.default_rng(seed))
        if epoch is None:
            return None, None
        file = self.folder / ("" if self.in_text else "broken.program.json")
        return epoch, program.save(file) or file

    def errors(self, program, alone=False):
        """[(epoch, rule)] of the audit, or its refusal as a string; alone: without the model."""
        out = self.folder / "findings.json"
        done = self.run("audit", program, *([] if alone else ["--model", self.model]), "--json", out)
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
    for name in kinds:
        for seed in seeds:
            epoch, broken = t.plant(name, seed)
            if epoch is None:
                break
            found, said = t.look(epoch, broken)
            if not found and t.no_effect(broken):
                count["without effect"] += 1
                continue
            alone = t.errors(broken, alone=True)
            alone = re.search(rf"epoch {epoch}\b", alone) if isinstance(alone, str) else any(e == epoch for e, _ in alone)
            count["planted"] += 1
            count["found"] += bool(found)
            count["alone"] += bool(alone)
            how[found or "missed"] += 1
            count[name, bool(alone)] += 1
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


def as_text(binary, cases, folder, everything):
    """Each case as it is; every second one, or all, as C with structures or with blobs, too."""
    for n, (program, model, inputs) in enumerate(cases):
        yield program, model, inputs
        for k, (form, flags) in enumerate((("structures", []), ("blobs", ["--blobs"]))):
            if not everything and n % 4 != 2 * k:
                continue
            file = pathlib.Path(folder) / form / "network.c"
            shutil.rmtree(file.parent, ignore_errors=True)
            file.parent.mkdir()
            subprocess.run([binary, "npu", "export", program, "-o", file, *flags], capture_output=True, check=True)
            yield str(file), model, inputs


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("program", nargs="?", help="JSON or network.c, with --model and --input; else the two shared programs and some by `npu lower`")
    p.add_argument("--model")
    p.add_argument("--input")
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--kind", action="append")
    p.add_argument("--long", action="store_true", help="every kind everywhere, not one in eight")
    p.add_argument("--alone", action="store_true", help="prints by kind what the audit finds without the model")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    count, how = collections.Counter(), collections.Counter()
    seeds = range(args.first, args.first + args.seeds)
    bad = programs = 0
    with tempfile.TemporaryDirectory() as files:
        own = [(args.program, args.model, args.input)] if args.program else []
        all_ = itertools.chain(shared_programs(), lowered_programs(args.binary, files, seeds))
        for case in own or as_text(args.binary, all_, files, args.long):
            with tempfile.TemporaryDirectory() as folder:
                t = Trial(args.binary, *case, folder)
                programs += 1
                if isinstance(t.rows, str) or isinstance(t.made, str) or t.clean:
                    print(f"FAILED  {case[0]} unbroken: {t.clean or (t.rows if isinstance(t.rows, str) else t.made)}")
                    bad += 1
                    continue
                kinds = [k for k in args.kind or list(t.kinds) if k in t.kinds]
                all_of_them = args.long or args.kind or args.program
                plant_all(t, kinds if all_of_them else kinds[programs % 8::8], seeds, count, how)
    if args.alone:
        for name in sorted({k[0] for k in count if isinstance(k, tuple)}):
            print(f"{count[name, True]:4} of {count[name, True] + count[name, False]:<4} {name}")
    print(", ".join(f"{n} {k}" for k, n in sorted(how.items())))
    missed = count["planted"] - count["found"]
    print(f"{count['found']} of {count['planted']} mistakes in {programs} programs found at their epoch, {count['without effect']} without effect")
    print(f"{count['alone']} of {count['planted']} by the audit without the model")
    print(f"{count['found']} passed, {missed + bad} failed, {0 if programs else 1} skipped")
    return 1 if missed + bad else 0


if __name__ == "__main__":
    sys.exit(main())
