"""Mistakes of a compiler, planted one at a time into epoch programs (neural_art_bugs.py) and into the text of generated C, structures
and blobs (neural_art_text.py): `audit` or the table of `npu compare` must name the epoch in which each stands, and the audit of the
unbroken program, with the model and without, must hold no error.

A mistake that changes no byte that any epoch writes is counted apart: there is nothing to find. `--alone` counts beside it what the audit
finds without the model. Ends with totals by kind and program (`--kinds`, `--table FILE`) and `N passed, M failed, K skipped`.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

import cache
import neural_art_bugs as bugs
import neural_art_networks as nets
import neural_art_text as text
import test_neural_art as generated

OUTCOMES = ("audit", "audit, not first", "refused", "run", "missed")


class Trial:
    """One unbroken program and what is said of it; `inputs` are cut to the first `samples`."""
    def __init__(self, binary, program, model, inputs, folder, samples):
        self.binary, self.model, self.folder = binary, model, pathlib.Path(folder)
        self.inputs = few(inputs, samples, self.folder / "few.npz")
        self.in_text = str(program).endswith(".c")
        self.kinds = (text if self.in_text else bugs).KINDS
        self.path, self.program = program, (text.Text if self.in_text else bugs.Program)(program)
        self.rows = self.table(program)
        self.made = None
        self.clean = self.errors(program, self.folder) or self.errors(program, self.folder, alone=True)

    def run(self, *args):
        return subprocess.run([self.binary, *map(str, args)], capture_output=True, text=True, timeout=600)

    def plant(self, name, seed, folder):
        """(epoch, file), or nothing where the program has no place for it."""
        program = self.program.copy()
        epoch = self.kinds[name](program, np.random.default_rng(seed))
        if epoch is None:
            return None, None
        file = folder / ("" if self.in_text else "broken.program.json")
        return epoch, program.save(file) or file

    def errors(self, program, folder, alone=False):
        """[(epoch, rule)] of the audit, or its refusal as a string; alone: without the model."""
        out = folder / "findings.json"
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

    def tensors(self, program, folder):
        out = folder / "made.npz"
        done = self.run("npu", "run", program, "--model", self.model, "--input", self.inputs, "--mode", "forced", "-o", out)
        if done.returncode:
            return done.stderr.strip()
        with np.load(out) as z:
            return {n: z[n] for n in z.files}

    def departure(self, rows):
        worse = [key[0] for key, (most, share) in rows.items()
                 if (usual := self.rows.get(key, (0, 0))) and (most > usual[0] or share > 1.5 * usual[1] + 0.1)]
        return min(worse, default=0)

    def no_effect(self, program, folder):
        self.made = self.made or self.tensors(self.path, folder)
        made = self.tensors(program, folder)
        return not isinstance(made, str) and all(n in made and np.array_equal(made[n], a) for n, a in self.made.items())

    def look(self, epoch, program, folder):
        """(how it was found or '', what was said first)."""
        errors = self.errors(program, folder)
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

    def found_alone(self, epoch, program, folder):
        said = self.errors(program, folder, alone=True)
        return bool(re.search(rf"epoch {epoch}\b", said)) if isinstance(said, str) else any(e == epoch for e, _ in said)

    def one(self, name, seed, alone):
        """(kind, seed, epoch, outcome, found without the model, what was said), or nothing where there is no place."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            folder = pathlib.Path(folder)
            epoch, broken = self.plant(name, seed, folder)
            if epoch is None:
                return None
            found, said = self.look(epoch, broken, folder)
            if not found and self.no_effect(broken, folder):
                return name, seed, epoch, "without effect", False, said
            return name, seed, epoch, found or "missed", alone and self.found_alone(epoch, broken, folder), said


def few(inputs, samples, file):
    """The first samples of every array of a file."""
    with np.load(inputs) as z:
        arrays = {n: z[n] for n in z.files if isinstance(z[n], np.ndarray)}
        np.savez(file, **{n: a[:samples] if a.ndim else a for n, a in arrays.items()})
    return file


