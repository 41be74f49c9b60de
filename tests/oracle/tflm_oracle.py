"""What TFLite Micro answers, tensor by tensor, for the arithmetic cmsis-nn (README.md beside this file).

The PyPI package runs TFLM's reference kernels on this machine. That CMSIS-NN's kernels give the same codes is shown by
the golden vectors of tests/num/cmsis_nn_test.cpp; only double rounding is compared here. Each tensor is read by
rewriting the file with it as one more output.
"""
import collections
import os

import numpy as np

import cache
import litert_oracle
import tflite_oracle

try:
    from tflite_micro.python.tflite_micro import runtime
except ImportError:  # the package is optional: its absence is counted by who asks
    runtime = None

VERSION = "0.dev20261023182759"
ARENA = 64 << 20


def available():
    return runtime is not None


def open_interpreter(data):
    return runtime.Interpreter.from_bytes(data, arena_size=ARENA)


KEPT = collections.OrderedDict()


def observers(data, names):
    """({name: (interpreter, output number)}, {name: reason})."""
    key = hash(data)
    if key in KEPT:
        return KEPT[key]
    KEPT.clear()
    graph = litert_oracle.schema.Model.GetRootAs(bytearray(data), 0).Subgraphs(0)
    outputs = [graph.Outputs(k) for k in range(graph.OutputsLength())]
    inputs = [graph.Inputs(k) for k in range(graph.InputsLength())]
    live, plain, each, why = tflite_oracle.used(data), open_interpreter(data), {}, {}
    for index, name, constant, *_ in names:
        if constant or index in inputs:
            continue
        if index not in live:
            why[name] = "no operator uses it"
        elif index in outputs:
            each[name] = (plain, outputs.index(index))
        else:
            try:
                each[name] = (open_interpreter(litert_oracle.with_output(data, index)), len(outputs))
            except RuntimeError as error:
                why[name] = "as an output: " + str(error).strip()[:200]
    KEPT[key] = (each, why, inputs)
    return KEPT[key]


def run(data, inputs, names):
    each, why, order = observers(data, names)
    by_index = {i: name for i, name, *_ in names}
    tensors, ran = {n: np.array(v) for n, v in inputs.items()}, set()
    for name, (it, number) in each.items():
        if id(it) not in ran:
            it.reset()
            for k, index in enumerate(order):
                it.set_input(inputs[by_index[index]], k)
            it.invoke()
            ran.add(id(it))
        tensors[name] = np.array(it.get_output(number))
    return tensors, dict(why)


def answer(path, inputs, arith="cmsis-nn"):
    """(tensors by name, meta) of this model on these inputs; from the cache when it is there."""
    assert arith == "cmsis-nn", arith
    sha, insha = cache.sha_of_file(path), cache.sha_of_inputs(inputs)
    stem = f"{arith}-" + cache.key_of(arith, VERSION, sha, insha)
    known = cache.load(stem)
    if known is not None:
        return known
    with open(path, "rb") as f:
        original = f.read()
    meta = {"runtime": "tflite-micro", "version": VERSION, "cpu": cache.cpu_class(), "arith": arith,
            "model": os.path.basename(path), "model_sha": sha, "input_sha": insha, "tensors": {}, "refused": None}
    names, tensors, why = tflite_oracle.file_tensors(original), {}, {}
    try:
        tensors, why = run(original, inputs, names)
    except (RuntimeError, ValueError) as error:  # a refusal by the runtime is an answer
        meta["refused"] = str(error)[:1000] or "refused"
    for _, name, constant, scale, zero, axis in names:
        if constant:
            continue
        value = tensors.get(name)
        meta["tensors"][name] = {
            "observable": value is not None, "why": why.get(name, ""),
            "type": str(value.dtype) if value is not None else "",
            "shape": list(value.shape) if value is not None else [],
            "scale": scale, "zero": zero, "axis": axis, "bound": None}
    cache.store(stem, tensors, meta)
    return tensors, meta
