"""`--arith neural-art` against the accelerator's rules written a second time (neural_art_oracle.py): every map of small
generated networks, as ONNX, as the compiler's optimized graph and as TFLite files, code by code.

`--only KIND-SEED` replays one. Ends with `N codes, M differ` and `N passed, M failed, K skipped`; one test is one file.
"""
import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import cache
import neural_art_networks as nets


def side(net, low=1, high=12):
    return int(net.r.integers(low, high + 1))


def random_convolution(net, m, **fixed):
    r = net.r
    depthwise = r.random() < 0.25 and m.shape[2] > 1
    kernel = (min(m.shape[0], net.one_of(1, 2, 3, 3, 4, 5, 7)), min(m.shape[1], net.one_of(1, 2, 3, 3, 5, 6, 7, 13)))
    dilations = (1, 1) if r.random() < 0.8 else (2, 2)
    dilations = tuple(d if (k - 1) * d < s else 1 for d, k, s in zip(dilations, kernel, m.shape))
    strides = (1, 1) if max(dilations) > 1 else (net.one_of(1, 1, 2, 3), net.one_of(1, 1, 2, 3))
    pads = tuple(int(r.integers(0, k)) for k in (kernel * 2)) if r.random() < 0.6 else (0, 0, 0, 0)
    groups, kernels = (m.shape[2], m.shape[2] * net.one_of(1, 1, 2)) if depthwise else (1, net.one_of(1, 3, 8, 13, 16, 24))
    return nets.convolution(net, m, kernels, kernel, strides, dilations, pads, groups, bias=r.random() < 0.4,
                            activation=net.one_of("none", "relu", "relu", "relu6"), **fixed)


# One kind of network each: what stands in the layers of real ones, alone and together.
def conv(net):
    random_convolution(net, net.input((side(net), side(net), side(net, 1, 20))))


def board(net):
    """A convolution, ReLU or a pool, a global mean: the networks whose captures the rules reproduce."""
    m = net.input((side(net, 8, 20), side(net, 8, 20), 3))
    kernel = net.one_of((1, 1), (3, 3), (3, 3), (5, 5), (7, 7), "depthwise")
    if kernel == "depthwise":
        m = nets.convolution(net, m, 3, (3, 3), pads=(1, 1, 1, 1), groups=3, activation="relu")
    else:
        half = kernel[0] // 2
        m = nets.convolution(net, m, net.one_of(16, 32, 64), kernel, pads=(half,) * 4, activation="relu")
    if net.r.random() < 0.3:
        m = nets.pool(net, m, True)
    nets.global_average(net, m)


def grouped(net):
    groups = net.one_of(2, 3, 4)
    m = net.input((side(net), side(net), groups * side(net, 1, 5)))
    nets.convolution(net, m, groups * side(net, 1, 5), groups=groups, kernel=(min(3, m.shape[0]), min(3, m.shape[1])), bias=net.r.random() < 0.5)


def passes(net):
    m = net.input((side(net, 1, 4), side(net, 1, 4), net.one_of(136, 256, 264, 384, 512, 600, 129, 257)))
    nets.convolution(net, m, net.one_of(8, 13, 40, 64, 520), (1, 1), bias=net.r.random() < 0.5, activation=net.one_of("none", "relu"))


def streamed(net):
    m = net.input((side(net, 1, 3), side(net, 1, 3), side(net, 1, 40)))
    nets.convolution(net, m, net.one_of(512, 513, 640), (min(3, m.shape[0]),) * 2 if m.shape[0] == m.shape[1] else (1, 1), bias=True)


def large_kernel(net):
    m = net.input((side(net, 9, 14), side(net, 13, 18), side(net, 1, 6)))
    kernel = (net.one_of(4, 5, 6, 7, 9), net.one_of(3, 6, 7, 12, 13))
    depthwise = m.shape[2] > 1 and net.r.random() < 0.3
    nets.convolution(net, m, m.shape[2] if depthwise else side(net, 1, 9), kernel, (net.one_of(1, 2),) * 2,
                     pads=tuple(int(net.r.integers(0, 4)) for _ in range(4)), groups=m.shape[2] if depthwise else 1, bias=net.r.random() < 0.3)


