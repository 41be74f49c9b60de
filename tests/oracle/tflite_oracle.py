"""What LiteRT's reference kernels answer: every tensor of a .tflite file (README.md beside this file)."""
import os
import sys

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import cache

VERSION = "2.3.0"
QUANTIZED_DIMENSION = 16  # vtable slot of QuantizationParameters.quantized_dimension


def axis_repaired(data):
    """(bytes, names): old files give 1-D biases the channel axis of their weights, which the runtime refuses.

    The axis of a vector can only be 0, so that is written in its place; nothing else changes.
    """
    data, names = bytearray(data), []
    model = schema.Model.GetRootAs(data, 0)
    for s in range(model.SubgraphsLength()):
        graph = model.Subgraphs(s)
        for i in range(graph.TensorsLength()):
            tensor = graph.Tensors(i)
            q = tensor.Quantization()
            if q is None or tensor.ShapeLength() != 1 or q.QuantizedDimension() < 1:
                continue
            at = q._tab.Pos + q._tab.Offset(QUANTIZED_DIMENSION)
            data[at:at + 4] = b"\0\0\0\0"
            names.append(tensor.Name().decode() if tensor.Name() else f"#{i}")
    return bytes(data), names


def file_tensors(data):
    """[(index, name, constant, scale, zero, axis)] of the main graph; names made unique as the README says."""
    model = schema.Model.GetRootAs(bytearray(data), 0)
    graph = model.Subgraphs(0)
    raw = [(graph.Tensors(i).Name() or b"").decode() for i in range(graph.TensorsLength())]
    out = []
    for i, name in enumerate(raw):
        t = graph.Tensors(i)
        buffer = model.Buffers(t.Buffer())
        constant = buffer is not None and (buffer.DataLength() > 0 or buffer.Size() > 0)
        q = t.Quantization()
        scale = [float(q.Scale(k)) for k in range(q.ScaleLength())] if q is not None else []
        zero = [int(q.ZeroPoint(k)) for k in range(q.ZeroPointLength())] if q is not None else []
        axis = q.QuantizedDimension() if len(scale) > 1 else -1
        unique = name if name and raw.count(name) == 1 else f"{name}#{i}"
        out.append((i, unique, constant, scale, zero, axis))
    return out


def narrow_state(data):
    """Names of SVDF states in 8 bits: LiteRT's kernel reads them as 16 bits, beyond their end, and may crash."""
    model = schema.Model.GetRootAs(bytearray(data), 0)
    graph, found = model.Subgraphs(0), []
    for k in range(graph.OperatorsLength()):
        op = graph.Operators(k)
        code = model.OperatorCodes(op.OpcodeIndex())
        if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) == schema.BuiltinOperator.SVDF:
            state = graph.Tensors(op.Inputs(4))
            if state.Type() == schema.TensorType.INT8:
                found.append((state.Name() or b"").decode() or f"#{op.Inputs(4)}")
    return found


def open_interpreter(data):
    it = Interpreter(model_content=data, num_threads=1,
                     experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                     experimental_preserve_all_tensors=True)
    it.allocate_tensors()
    it.reset_all_variables()
    return it


def run(data, inputs, names):
    """{name: array} of every tensor that the runtime lets one read, and {name: reason} of the others."""
    it = open_interpreter(data)
    index = {name: i for i, name, *_ in names}
    for name, value in inputs.items():
        if name not in index:
            raise ValueError(f"no input named {name!r}")
        it.set_tensor(index[name], value)
    it.invoke()
    tensors, why = {}, {}
    for i, name, constant, *_ in names:
        if constant:
            continue
        try:
            tensors[name] = np.array(it.get_tensor(i))
        except ValueError as error:
            why[name] = str(error).strip()
    return tensors, why


def used(data):
    """Indices of tensors that some operator or the graph itself reads or writes."""
    model = schema.Model.GetRootAs(bytearray(data), 0)
    g = model.Subgraphs(0)
    seen = {g.Inputs(k) for k in range(g.InputsLength())} | {g.Outputs(k) for k in range(g.OutputsLength())}
    for o in range(g.OperatorsLength()):
        op = g.Operators(o)
        seen |= {op.Inputs(k) for k in range(op.InputsLength())}
        seen |= {op.Outputs(k) for k in range(op.OutputsLength())}
    return seen


def answer(path, inputs, arith="tflite-ref"):
    """(tensors by name, meta) of this model on these inputs; from the cache when it is there."""
    assert arith == "tflite-ref", arith
    sha, insha = cache.sha_of_file(path), cache.sha_of_inputs(inputs)
    stem = f"{arith}-" + cache.key_of(arith, VERSION, sha, insha)
    known = cache.load(stem)
    if known is not None:
        return known
    with open(path, "rb") as f:
        original = f.read()
    data, repaired = axis_repaired(original)
    meta = {"runtime": "ai-edge-litert", "version": VERSION, "cpu": cache.cpu_class(), "arith": arith,
            "model": os.path.basename(path), "model_sha": sha, "input_sha": insha, "tensors": {},
            "refused": None, "repaired": repaired}
    names, tensors, why = file_tensors(original), {}, {}
    narrow = narrow_state(original)
    reason = f"SVDF with 8-bit state {', '.join(narrow)}: the kernel reads 16 bits, beyond its end"
    try:
        if narrow:
            tensors, why = dict(inputs), {name: reason for _, name, *_ in names if name not in inputs}
        else:
            tensors, why = run(data, inputs, names)
    except (RuntimeError, ValueError) as error:  # a refusal by the runtime is an answer
        meta["refused"] = str(error)[:1000]
    live = used(original)
    for i, name, constant, scale, zero, axis in names:
        if constant:
            continue
        value = tensors.get(name)
        reason = why.get(name, "") if i in live else "no operator uses it"
        if reason and value is not None:
            del tensors[name]
            value = None
        meta["tensors"][name] = {
            "observable": value is not None, "why": reason,
            "type": str(value.dtype) if value is not None else "",
            "shape": list(value.shape) if value is not None else [],
            "scale": scale, "zero": zero, "axis": axis, "bound": None}
    cache.store(stem, tensors, meta)
    return tensors, meta


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: tflite_oracle.py MODEL.tflite INPUT.npz OUTPUT.npz")
    with np.load(sys.argv[2]) as z:
        tensors, meta = answer(sys.argv[1], {n: z[n] for n in z.files})
    np.savez(sys.argv[3], **tensors)
    print(f"{len(tensors)} tensors; refused: {meta['refused']}")


if __name__ == "__main__":
    main()
