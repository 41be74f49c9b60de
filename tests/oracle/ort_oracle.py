"""What onnxruntime answers: every tensor that can be observed without changing what it computes.

ort-noopt: graph optimizations off; every value of the graph becomes an output.
ort:       all optimizations. Adding an output can change what is fused, so a value counts as observable
           only when the dumped optimized model has the same operators with and without the added output.
One thread, CPU provider.
"""
import argparse
import collections
import json
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

import cache

LEVELS = {"ort": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
          "ort-noopt": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL}
LAYOUT_ONLY = {("", "Transpose"), ("com.microsoft.nchwc", "ReorderOutput")}


def open_session(model, arith, dump=None):
    so = onnxruntime.SessionOptions()
    so.graph_optimization_level = LEVELS[arith]
    so.intra_op_num_threads = 1
    so.inter_op_num_threads = 1
    so.log_severity_level = 4
    if dump:
        so.optimized_model_filepath = dump
    return onnxruntime.InferenceSession(model.SerializeToString(), so, providers=["CPUExecutionProvider"])


def operators(model, added=()):
    """Multiset of operators with the operators that make their inputs, without the pure layout changes that only
    produce an added output. The inputs' makers tell a Reshape of codes from one of reals behind which codes are made."""
    maker = {o: n for n in model.graph.node for o in n.output if o}
    domain_of = lambda n: "" if n.domain == "ai.onnx" else n.domain

    def made_by(name):
        n = maker.get(name)
        while n is not None and (domain_of(n), n.op_type) in LAYOUT_ONLY:
            n = maker.get(n.input[0])
        return n.op_type if n is not None else ""

    kinds = collections.Counter()
    for n in model.graph.node:
        if (domain_of(n), n.op_type) in LAYOUT_ONLY and n.output[0] in added:
            continue
        kinds[f"{domain_of(n)}:{n.op_type}({', '.join(map(made_by, n.input))})"] += 1
    return kinds


def with_outputs(model, names):
    m = onnx.ModelProto()
    m.CopyFrom(model)
    have = {o.name for o in m.graph.output}
    m.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in have)
    return m