def residual(net):
    m = net.input((side(net), side(net), side(net, 1, 16)))
    a = nets.convolution(net, m, m.shape[2], (1, 1), activation="relu")
    if net.r.random() < 0.5:
        m = nets.requantize(net, m)
    nets.binary(net, net.one_of("Add", "Add", "Sub", "Mul"), a, m)


def operands(net):
    m = net.input((side(net), side(net), side(net)))
    nets.binary(net, net.one_of("Add", "Add", "Sub", "Mul"), m)


def joined(net):
    m = nets.concat(net, net.input((side(net), side(net), side(net))))
    if net.r.random() < 0.5:
        random_convolution(net, m)


def pools(net):
    m = net.input((side(net, 3), side(net, 3), side(net)))
    nets.pool(net, nets.pool(net, m, net.r.random() < 0.5), net.r.random() < 0.5)


def mean(net):
    nets.global_average(net, net.input((side(net, 1, 24), side(net, 1, 24), side(net))))


def classifier(net):
    m = net.input((side(net, 4), side(net, 4), side(net, 1, 4)))
    m = nets.convolution(net, m, net.one_of(24, 128, 136, 300), (3, 3), activation="relu")
    nets.dense(net, nets.global_average(net, m), net.one_of(2, 10, 40), net.r.random() < 0.7)


def chain(net):
    m = net.input((side(net, 6, 14), side(net, 6, 14), side(net, 1, 8)))
    for _ in range(int(net.r.integers(2, 6))):
        step = net.one_of("conv", "conv", "conv", "add", "pool", "requantize")
        if step == "conv":
            m = random_convolution(net, m)
        elif step == "add":
            m = nets.binary(net, "Add", m)
        elif step == "pool":
            m = nets.pool(net, m, True)
        else:
            m = nets.requantize(net, m)
    nets.global_average(net, m)


KINDS = [board, conv, grouped, passes, streamed, large_kernel, residual, operands, joined, pools, mean, classifier, chain]


