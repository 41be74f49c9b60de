"""`lockstep diagnose` on devices that are real runtimes with one operator edited, in any network: `test_edited.py [FILE...]`.

A .tflite file runs in LiteRT (edited_tflite.py), an .onnx file of integer operators in onnxruntime (edited_onnx.py); memory faults
and unknown ones are laid over a tensor (edited_patches.py). Nothing of the captures comes from Lockstep. Each case is
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
from edited_patches import patches

ROOT = pathlib.Path(__file__).resolve().parents[2]
BAD = ("certain and wrong", "false alarm", "refused", "other first", "called healthy")
ROUNDING = 2  # codes; what departs by no more may be called healthy
SHARED = ["st_zoo/mobility_gmp_wl_24_int8.tflite", "tflm/micro_speech_quantized.tflite"]


def network(path):
    if path.suffix == ".tflite":
        from edited_tflite import Tflite
        return Tflite(path)
    from edited_onnx import QOperator
    return QOperator(path)


def cases(net, right, feeds, options):
    """(label, tensor, runs, words); words "healthy" of the device that is right."""
    rng = np.random.default_rng(options.seed)
    yield "healthy", "", lambda: right, "healthy"
    edits, used = list(net.edits()), collections.Counter()
    for at in rng.permutation(len(edits)):
        k, label, change, words = edits[at]
        used[label] += 1
        if used[label] <= options.each:
            yield f"{label}@{k}", net.made_by(k), lambda k=k, label=label, change=change: [net.run(x, edit=(k, (label, change))) for x in feeds], words
    codes = net.code_tensors()
    large = [t for t in codes if right[0][t].size >= 128 and len(np.unique(right[0][t])) > 8]
    for name in rng.permutation(np.array(large, object))[:options.sites]:
        before = [t for t in codes[:codes.index(name)] if right[0][t].size >= max(64, right[0][name].size // 2)]
        for label, f, words in patches(rng, name, right, before, net.channels_last):
            yield f"{label}@{name}", name, lambda f=f, name=name: [net.run(x, patch=(name, lambda y, made, i=i: f(y, made, i))) for i, x in enumerate(feeds)], words


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


def judge_file(path, options, folder):
    net, counts = network(path), collections.Counter()
    feeds = net.inputs(options.seed, options.count)
    right = [net.run(x) for x in feeds]
    outputs = net.outputs()
    inner = [t for t in net.tensors() if t not in outputs and right[0][t].size]
    shown = {"all": inner + outputs, "half": inner[1::2] + outputs, "outputs": outputs}[options.level]
    joined = lambda runs, name: np.concatenate([np.atleast_1d(r[name]) for r in runs])
    np.savez(folder / "inputs.npz", **{n: joined(feeds, n) for n in feeds[0]})
    for label, tensor, runs, words in cases(net, right, feeds, options):
        if not re.search(options.only, label):
            continue
        try:
            made = runs()
        except Exception as problem:  # an edit that the runtime refuses: LiteRT's are RuntimeError, onnxruntime's of its own
            if not isinstance(problem, RuntimeError) and "onnxruntime" not in type(problem).__module__:
                raise
            counts["not run"] += 1
            print(f"not run  {path.name} {label}: {str(problem).splitlines()[0][:100]}")
            continue
        if words != "healthy" and all(np.array_equal(a[t], b[t]) for a, b in zip(made, right) for t in shown):
            counts["invisible"] += 1
            continue
        np.savez(folder / "device.npz", **{n: joined(made, n) for n in shown + ([] if options.no_inputs else list(feeds[0]))})
        report = folder / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run([options.lockstep, "diagnose", str(path), "--target", str(folder / "device.npz"), "--input", str(folder / "inputs.npz"),
                               "--json", str(report)], capture_output=True, text=True)
        suspects = json.loads(report.read_text())["suspects"] if report.exists() else []
        certain = bool(suspects and suspects[0]["explained"] and suspects[0]["explanations"][0]["certain"])
        verdict, cause, all_said, first = said(done)
        verdict_of = judged(done.returncode, words, verdict, cause, all_said, certain)
        if options.level == "all" and suspects and suspects[0]["tensor"] != tensor and verdict_of not in ("refused", "false alarm"):
            verdict_of = "other first"
        if verdict_of == "called healthy" and departs(made, right, [tensor] if tensor in shown else shown) <= ROUNDING:
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
    parser.add_argument("--no-inputs", action="store_true", help="the device's own input is not recorded")
    parser.add_argument("--only", default="", help="a pattern of labels")
    parser.add_argument("--lockstep", default=str(ROOT / "build/bin/lockstep"))
    options = parser.parse_args()
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
            except ValueError as problem:  # LiteRT's of a file that it does not load
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
