"""`lockstep diagnose` on devices that are real runtimes with one operator edited, in any network: `test_edited.py [FILE...]`.

A .tflite file runs in LiteRT (edited_tflite.py), an .onnx file in onnxruntime, of its integer operators (edited_onnx.py) or with quantizers (edited_qdq.py); memory faults
and unknown ones are laid over a tensor (edited_patches.py) or over what one operator reads (edited_reads.py), sums are spoiled product by
product in NumPy (edited_sums.py), the whole network gets another input (edited_feeds.py). Nothing of the captures comes from Lockstep. Each case is
one line if it is not right: what the report says, whether it is stated as certain, and which tensor was wrong first. A table of
counts for each file; the last line adds them up. Fails where a wrong cause is certain, a healthy device is called faulty, a
device that departs by more than two codes is called healthy, or (with all tensors) another operation is named first.
Without files: two of the shared models.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import cache
import edited_sums
from edited_feeds import feeds as other_feeds
from edited_patches import patches
from edited_reads import reads

ROOT = pathlib.Path(__file__).resolve().parents[2]
BAD = ("certain and wrong", "false alarm", "refused", "other first", "called healthy")
ROUNDING = 2  # codes; what departs by no more may be called healthy
SHARED = ["st_zoo/mobility_gmp_wl_24_int8.tflite", "tflm/micro_speech_quantized.tflite"]


def network(path):
    if path.suffix == ".tflite":
        from edited_tflite import Tflite
        return Tflite(path)
    import onnx
    from edited_onnx import QOperator
    from edited_qdq import Qdq
    codes = any(n.op_type.startswith(("QLinear", "QGemm")) for n in onnx.load(path).graph.node)
    return (QOperator if codes else Qdq)(path)


def operator_cases(net, right, feeds, options, rng):
    edits, used = list(net.edits()), collections.Counter()
    for at in rng.permutation(len(edits)):
        k, label, change, words = edits[at]
        used[label] += 1
        if used[label] <= options.each:
            yield f"{label}@{k}", [net.made_by(k)], lambda k=k, label=label, change=change: [net.run(x, edit=(k, (label, change))) for x in feeds], words


def sum_cases(net, right, feeds, options, rng):
    layers = [(k, net.layer(k)) for k in range(net.count())]
    layers = [(k, l) for k, l in layers if l and l.size(right[0]) < 4e6 and all(l.proved(made) for made in right)]
    for at in rng.permutation(len(layers))[:options.sites]:
        k, layer = layers[at]
        for label, f, words in edited_sums.edits(layer, right[0][layer.y].dtype):
            yield f"SUM:{label}@{k}", [layer.y], lambda f=f, y=layer.y: [net.run(x, patch=(y, lambda _, made: f(made))) for x in feeds], words


def memory_cases(net, right, feeds, options, rng):
    codes = net.code_tensors()
    large = [t for t in codes if right[0][t].size >= 128 and len(np.unique(right[0][t])) > 8]
    for name in rng.permutation(np.array(large, object))[:options.sites]:
        before = [t for t in codes[:codes.index(name)] if right[0][t].size >= max(64, right[0][name].size // 2)]
        for label, f, words in patches(rng, name, right, before, net.channels_last):
            yield f"{label}@{name}", [name], lambda f=f, name=name: [net.run(x, patch=(name, lambda y, made, i=i: f(y, made, i))) for i, x in enumerate(feeds)], words


def read_cases(net, right, feeds, options, rng):
    codes = net.code_tensors()
    places = [(k, name, zero) for k in range(net.count()) for name, zero in net.operands(k) if name in right[0] and len(np.unique(right[0][name])) > 4 and right[0][name].size >= 16]
    for at in rng.permutation(len(places))[:options.sites]:
        k, name, zero = places[at]
        before = [t for t in codes if t in codes[:codes.index(net.made_by(k))]] if net.made_by(k) in codes else []
        for label, f, words in reads(rng, name, right, before, zero, net.channels_last):
            if name in feeds[0]:  # what one reader takes for the input is a fault of the input as well
                words = words + [w.replace("operand-", "input-") for w in words] + ["stale-input", "input-as-"] if words else words
            yield f"READ:{label}@{k}", [net.made_by(k)], lambda f=f, k=k, name=name: [net.run(x, read=(k, name, lambda v, made, i=i: f(v, made, i))) for i, x in enumerate(feeds)], words


def input_cases(net, right, feeds, options, rng):
    for label, name, arrays, words in other_feeds(rng, feeds, net.channels_last, net.scale_of):
        readers = [net.made_by(k) for k in range(net.count()) if net.reads(k, name)]
        yield f"INPUT:{label}@{name}", readers, lambda name=name, arrays=arrays: [net.run({**x, name: a}) for x, a in zip(feeds, arrays)], words


def cases(net, right, feeds, options):
    """(label, tensors that are wrong first, runs, words); words "healthy" of the device that is right."""
    yield "healthy", [], lambda: right, "healthy"
    for kind in (operator_cases, sum_cases, memory_cases, read_cases, input_cases):
        yield from kind(net, right, feeds, options, np.random.default_rng(options.seed))


def field(text, name):
    found = re.search(rf"^{name} +(.*)$", text, re.M)
    return found.group(1) if found else ""


def said(done):
    text = re.sub("\x1b\\[[0-9;]*m", "", done.stdout)
    cause = field(text, "cause")
    alike = " ".join(re.findall(r"the same numbers come.*|tie: .*", text))
    return field(text, "verdict"), cause, cause + " " + alike + " " + field(text, "verdict"), field(text, "first wrong")


def judged(code, words, verdict, cause, all_said, certain):
    if code not in (0, 1):
        return "refused"
    if words == "healthy":
        return "healthy" if code == 0 else "false alarm"
    if code == 0:
        return "called healthy"
    open_cause = not cause or cause.startswith("unexplained")
    if verdict.startswith("cannot decide"):
        return "undecided"
    if words and any(w in all_said for w in words):
        return "right"
    if open_cause:
        return "unexplained" if words else "right, unexplained"
    return "certain and wrong" if certain else "wrong" if words is not None else "named, open"


def departs(made, right, shown):
    """By how many codes at most, in what the capture holds."""
    return max(np.abs(a[t].astype(int) - b[t]).max() for a, b in zip(made, right) for t in shown
               if a[t].size and np.issubdtype(a[t].dtype, np.integer))


def of_runtime(problem):
    """What the runtime refuses to load or to compute: LiteRT says so by two types, onnxruntime by its own."""
    return type(problem) in (RuntimeError, ValueError) or "onnxruntime" in type(problem).__module__


def is_another(made, name):
    """What the edited operator makes is just what another one makes: no recording tells them apart."""
    return any(t != name and all(m[t].dtype == m[name].dtype and m[t].tobytes() == m[name].tobytes() for m in made) for t in made[0])


def judge_file(path, options, folder):
    net, counts, drawn = network(path), collections.Counter(), np.random.default_rng(options.seed)
    feeds = net.inputs(options.seed, options.count)
    right = [net.run(x) for x in feeds]
    outputs = net.outputs()
    inner = [t for t in net.tensors() if t not in outputs and right[0][t].size]
    shown = {"all": inner + outputs, "half": inner[1::2] + outputs, "outputs": outputs}[options.level]
    joined = lambda runs, name: np.concatenate([np.atleast_1d(r[name]) for r in runs])
    np.savez(folder / "inputs.npz", **{n: joined(feeds, n) for n in feeds[0]})
    for label, first_wrong, runs, words in cases(net, right, feeds, options):
        if not re.search(options.only, label) or (words != "healthy" and drawn.random() >= options.share):
            continue
        try:
            made = runs()
        except Exception as problem:
            if not of_runtime(problem):
                raise
            counts["not run"] += 1
            print(f"not run  {path.name} {label}: {str(problem).splitlines()[0][:100]}")
            continue
        if words is None and is_another(made, first_wrong[0]):
            words = ["buffers-overlap", "operand"]
        if words != "healthy" and all(np.array_equal(a[t], b[t]) for a, b in zip(made, right) for t in shown):
            counts["invisible"] += 1
            continue
        own_inputs = [] if options.no_inputs or label.startswith("INPUT:") else list(feeds[0])
        np.savez(folder / "device.npz", **{n: joined(made, n) for n in shown + own_inputs})
        report = folder / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run([options.lockstep, "diagnose", str(path), "--target", str(folder / "device.npz"), "--input", str(folder / "inputs.npz"),
                               "--json", str(report)], capture_output=True, text=True)
        suspects = json.loads(report.read_text())["suspects"] if report.exists() else []
        certain = bool(suspects and suspects[0]["explained"] and suspects[0]["explanations"][0]["certain"])
        verdict, cause, all_said, first = said(done)
        verdict_of = judged(done.returncode, words, verdict, cause, all_said, certain)
        if options.level == "all" and suspects and suspects[0]["tensor"] not in first_wrong and verdict_of not in ("refused", "false alarm"):
            verdict_of = "other first"
        if verdict_of == "called healthy" and departs(made, right, [t for t in first_wrong if t in shown] or shown) <= ROUNDING:
            verdict_of = "within rounding"
        counts[verdict_of] += 1
        if verdict_of not in ("healthy", "right", "right, unexplained", "within rounding"):
            print(f"{verdict_of}  {path.name} {label}: exit {done.returncode}, first {first[:50]!r}, cause {cause[:90]!r} {verdict[:80]}{done.stderr[:150]}", flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--long", action="store_true", help="edit and patch twice as many operators")
    parser.add_argument("--level", default="all", choices=["all", "half", "outputs"])
    parser.add_argument("--count", type=int, default=3, help="inferences")
    parser.add_argument("--seed", type=int, default=1, help="of inputs, sites and the edits that are taken")
    parser.add_argument("--each", type=int, default=1, help="operators that one kind of edit is made at")
    parser.add_argument("--sites", type=int, default=1, help="tensors that are patched")
    parser.add_argument("--share", type=float, help="of the cases, drawn; default all of given files, a third of the shared ones")
    parser.add_argument("--no-inputs", action="store_true", help="the device's own input is not recorded")
    parser.add_argument("--only", default="", help="a pattern of labels")
    parser.add_argument("--lockstep", default=str(ROOT / "build/bin/lockstep"))
    options = parser.parse_args()
    if options.share is None:
        options.share = 1 if options.files or options.long else 0.35
    files = options.files or [cache.shared_folder() / "models" / name for name in SHARED]
    if not options.files and not files[0].exists():
        print(f"no models in {cache.shared_folder()}: set LOCKSTEP_SHARED")
        missing = os.environ.get("CI") == "true"
        print("0 passed, 1 failed, 0 skipped" if missing else "0 passed, 0 failed, 1 skipped")
        return 1 if missing else 0
    if options.long:
        options.each, options.sites = 2 * options.each, 2 * options.sites
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            try:
                counts = judge_file(path, options, pathlib.Path(folder))
            except Exception as problem:
                if not of_runtime(problem):
                    raise
                print(f"not run  {path.name}: {str(problem).splitlines()[0][:100]}")
                counts = collections.Counter({"not run": 1})
            total += counts
            print(f"{path.name}: " + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())), flush=True)
    bad = sum(total[k] for k in BAD)
    print("edited: " + ", ".join(f"{n} {k}" for k, n in sorted(total.items())))
    print(f"{sum(total.values()) - bad - total['invisible'] - total['not run']} passed, {bad} failed, {total['invisible'] + total['not run']} skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