def mine(binary, path, net, channels_first, folder):
    """{map: codes [sample, h, w, c]}, or the refusal."""
    codes = net.maps[0].codes.astype(net.dtype)
    np.savez(f"{folder}/x.npz", x=codes.transpose(0, 3, 1, 2) if channels_first else codes)
    done = subprocess.run([binary, "run", path, "--arith", "neural-art", "--input", f"{folder}/x.npz", "--all", "-o", f"{folder}/y.npz"],
                          capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    with np.load(f"{folder}/y.npz") as z:
        made = {m.name: z[m.name].astype(np.int64) for m in net.maps if m.name in z.files}
    return {n: a.transpose(0, 2, 3, 1) if channels_first else a for n, a in made.items()}


def simulated(binary, path, net, channels_first, folder, findings):
    """{map: codes} of a program of the network, the refusal, or None where the rules give it no form."""
    made = subprocess.run([binary, "npu", "lower", path, "-o", f"{folder}/p.program.json"], capture_output=True, text=True)
    if made.returncode:
        return None if made.returncode == 2 and "npu lower knows" in made.stderr else made.stderr.strip()
    audit = subprocess.run([binary, "audit", f"{folder}/p.program.json", "--model", path], capture_output=True, text=True)
    if audit.returncode:
        return f"audit: {(audit.stdout or audit.stderr).strip().splitlines()[0]}"
    findings.update(line.split()[3] for line in audit.stdout.splitlines() if line.startswith(("warning ", "note ")))
    done = subprocess.run([binary, "npu", "run", f"{folder}/p.program.json", "--model", path, "--input", f"{folder}/x.npz",
                           "--mode", "chained", "-o", f"{folder}/s.npz"], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    with np.load(f"{folder}/s.npz") as z:
        arrays = {m.name: z[m.name].astype(np.int64) for m in net.maps if m.name in z.files}
    return {n: a.transpose(0, 2, 3, 1) if channels_first else a for n, a in arrays.items()}


def planted(binary, path, folder, totals):
    """Compiler bugs planted into the program that `simulated` left: the complaint when one is not found at its epoch."""
    with np.load(f"{folder}/x.npz") as z:
        np.savez(f"{folder}/noise.npz", x=z["x"][1:])  # the first sample may be of one value only
    done = subprocess.run([binary, "npu", "seed", f"{folder}/p.program.json", "--model", path, "--input", f"{folder}/noise.npz", "--seeds", "2"],
                          capture_output=True, text=True)
    if done.returncode:
        return "npu seed: " + done.stderr.strip()
    found, _, all_of_them = done.stdout.splitlines()[-1].split()[:3]
    totals["planted"] += int(all_of_them)
    totals["found"] += int(found)
    return "" if found == all_of_them else f"npu seed: {found} of {all_of_them} planted bugs found"


def simulation(binary, path, net, channels_first, folder, totals):
    """The complaint about the simulated program, or ''; what has no form is counted."""
    got = simulated(binary, path, net, channels_first, folder, totals["findings"])
    if got is None:
        totals["no form"] += 1
        return ""
    if isinstance(got, str):
        return "program: " + got
    if net.maps[-1].name not in got:
        return f"program: {net.maps[-1].name} is not among the tensors"
    bad = ""
    for m in net.maps[1:]:
        if m.name in got:
            wrong = int((got[m.name].reshape(m.codes.shape) != m.codes).sum())
            totals["simulated"] += m.codes.size
            totals["simulated differ"] += wrong
            bad = bad or (f"program: {m.name}: {wrong} of {m.codes.size} codes differ" if wrong else "")
    totals["programs"] += 1
    return bad or (planted(binary, path, folder, totals) if totals["programs"] % 12 == 0 else "")


def compare(binary, kind, seed, folder, totals):
    """[(test, complaint or '')] of the files of one network."""
    unsigned = seed % 4 == 3 and kind.__name__ not in ("joined",)
    net = nets.Network(seed, np.uint8 if unsigned else np.int8, ("onnx",) if unsigned else ("onnx", "tflite"))
    kind(net)
    results = []
    for form, path in net.save(folder).items():
        got, bad = mine(binary, path, net, form != "tflite", folder), ""
        if isinstance(got, str):
            bad = got
        else:
            for m in net.maps:
                if m.name not in got:
                    bad = bad or f"{m.name} is not among the tensors"
                    continue
                wrong = int((got[m.name].reshape(m.codes.shape) != m.codes).sum())
                totals["codes"] += m.codes.size
                totals["differ"] += wrong
                if wrong and not bad:
                    most = int(np.abs(got[m.name].reshape(m.codes.shape) - m.codes).max())
                    bad = f"{m.name}: {wrong} of {m.codes.size} codes differ, by {most} at most"
        if form != "stated":
            bad = bad or simulation(binary, path, net, form != "tflite", folder, totals)
        results.append((f"{kind.__name__}-{seed} {form}", bad))
    return results


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true", help="60 seeds of each kind")
    p.add_argument("--seeds", type=int, default=0, help="of each kind; 5 unless said")
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--kind", action="append", choices=[k.__name__ for k in KINDS])
    p.add_argument("--only", help="KIND-SEED")
    p.add_argument("--keep", help="write the files of --only into this folder")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    seeds = args.seeds or (60 if args.long else 5)
    jobs = [(k, s) for k in KINDS for s in range(args.first, args.first + seeds) if not args.kind or k.__name__ in args.kind]
    if args.only:
        name, seed = args.only.rsplit("-", 1)
        jobs = [(next(k for k in KINDS if k.__name__ == name), int(seed))]
    totals, count = collections.Counter(), collections.Counter()
    totals["findings"] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        if args.keep:
            folder = args.keep
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        for kind, seed in jobs:
            for test, bad in compare(args.binary, kind, seed, folder, totals):
                count["failed" if bad else "passed"] += 1
                if bad:
                    print(f"FAILED  {test}: {bad}", flush=True)
    print(f"{totals['codes']} codes, {totals['differ']} differ")
    print(f"{totals['programs']} programs simulated, {totals['simulated']} codes, {totals['simulated differ']} differ; "
          f"{totals['no form']} files without a program")
    print(f"{totals['found']} of {totals['planted']} bugs planted into every twelfth program found at their epoch")
    print("audit: " + ", ".join(f"{n} {k}" for k, n in sorted(totals["findings"].items())))
    print(f"{count['passed']} passed, {count['failed']} failed, 0 skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
