"""A small int8 network quantized by onnxruntime, run by onnxruntime, with every tensor in codes readable.

A residual network on pictures: convolutions with one scale per channel, depthwise, Add of unequal scales, Concat,
average, a dense layer. `Device` runs it node by node through onnxruntime; a fault is an edit of the file, or a
function put behind a tensor. Nothing here comes from Lockstep: these are captures of another program.
"""
import copy
import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static


def pictures(count, shape, seed):
    """Smooth random pictures in 0 .. 1, each another."""
    rng = np.random.default_rng(seed)
    small = rng.random((count, shape[1], 5, 5)).astype(np.float32)
    big = np.kron(small, np.ones((1, 1, -(-shape[2] // 5), -(-shape[3] // 5)), np.float32))[:, :, : shape[2], : shape[3]]
    return np.clip(big * 0.8 + 0.2 * rng.random((count, *shape[1:])), 0, 1).astype(np.float32)


def float_network(seed, side=16):
    rng = np.random.default_rng(seed)
    nodes, constants = [], []

    def conv(x, name, into, out, kernel, stride=1, group=1, relu=True):
        w = rng.normal(0, 1.4 / np.sqrt(into // group * kernel * kernel), (out, into // group, kernel, kernel))
        w *= rng.uniform(0.4, 1.6, (out, 1, 1, 1))
        constants.append(numpy_helper.from_array(w.astype(np.float32), name + "_w"))
        constants.append(numpy_helper.from_array(rng.normal(0, 0.2, out).astype(np.float32), name + "_b"))
        nodes.append(helper.make_node("Conv", [x, name + "_w", name + "_b"], [name], name, kernel_shape=[kernel] * 2,
                                      strides=[stride] * 2, pads=[kernel // 2] * 4, group=group))
        if not relu:
            return name
        nodes.append(helper.make_node("Relu", [name], [name + "_relu"], name + "_relu"))
        return name + "_relu"

    def node(op, inputs, name, **attributes):
        nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    x = conv("image", "stem", 3, 16, 3, 2)
    y = conv(x, "a1", 16, 16, 3)
    y = conv(y, "a2", 16, 16, 1, relu=False)
    x = node("Add", [x, y], "add1")
    y = conv(x, "dw", 16, 16, 3, group=16)
    z = conv(x, "side", 16, 16, 1)
    x = node("Concat", [y, z], "cat", axis=1)
    x = conv(x, "b1", 32, 24, 3, 2)
    y = conv(x, "b2", 24, 24, 3, relu=False)
    x = node("Add", [x, y], "add2")
    x = node("GlobalAveragePool", [x], "mean")
    x = node("Flatten", [x], "flat")
    constants.append(numpy_helper.from_array(rng.normal(0, 0.4, (24, 10)).astype(np.float32), "fc_w"))
    constants.append(numpy_helper.from_array(rng.normal(0, 0.1, 10).astype(np.float32), "fc_b"))
    node("Gemm", [x, "fc_w", "fc_b"], "logits")
    graph = helper.make_graph(nodes, "foreign", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side, side])],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Reader(CalibrationDataReader):
    def __init__(self, x):
        self.left = [{"image": s[None]} for s in x]

    def get_next(self):
        return self.left.pop() if self.left else None


def quantized_network(seed=0, side=16):
    with tempfile.TemporaryDirectory() as folder:
        source, to = pathlib.Path(folder) / "f.onnx", pathlib.Path(folder) / "q.onnx"
        onnx.save(float_network(seed, side), source)
        quantize_static(source, to, Reader(pictures(16, (1, 3, side, side), seed + 1000)), quant_format=QuantFormat.QDQ,
                        per_channel=True, weight_type=QuantType.QInt8, activation_type=QuantType.QInt8)
        return onnx.load(to)


def constant(model, name):
    return next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == name)


def set_constant(model, name, array):
    for t in model.graph.initializer:
        if t.name == name:
            t.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array, numpy_helper.to_array(t).dtype), name))
            return
    model.graph.initializer.append(numpy_helper.from_array(array, name))


def producer(model, tensor):
    return next(n for n in model.graph.node if tensor in n.output)


def codes_of(model, operation):
    """The int8 tensor that the operation of this name ends in: its own output, or its Relu's, quantized."""
    name = next(n for n in model.graph.node if n.name == operation).output[0]
    for n in model.graph.node:
        if n.op_type == "Relu" and name in n.input:
            name = n.output[0]
    return next(n.output[0] for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == name)


def code_tensors(model):
    return [n.output[0] for n in model.graph.node if n.op_type == "QuantizeLinear"]


def run(model, feeds):
    """Every tensor in codes, the output, and the input of one inference."""
    model = copy.deepcopy(model)
    for name in code_tensors(model):
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.INT8, None))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)), **feeds)


def run_patched(model, feeds, tensor, change):
    """The same with `tensor` replaced by change(tensors so far)."""
    made = run(model, feeds)
    cut = copy.deepcopy(model)
    n = producer(cut, tensor)
    cut.graph.node.remove(n)
    cut.graph.input.append(helper.make_tensor_value_info(tensor, TensorProto.INT8, made[tensor].shape))
    value = np.ascontiguousarray(change(made), np.int8)
    after = run(cut, {**feeds, tensor: value})
    return {**after, tensor: value}


def captured(samples, names=None):
    """Arrays with one entry per inference along the first axis, as a test bench would save them."""
    keep = names or samples[0].keys()
    return {k: np.concatenate([s[k] for s in samples]) for k in keep}