def plant_all(t, kinds, seeds, count, jobs, alone):
    """Plants each kind once for each seed; prints what is missed, or named behind another epoch."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(lambda job: t.one(*job, alone), itertools.product(kinds, seeds)):
            if done is None:
                continue
            name, seed, epoch, outcome, by_audit_alone, said = done
            count[name, outcome] += 1
            count[name, "alone"] += by_audit_alone
            if outcome in ("missed", "audit, not first"):
                print(f"{'MISSED' if outcome == 'missed' else 'later'}  {name}, seed {seed}, epoch {epoch}: {said[:200]}", flush=True)


def planted(count):
    return sum(n for (_, outcome), n in count.items() if outcome in OUTCOMES)


def total(count, *outcomes):
    return sum(n for (_, outcome), n in count.items() if outcome in outcomes)


def row(name, count, alone):
    """One line of totals: what, planted, by the audit, by simulation, missed, without effect, by the audit alone."""
    by_audit = total(count, "audit", "audit, not first", "refused")
    cells = [name, planted(count), by_audit, total(count, "run"), total(count, "missed"), total(count, "without effect")]
    return cells + ([total(count, "alone")] if alone else [])


def rows_by_kind(all_, alone):
    kinds = sorted({kind for count in all_.values() for kind, _ in count})
    for kind in kinds:
        yield row(kind, collections.Counter({(k, o): n for count in all_.values() for (k, o), n in count.items() if k == kind}), alone)


HEAD = ["", "planted", "audit", "simulation", "missed", "without effect", "audit without the model"]


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def shared_programs():
    """(name, program, model, inputs) of the two compiled networks, or nothing where they are not at hand."""
    folder = cache.shared_folder() / "models"
    for name, model in (("yamnet_1024", "yamnet_1024_64x96_qdq_int8"), ("stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8")):
        base = folder / "neural-art" / name
        if base.with_suffix(".program.json").exists():
            yield name, f"{base}.program.json", f"{folder}/st/{model}.onnx", f"{base}.inputs.npz"


def lowered(binary, model, folder, *flags):
    """A program of the model by `npu lower`, or nothing."""
    program = f"{folder}/lowered.program.json"
    return program if subprocess.run([binary, "npu", "lower", model, "-o", program, *flags], capture_output=True).returncode == 0 else None


def generated_programs(binary, folder, seeds):
    """The same of generated networks, by `npu lower`."""
    for kind in (generated.chain, generated.residual, generated.classifier, generated.passes, generated.joined):
        for seed in seeds:
            net = nets.Network(seed, np.int8, ("onnx", "tflite"))
            kind(net)
            for form, model in net.save(folder).items():
                if form == "stated":
                    continue
                codes = net.maps[0].codes.astype(net.dtype)[1:]  # the first sample may be of one value only
                inputs = f"{folder}/x.npz"
                np.savez(inputs, x=codes if form == "tflite" else codes.transpose(0, 3, 1, 2))
                if program := lowered(binary, model, folder):
                    yield f"{kind.__name__}-{seed} {form}", program, model, inputs


def own_programs(args, folder):
    """The programs of the command line, and those that `npu lower` makes of the models there; inputs are seeded where none are given."""
    for said in args.file:
        path, _, model = said.partition("=")
        model = model or path
        program = lowered(args.binary, model, folder, "--partial") if model == path else path
        if not program:
            print(f"no program of {path}")
            continue
        inputs = args.input or f"{folder}/seeded.npz"
        if not args.input:
            subprocess.run([args.binary, "run", model, "--all", "--samples", str(args.samples), "-o", inputs], capture_output=True, check=True)
        yield pathlib.Path(model).stem if model == path else f"{pathlib.Path(path).parent.name}/{pathlib.Path(path).name}", program, model, inputs


def in_forms(binary, cases, folder, everything, wanted):
    """Each case in the forms asked for: as it is; as C with structures or with blobs (every second one, or all)."""
    for n, (name, program, model, inputs) in enumerate(cases):
        if "given" in wanted:
            yield name, program, model, inputs
        for k, (form, flags) in enumerate((("structures", []), ("blobs", ["--blobs"]))):
            if form not in wanted or not everything and n % 4 != 2 * k:
                continue
            file = pathlib.Path(folder) / form / "network.c"
            shutil.rmtree(file.parent, ignore_errors=True)
            file.parent.mkdir()
            subprocess.run([binary, "npu", "export", program, "-o", file, *flags], capture_output=True, check=True)
            yield f"{name}, {form}", str(file), model, inputs


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("file", nargs="*", help="PROGRAM=MODEL (JSON or network.c), or a MODEL for `npu lower`; else the two shared programs and some generated")
    p.add_argument("--input", help="inputs of all of them, else seeded ones")
    p.add_argument("--samples", type=int, default=2, help="inputs that each broken program is run on")
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--kind", action="append")
    p.add_argument("--form", action="append", choices=["given", "structures", "blobs"], help="all, unless said")
    p.add_argument("--long", action="store_true", help="every kind everywhere, not one in eight")
    p.add_argument("--alone", action="store_true", help="counts what the audit finds without the model too")
    p.add_argument("--kinds", action="store_true", help="prints totals by kind")
    p.add_argument("--table", help="writes the totals by program and by kind as Markdown")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    return p.parse_args()


def sweep(args, files):
    """({program: count}, programs that are wrong unbroken)."""
    all_, bad = {}, 0
    seeds = range(args.first, args.first + args.seeds)
    everything = args.long or bool(args.kind or args.file)
    cases = own_programs(args, files) if args.file else itertools.chain(shared_programs(), generated_programs(args.binary, files, seeds))
    for n, (name, *case) in enumerate(in_forms(args.binary, cases, files, everything, args.form or ["given", "structures", "blobs"])):
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            t = Trial(args.binary, *case, folder, args.samples)
            if isinstance(t.rows, str) or t.clean:
                print(f"FAILED  {name} unbroken: {t.clean or t.rows}", flush=True)
                bad += 1
                continue
            kinds = [k for k in args.kind or list(t.kinds) if k in t.kinds]
            count = all_.setdefault(name, collections.Counter())
            plant_all(t, kinds if everything else kinds[(n + 1) % 8::8], seeds, count, args.jobs, args.alone)
        if everything:
            print(f"{name}: {planted(count) - total(count, 'missed')} of {planted(count)} found, {time.monotonic() - start:.0f} s", flush=True)
    return all_, bad


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as files:
        all_, bad = sweep(args, files)
    whole = sum(all_.values(), collections.Counter())
    head = HEAD if args.alone else HEAD[:-1]
    if args.kinds:
        for cells in rows_by_kind(all_, args.alone):
            print(f"{cells[0]:34}" + "".join(f"{n:7}" for n in cells[1:]))
    if args.table:
        by_program = [row(name, count, args.alone) for name, count in all_.items()] + [row("all", whole, args.alone)]
        pathlib.Path(args.table).write_text(markdown(["program", *head[1:]], by_program) + "\n" + markdown(["kind", *head[1:]], rows_by_kind(all_, args.alone)))
    print(", ".join(f"{total(whole, o)} {o}" for o in OUTCOMES if total(whole, o)))
    missed, programs = total(whole, "missed"), len(all_) + bad
    print(f"{planted(whole) - missed} of {planted(whole)} mistakes in {programs} programs found at their epoch, {total(whole, 'without effect')} without effect")
    if args.alone:
        print(f"{total(whole, 'alone')} of {planted(whole)} by the audit without the model")
    print(f"{planted(whole) - missed} passed, {missed + bad} failed, {0 if programs else 1} skipped")
    return 1 if missed + bad else 0


if __name__ == "__main__":
    sys.exit(main())
