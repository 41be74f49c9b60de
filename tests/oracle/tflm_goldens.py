#!/usr/bin/env python3
"""Runs the networks that TFLite Micro's integration tests carry (16-bit activations, 8-bit weights) on their
recorded inputs: `tflite-ref` against LiteRT's reference kernels, `cmsis-nn` against TFLite Micro itself. The
recorded outputs stand beside (its own tests allow them 1 step). FOLDER is a checkout of tflite-micro; nothing
of it is kept here. Ends with a line of counts."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import tflite_oracle
import tflm_oracle

BINARY = pathlib.Path(__file__).resolve().parents[2] / "build" / "bin" / "lockstep"


def recorded(path, like):
    codes = np.array([int(word) for word in re.findall(r"-?\d+", path.read_text())]).astype(like["dtype"])
    return np.resize(codes, like["shape"])


def feed_of(model, inputs, names):
    """{name: codes}; an operand without a file of its own takes the first file's codes, repeated."""
    files = [pathlib.Path(f"{str(model)[:-7]}_input{k}_{np.dtype(d['dtype'])}.csv") for k, d in enumerate(inputs)]
    some = next((f for f in sorted(model.parent.glob(f"{model.stem}_input*.csv"))), None)
    return {names[d["index"]]: recorded(f if f.exists() else some, d) for d, f in zip(inputs, files)}


def lockstep(model, feed, arithmetic):
    with tempfile.TemporaryDirectory() as folder:
        given, made = os.path.join(folder, "x.npz"), os.path.join(folder, "y.npz")
        np.savez(given, **feed)
        done = subprocess.run([BINARY, "run", model, "--input", given, "--arith", arithmetic, "-o", made], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{model.name} in {arithmetic}: {done.stderr.strip()}")
        with np.load(made) as z:
            made = [name for name in z.files if name != "lockstep.json"]  # one output, whatever it is called
            return z[made[0]].ravel()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    models = sorted((parser.parse_args().folder / "tensorflow/lite/micro/integration_tests/seanet").glob("*/*.tflite"))
    if not models:
        sys.exit("no integration_tests/seanet/*/*.tflite below that folder")
    codes, differ, recordings = {"cmsis-nn": 0, "tflite-ref": 0}, {"cmsis-nn": 0, "tflite-ref": 0}, 0
    for model in models:
        runtime = Interpreter(str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
        runtime.allocate_tensors()
        data = model.read_bytes()
        tensors = tflite_oracle.file_tensors(data)
        names = {index: name for index, name, *_ in tensors}
        feed = feed_of(model, runtime.get_input_details(), names)
        output = runtime.get_output_details()[0]
        for d in runtime.get_input_details():
            runtime.set_tensor(d["index"], feed[names[d["index"]]])
        runtime.invoke()
        golden = recorded(next(model.parent.glob(f"{model.stem}_golden_*.csv")), output)
        micro = tflm_oracle.run(data, feed, tensors)[0][names[output["index"]]]
        recordings += int((micro.ravel() != golden.ravel()).sum())
        for arithmetic, want in (("cmsis-nn", micro), ("tflite-ref", runtime.get_tensor(output["index"]))):
            wrong = int((lockstep(model, feed, arithmetic) != want.ravel()).sum())
            codes[arithmetic] += want.size
            differ[arithmetic] += wrong
            if wrong:
                print(f"{model.parent.name}/{model.name} in {arithmetic}: {wrong} of {want.size} codes differ")
    print(f"{len(models)} networks", *(f"{a}: {codes[a]} codes, {differ[a]} differ" for a in codes),
          f"of TFLite Micro's own codes {recordings} differ from the recorded ones", sep="; ")


main()
