"""What LiteRT answers as it runs by default (XNNPACK's delegate): tensor by tensor (README.md beside this file).

Tensors inside a delegated part cannot be read, and memory of the others is reused. So for each tensor the file is
rewritten with that one tensor as one more output; it counts as observed only when the delegate still takes the same
nodes as in the file as it is.
"""
import collections
import os

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import cache
import tflite_oracle

VERSION = tflite_oracle.VERSION


def with_output(data, index):
    """The file with tensor `index` as its last output as well."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(data), 0))
    graph = model.subgraphs[0]
    graph.outputs = list(graph.outputs) + [index]
    model.signatureDefs = None  # they name the old outputs
    builder = flatbuffers.Builder(len(data) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def delegated(interpreter):
    """The sets of nodes that delegates have taken, one for each delegate."""
    ops = interpreter._get_ops_details()
    nodes = [o for o in ops if o["op_name"] != "DELEGATE"]
    maker = {int(t): o["index"] for o in nodes for t in o["outputs"]}
    reads = {o["index"]: [int(t) for t in o["inputs"]] for o in nodes}
    taken = set()
    for d in ops:
        if d["op_name"] != "DELEGATE":
            continue
        known, part = {int(t) for t in d["inputs"]}, set()
        open_tensors = [int(t) for t in d["outputs"]]
        while open_tensors:
            t = open_tensors.pop()
            if t in known or t not in maker or maker[t] in part:
                continue
            part.add(maker[t])
            open_tensors += reads[maker[t]]
        taken.add(frozenset(part))
    return taken


def weights_of_delegate(data, taken):
    """Tensors that delegated nodes make of constants alone: the delegate keeps them as weights and never writes them."""
    model = schema.Model.GetRootAs(bytearray(data), 0)
    graph = model.Subgraphs(0)
    still = {i for i, _, constant, *_ in tflite_oracle.file_tensors(data) if constant}
    nodes, found = set().union(*taken) if taken else set(), set()
    for k in range(graph.OperatorsLength()):
        op = graph.Operators(k)
        if op.InputsLength() and all(op.Inputs(i) in still or op.Inputs(i) < 0 for i in range(op.InputsLength())):
            made = {op.Outputs(i) for i in range(op.OutputsLength())}
            still |= made
            found |= made if k in nodes else set()
    return found


class Observers:
    """One interpreter for each tensor that can be observed; `why` names the others."""

    def __init__(self, data, names):
        self.plain = self.open(data)
        self.delegated = delegated(self.plain)
        self.each, self.why = {}, {}
        graph = schema.Model.GetRootAs(bytearray(data), 0).Subgraphs(0)
        outside = {graph.Outputs(k) for k in range(graph.OutputsLength())}
        inputs = {graph.Inputs(k) for k in range(graph.InputsLength())}
        live, weights = tflite_oracle.used(data), weights_of_delegate(data, self.delegated)
        for index, name, constant, *_ in names:
            if constant or index in inputs:
                continue
            if index not in live:
                self.why[name] = "no operator uses it"
            elif index in weights:
                self.why[name] = "made of constants alone: the delegate keeps it as weights"
            elif index in outside:
                self.each[name] = (self.plain, index)
            else:
                self.add(data, index, name)

    def open(self, data):
        it = Interpreter(model_content=data, num_threads=1)
        it.allocate_tensors()
        it.reset_all_variables()
        return it

    def add(self, data, index, name):
        try:
            it = self.open(with_output(data, index))
        except (RuntimeError, ValueError) as error:
            self.why[name] = "as an output: " + str(error).strip()[:200]
            return
        if delegated(it) == self.delegated:
            self.each[name] = (it, index)
        else:
            self.why[name] = "as an output it changes which nodes the delegate takes"


KEPT = collections.OrderedDict()  # the last model's observers


def observers(data, names):
    key = hash(data)
    if key not in KEPT:
        KEPT.clear()
        KEPT[key] = Observers(data, names)
    return KEPT[key]


def run(data, inputs, names):
    """{name: array} of every tensor that can be observed, and {name: reason} of the others."""
    o = observers(data, names)
    index = {name: i for i, name, *_ in names}
    tensors = {name: np.array(value) for name, value in inputs.items()}
    ran = set()
    for name, (it, at) in o.each.items():
        if id(it) not in ran:
            it.reset_all_variables()
            for fed, value in inputs.items():
                it.set_tensor(index[fed], value)
            it.invoke()
            ran.add(id(it))
        tensors[name] = np.array(it.get_tensor(at))
    return tensors, dict(o.why)


def answer(path, inputs, arith="tflite"):
    """(tensors by name, meta) of this model on these inputs; from the cache when it is there."""
    assert arith == "tflite", arith
    sha, insha = cache.sha_of_file(path), cache.sha_of_inputs(inputs)
    stem = f"{arith}-" + cache.key_of(arith, VERSION, sha, insha)
    known = cache.load(stem)
    if known is not None:
        return known
    with open(path, "rb") as f:
        original = f.read()
    data, repaired = tflite_oracle.axis_repaired(original)
    meta = {"runtime": "ai-edge-litert", "version": VERSION, "cpu": cache.cpu_class(), "arith": arith,
            "model": os.path.basename(path), "model_sha": sha, "input_sha": insha, "tensors": {},
            "refused": None, "repaired": repaired}
    names, tensors, why = tflite_oracle.file_tensors(original), {}, {}
    narrow = tflite_oracle.narrow_state(original)
    try:
        if narrow:
            reason = f"SVDF with 8-bit state {', '.join(narrow)}: the kernel reads 16 bits, beyond its end"
            tensors, why = dict(inputs), {name: reason for _, name, *_ in names if name not in inputs}
        else:
            tensors, why = run(data, inputs, names)
    except (RuntimeError, ValueError) as error:  # a refusal by the runtime is an answer
        meta["refused"] = str(error)[:1000]
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