def dumped(model, names, arith="ort"):
    """Optimized operators when `names` are outputs too."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "o.onnx")
        open_session(with_outputs(model, names), arith, path)
        return operators(onnx.load(path, load_external_data=False), set(names))


def candidates(model):
    """Names of all values that nodes compute, in file order; those of constant nodes left out."""
    constant = {i.name for i in model.graph.initializer}
    names = []
    for n in model.graph.node:
        fixed = n.op_type == "Constant" or (n.input and all(i in constant or not i for i in n.input))
        for o in n.output:
            if not o:
                continue
            if fixed:
                constant.add(o)
            else:
                names.append(o)
    return names


def observability(model, sha):
    """{name: reason why not observable, or ''} for `ort`."""
    stem = "ort-observable-" + cache.key_of("ort by makers", onnxruntime.__version__, sha)
    known = cache.load_json(stem)
    if known is not None:
        return known
    base = dumped(model, [])
    result = {}
    outputs = {o.name for o in model.graph.output}
    for name in candidates(model):
        if name in outputs:
            result[name] = ""
            continue
        try:
            got = dumped(model, [name])
            if got == base:
                result[name] = ""
            else:
                gone, new = base - got, got - base
                result[name] = ("exposing it changes the optimized operators: -" +
                                str(dict(gone)) + " +" + str(dict(new)))
        except Exception as error:  # the runtime's own refusal is the reason
            result[name] = "exposing it is refused: " + str(error)[:160]
    cache.store_json(stem, result)
    return result


def groups(model, names, base):
    """Splits names into groups that can be exposed together."""
    if not names:
        return []
    if len(names) == 1 or dumped(model, names) == base:
        return [names]
    half = len(names) // 2
    return groups(model, names[:half], base) + groups(model, names[half:], base)


def quantization(model):
    """{name: (scale, zero, axis)} of every Q output and DQ input with constant parameters."""
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    for n in model.graph.node:
        if n.op_type == "Constant" and n.attribute and n.attribute[0].name == "value":
            constants[n.output[0]] = numpy_helper.to_array(n.attribute[0].t)
    found = {}

    def note(name, scale, zero, axis=-1):
        if scale in constants:
            z = constants.get(zero)
            s = constants[scale].reshape(-1)
            found.setdefault(name, ([float(v) for v in s],
                                    [int(v) for v in z.reshape(-1)] if z is not None else [0] * s.size,
                                    axis if s.size > 1 else -1))

    for n in model.graph.node:
        i = list(n.input) + [""] * 10
        axis = next((a.i for a in n.attribute if a.name == "axis"), 1)
        if n.op_type == "QuantizeLinear":
            note(n.output[0], i[1], i[2], axis)
        elif n.op_type == "DequantizeLinear":
            note(n.input[0], i[1], i[2], axis)
        elif n.op_type in ("QLinearConv", "QLinearMatMul"):
            note(n.output[0], i[6], i[7])
        elif n.op_type in ("QLinearAdd", "QLinearMul"):
            note(n.output[0], i[6], i[7])
        elif n.op_type == "QGemm":
            note(n.output[0], i[7], i[8])
        elif n.op_type in ("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax",
                           "QLinearGlobalAveragePool", "QLinearAveragePool"):
            note(n.output[0], i[3], i[4])
        elif n.op_type == "QLinearConcat":
            note(n.output[0], i[0], i[1])
    return found


def answer(path, inputs, arith):
    """(tensors by name, meta) of this model on these inputs; from the cache when it is there."""
    sha, insha = cache.sha_of_file(path), cache.sha_of_inputs(inputs)
    stem = f"{arith}-" + cache.key_of(arith + (" by makers" if arith == "ort" else ""), onnxruntime.__version__, sha, insha)
    known = cache.load(stem)
    if known is not None:
        return known
    meta = {"runtime": "onnxruntime", "version": onnxruntime.__version__, "cpu": cache.cpu_class(),
            "arith": arith, "model": os.path.basename(path), "model_sha": sha, "input_sha": insha,
            "tensors": {}, "refused": None}
    model = onnx.load(path)
    tensors = {}
    try:
        names = candidates(model)
        if arith == "ort":
            why = observability(model, sha)
            batches = groups(model, [n for n in names if not why.get(n, "")], dumped(model, []))
        else:
            why = {n: "" for n in names}
            batches = [names]
        for batch in batches or [[]]:
            session = open_session(with_outputs(model, batch), arith)
            wanted = [o.name for o in session.get_outputs()]
            for name, value in zip(wanted, session.run(wanted, inputs)):
                tensors.setdefault(name, value)
        meta["groups"] = len(batches)
    except Exception as error:  # a refusal by the runtime is an answer
        meta["refused"] = str(error)[:1000]
        names, why = [], {}
    q = quantization(model)
    for name, value in inputs.items():
        tensors[name] = value
    for name in list(inputs) + names:
        value = tensors.get(name)
        is_tensor = isinstance(value, np.ndarray)
        if value is not None and not is_tensor:
            del tensors[name]
        scale, zero, axis = q.get(name, ([], [], -1))
        meta["tensors"][name] = {
            "observable": is_tensor, "why": why.get(name, "") or ("" if is_tensor else "not a tensor"),
            "type": str(value.dtype) if is_tensor else "", "shape": list(value.shape) if is_tensor else [],
            "scale": scale, "zero": zero, "axis": axis, "bound": None}
    cache.store(stem, tensors, meta)
    return tensors, meta


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("model")
    p.add_argument("--input", required=True, help="npz, one member per model input")
    p.add_argument("--arith", choices=sorted(LEVELS), default="ort")
    p.add_argument("-o", "--output", required=True, help="npz to write; the meta goes beside it as .json")
    a = p.parse_args()
    with np.load(a.input) as z:
        inputs = {n: z[n] for n in z.files}
    tensors, meta = answer(a.model, inputs, a.arith)
    np.savez(a.output, **tensors)
    with open(os.path.splitext(a.output)[0] + ".json", "w", encoding="utf-8") as f:
        json.dump(meta, f, indent=1)
    seen = sum(t["observable"] for t in meta["tensors"].values())
    print(f"{a.model} {a.arith}: {seen} observed, {len(meta['tensors']) - seen} not; refused: {meta['refused']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
