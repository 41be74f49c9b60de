#!/usr/bin/env python3
"""Runs TFLite networks that keep state over many inferences in a row and compares every tensor of every run:
`tflite-ref` with LiteRT's reference kernels, `tflite` with LiteRT's default (outputs only there). Inputs are
seeded random walks, so that states move. Ends with a line `N networks, ...` and exit code 1 when a code differs."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import tflite_oracle

BINARY = pathlib.Path(__file__).resolve().parents[2] / "build" / "bin" / "lockstep"


def walk(detail, runs, random):
    shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
    steps = np.cumsum(random.normal(0, 12, (runs, *shape)), axis=0)
    if dtype.kind == "f":
        return (steps / 40).astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(steps + (limits.min + limits.max) / 2 - 40, limits.min, limits.max).astype(dtype)


def interpreter(data, arithmetic):
    if arithmetic == "tflite":
        return Interpreter(model_content=data)
    return Interpreter(model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, experimental_preserve_all_tensors=True)


def mine(path, feeds, arithmetic, wanted):
    with tempfile.TemporaryDirectory() as folder:
        given, made = os.path.join(folder, "x.npz"), os.path.join(folder, "y.npz")
        np.savez(given, **{name: codes.reshape(-1, *codes.shape[2:]) for name, codes in feeds.items()})
        words = [BINARY, "run", path, "--input", given, "--arith", arithmetic, "--state", "keep", "-o", made]
        done = subprocess.run(words + (["--all"] if wanted is None else [w for n in wanted for w in ("--tensor", n)]), capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr.strip())
        with np.load(made) as z:
            return {name: z[name] for name in z.files if name != "lockstep.json"}


def compare(path, arithmetic, runs, seed):
    """(elements compared, elements that differ)."""
    data = pathlib.Path(path).read_bytes()
    names = {name: index for index, name, *_ in tflite_oracle.file_tensors(data)}
    by_index = {index: name for name, index in names.items()}
    it = interpreter(data, arithmetic)
    it.allocate_tensors()
    random = np.random.default_rng(seed)
    feeds = {by_index[d["index"]]: walk(d, runs, random) for d in it.get_input_details()}
    outputs = [by_index[d["index"]] for d in it.get_output_details()]
    made = mine(path, feeds, arithmetic, None if arithmetic == "tflite-ref" else outputs)
    compared = differ = 0
    for k in range(runs):
        for name, codes in feeds.items():
            it.set_tensor(names[name], codes[k])
        it.invoke()
        for name, tensor in made.items():
            if name not in names:
                continue
            try:
                theirs = np.array(it.get_tensor(names[name]))
            except ValueError:
                continue  # the runtime does not keep it
            ours = tensor.reshape(runs, -1)[k]
            compared += theirs.size
            differ += int((ours != theirs.ravel()).sum())
    return compared, differ


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="+")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=5)
    o = parser.parse_args()
    total = wrong = 0
    for path in o.model:
        for arithmetic in ("tflite-ref", "tflite"):
            compared, differ = compare(path, arithmetic, o.runs, o.seed)
            print(f"{os.path.basename(path)} in {arithmetic}: {compared} elements, {differ} differ")
            total, wrong = total + compared, wrong + differ
    print(f"{len(o.model)} networks, {o.runs} runs each, {total} elements compared, {wrong} differ")
    sys.exit(1 if wrong else 0)


main()
