"""A small network that grows step by step (neural_art_networks.py), in both file formats.

A network is a list of steps on maps [height, width, channel]; every step writes itself as ONNX (QDQ, channels first) and as
TFLite (channels last) and computes itself; the ONNX file is written a second time as the compiler's optimized graph. Maps of both files carry the same names: x, t1, t2, ...
"""
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import neural_art_oracle as rules
from neural_art_oracle import Quant
from tflite_network import TfliteNetwork

ONNX_TYPES = {np.dtype(np.int8): TensorProto.INT8, np.dtype(np.uint8): TensorProto.UINT8}
ACTIVATIONS = {"none": 0, "relu": 1, "relu6": 3}


class Map:
    def __init__(self, name, shape, quant, codes):
        self.name, self.shape, self.quant, self.codes = name, tuple(shape), quant, codes  # codes [sample, h, w, c]


def clamp_of(q, activation):
    low, high = (0, 255) if q.dtype == np.uint8 else (-128, 127)
    if activation != "none":
        low = max(low, min(high, q.zero))
    if activation == "relu6":
        high = max(low, min(high, q.zero + rules.half_up(6 / q.scale)))
    return low, high


class Network:
    """Grows by steps drawn from one generator; holds both files while it grows."""

    def __init__(self, seed, dtype=np.int8, formats=("onnx", "tflite")):
        self.r = np.random.default_rng(seed)
        self.dtype, self.formats, self.used = np.dtype(dtype), formats, 0
        self.nodes, self.constants = [], []
        self.lite, self.index = TfliteNetwork(), {}
        self.maps = []

    # -- draws
    def one_of(self, *choices):
        return choices[int(self.r.integers(len(choices)))]

    def scale(self, low=0.004, high=0.2):
        return float(np.float32(np.exp(self.r.uniform(np.log(low), np.log(high)))))

    def zero(self):
        i = np.iinfo(self.dtype)
        return int(self.one_of(i.min, i.min, i.max, (i.min + i.max + 1) // 2, int(self.r.integers(i.min, i.max + 1))))

    def fitting(self, reals, activation="none"):
        """A quantization that a calibration of these reals might give: it may cut them off, or be too wide."""
        low, high = min(0.0, float(reals.min())), max(0.0, float(reals.max()))
        if activation != "none":
            low, high = 0.0, (min(high, 6.0) if activation == "relu6" else high)
        step = max((high - low) / 255 * float(self.one_of(1, 1, self.r.uniform(0.4, 2.5))), 1e-5)
        i = np.iinfo(self.dtype)
        zero = int(np.clip(round(i.min - low / step), i.min, i.max)) if self.r.random() < 0.8 else self.zero()
        return Quant(step, zero, self.dtype)

    # -- pieces of the files
    def const(self, array, stem="c"):
        self.used += 1
        name = f"{stem}{self.used}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output + "_node", **attributes))
        return output

    def code_quant(self, q):
        return [self.const(np.float32(q.scale), "s"), self.const(np.array(q.zero, q.dtype), "z")]

    def dequantized(self, m):
        self.used += 1
        return self.node("DequantizeLinear", [m.name] + self.code_quant(m.quant), f"d{self.used}")

    def dequantized_constant(self, codes, scale, axis):
        scale = np.asarray(scale, np.float32)
        zero = np.zeros(scale.shape, codes.dtype)
        self.used += 1
        return self.node("DequantizeLinear", [self.const(codes, "w"), self.const(scale, "s"), self.const(zero, "z")],
                         f"d{self.used}", **({"axis": axis} if scale.ndim else {}))

    def onnx_result(self, kind, inputs, result, activation="none", **attributes):
        """kind(inputs) -> [Relu or Clip] -> QuantizeLinear."""
        real = self.node(kind, inputs, result.name + "_real", **attributes)
        if activation == "relu":
            real = self.node("Relu", [real], result.name + "_relu")
        elif activation == "relu6":
            real = self.node("Clip", [real, self.const(np.float32(0)), self.const(np.float32(6))], result.name + "_relu")
        self.node("QuantizeLinear", [real] + self.code_quant(result.quant), result.name)

    def lite_map(self, m):
        if m.name not in self.index:
            self.index[m.name] = self.lite.tensor(m.name, (1,) + m.shape, m.quant.dtype, m.quant.scale, m.quant.zero)
        return self.index[m.name]

    def lite_const(self, contents, dtype, scale=None, axis=0):
        self.used += 1
        contents = np.asarray(contents, dtype)
        return self.lite.tensor(f"k{self.used}", contents.shape, dtype, scale, 0, contents, axis)

    # -- growing
    def input(self, shape, samples=2):
        i = np.iinfo(self.dtype)
        codes = self.r.integers(i.min, i.max + 1, (samples,) + tuple(shape))
        if self.r.random() < 0.3:
            codes[0] = self.one_of(i.min, i.max)
        self.maps.append(Map("x", shape, Quant(self.scale(), self.zero(), self.dtype), codes.astype(np.int64)))
        return self.maps[-1]

    def result(self, codes, quant):
        codes = np.stack(codes)
        self.maps.append(Map(f"t{len(self.maps)}", codes.shape[1:], quant, codes))
        return self.maps[-1]

    def save(self, folder):
        """{format: path}"""
        outs, paths = [self.maps[-1]], {}
        if "onnx" in self.formats:
            def info(m):
                return helper.make_tensor_value_info(m.name, ONNX_TYPES[m.quant.dtype], [1, m.shape[2], m.shape[0], m.shape[1]])
            graph = helper.make_graph(self.nodes, "n", [info(self.maps[0])], [info(m) for m in outs], self.constants)
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
            onnx.checker.check_model(model)
            paths["onnx"] = f"{folder}/n.onnx"
            onnx.save(model, paths["onnx"])
            paths["stated"] = f"{folder}/stated.onnx"
            save_as_stated(model, folder)
        if "tflite" in self.formats:
            paths["tflite"] = f"{folder}/n.tflite"
            with open(paths["tflite"], "wb") as f:
                f.write(self.lite.bytes([self.lite_map(self.maps[0])], [self.lite_map(m) for m in outs]))
        return paths


def save_as_stated(model, folder):
    """As the compiler's optimized graph: weights and biases in reals, their scales in stated_Q.json beside it."""
    constants, tensors, nodes = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}, {}, []
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            nodes.append(node)
            continue
        codes, scale = constants[node.input[0]], constants[node.input[1]]
        by_kernel = scale.reshape((-1,) + (1,) * (codes.ndim - 1)) if scale.ndim else scale
        constants[node.output[0]] = (codes.astype(np.float32) * by_kernel).astype(np.float32)
        tensors[node.output[0]] = {"format": {"params": [[float(s) for s in np.atleast_1d(scale)], [0] * scale.size],
                                              "class": "integer", "type": "S8" if codes.dtype == np.int8 else "S32"}}
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(nodes, "n", model.graph.input, model.graph.output,
                              [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items() if n in used])
    onnx.save(helper.make_model(graph, opset_imports=model.opset_import, ir_version=8), f"{folder}/stated.onnx")
    with open(f"{folder}/stated_Q.json", "w", encoding="ascii") as f:
        json.dump({"version": "4.0", "tensors": tensors, "nodes": {}}, f)
