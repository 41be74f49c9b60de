"""Small networks from seeds, in both file formats, with what the accelerator's rules (neural_art_oracle.py) make of them.

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
from tflite_operands import options

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


def weights_of(net, kernels, rows, columns, depth):
    """Codes in one of several manners: noise, one sign, both signs that cancel, few taps, extremes."""
    shape = (kernels, rows, columns, depth)
    manner = net.one_of("noise", "noise", "positive", "cancel", "sparse", "extreme")
    if manner == "positive":
        return net.r.integers(0, 128, shape)
    if manner == "cancel":
        return np.where(np.indices(shape).sum(0) % 2 == 0, 127, -127)
    if manner == "extreme":
        return net.r.choice([-127, -1, 0, 1, 127], shape)
    w = net.r.integers(-127, 128, shape)
    return np.where(net.r.random(shape) < 0.9, 0, w) if manner == "sparse" else w


def convolution(net, m, kernels, kernel=(3, 3), strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 0), groups=1, bias=False, activation="none"):
    depth = m.shape[2] // groups
    w = weights_of(net, kernels, *kernel, depth)
    by_channel = net.r.random() < 0.8
    w_scale = np.array([net.scale(0.0005, 0.02) for _ in range(kernels if by_channel else 1)], np.float32)
    if by_channel and net.r.random() < 0.2:
        w_scale[int(net.r.integers(kernels))] *= np.float32(2.0 ** -11)  # multipliers of few bits
    b = net.r.integers(-4000, 4000, kernels) if bias else None
    if bias and net.r.random() < 0.2:
        b = b * 40
    geometry = dict(strides=strides, dilations=dilations, pads=pads, groups=groups)
    sums = [exact_sums(c, m.quant, w, b, **geometry) for c in m.codes]
    scales = np.array(rules.scale_products(m.quant, w_scale))
    q = net.fitting(np.stack(sums) * scales, activation)
    cpu = kernel == (1, 1) and groups == 1 and depth > 128 and depth % 8 != 0
    clamp = clamp_of(q, activation)
    if cpu:  # seen to run on the CPU: the reals of the sums, rounded once
        ratio = float(m.quant.scale) * w_scale.astype(np.float64) / q.scale
        codes = [np.clip(np.where(s * ratio < 0, -np.floor(0.5 - s * ratio), np.floor(s * ratio + 0.5)) + q.zero, *clamp).astype(np.int64) for s in sums]
    else:
        codes = [rules.convolution(c, m.quant, q, w, w_scale, b, clamp=clamp, **geometry) for c in m.codes]
    y = net.result(codes, q)
    if "onnx" in net.formats:
        inputs = [net.dequantized(m), net.dequantized_constant(w.transpose(0, 3, 1, 2).astype(np.int8), w_scale if by_channel else w_scale[0], 0)]
        if b is not None:
            exact = (np.float32(m.quant.scale) * w_scale).astype(np.float32)
            inputs.append(net.dequantized_constant(b.astype(np.int32), exact if by_channel else exact[0], 0))
        net.onnx_result("Conv", inputs, y, activation, kernel_shape=list(kernel), strides=list(strides), dilations=list(dilations),
                        pads=list(pads), group=groups)
    if "tflite" in net.formats:
        lite_convolution(net, m, y, w, w_scale, b, kernel, geometry, activation)
    return y


def exact_sums(codes, quant, w, b, strides, dilations, pads, groups):
    """Integer sums by the same loops without any rounding."""
    centred = np.pad(codes - quant.zero, ((pads[0], pads[2]), (pads[1], pads[3]), (0, 0)))
    kernels, rows, columns, depth = w.shape
    oh = (centred.shape[0] - dilations[0] * (rows - 1) - 1) // strides[0] + 1
    ow = (centred.shape[1] - dilations[1] * (columns - 1) - 1) // strides[1] + 1
    out = np.zeros((oh, ow, kernels), np.int64)
    for i in range(rows):
        for j in range(columns):
            seen = centred[i * dilations[0]:, j * dilations[1]:][::strides[0], ::strides[1]][:oh, :ow]
            for g in range(groups):
                own = slice(g * kernels // groups, (g + 1) * kernels // groups)
                out[:, :, own] += seen[:, :, g * depth:(g + 1) * depth] @ w[own, i, j].T
    return out if b is None else out + b


def lite_convolution(net, m, y, w, w_scale, b, kernel, geometry, activation):
    source = net.lite_map(m)
    top, left, bottom, right = geometry["pads"]
    if any(geometry["pads"]):
        shape = (m.shape[0] + top + bottom, m.shape[1] + left + right, m.shape[2])
        padded = net.lite.tensor(y.name + "_padded", (1,) + shape, m.quant.dtype, m.quant.scale, m.quant.zero)
        amounts = net.lite_const([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
        net.lite.operator("PAD", [source, amounts], [padded], options("Pad"))
        source = padded
    depthwise = geometry["groups"] == m.shape[2] and geometry["groups"] > 1
    inputs = [source]
    if depthwise:
        inputs.append(net.lite_const(w.transpose(3, 1, 2, 0), np.int8, w_scale, 3))
    else:
        inputs.append(net.lite_const(w, np.int8, w_scale, 0))
    inputs.append(net.lite_const(np.zeros(len(w)) if b is None else b, np.int32, (np.float32(m.quant.scale) * w_scale).astype(np.float32)))
    shared = dict(padding=1, strideH=geometry["strides"][0], strideW=geometry["strides"][1], dilationHFactor=geometry["dilations"][0],
                  dilationWFactor=geometry["dilations"][1], fusedActivationFunction=ACTIVATIONS[activation])
    if depthwise:
        net.lite.operator("DEPTHWISE_CONV_2D", inputs, [net.lite_map(y)], options("DepthwiseConv2D", depthMultiplier=len(w) // m.shape[2], **shared))
    else:
        net.lite.operator("CONV_2D", inputs, [net.lite_map(y)], options("Conv2D", **shared))


def global_average(net, m):
    q = net.fitting((np.stack([c.mean((0, 1)) for c in m.codes]) - m.quant.zero) * m.quant.scale)
    y = net.result([rules.global_average(c, m.quant, q)[None, None] for c in m.codes], q)
    if "onnx" in net.formats:
        if net.r.random() < 0.5:
            net.onnx_result("GlobalAveragePool", [net.dequantized(m)], y)
        else:
            net.onnx_result("ReduceMean", [net.dequantized(m)], y, axes=[2, 3], keepdims=1)
    if "tflite" in net.formats:
        net.lite.operator("MEAN", [net.lite_map(m), net.lite_const([1, 2], np.int32)], [net.lite_map(y)], options("Reducer", keepDims=True))
    return y


def pool(net, m, largest):
    kernel = (min(m.shape[0], int(net.r.integers(1, 4))), min(m.shape[1], int(net.r.integers(1, 4))))
    strides = (int(net.r.integers(1, 4)), int(net.r.integers(1, 4)))
    pads = (0, 0, 0, 0)
    if largest:
        q, codes = m.quant, [rules.max_pool(c, kernel, strides, pads) for c in m.codes]
    else:  # TFLite keeps the scale
        q = m.quant
        codes = [rules.average_pool(c, m.quant, q, kernel, strides, pads) for c in m.codes]
    y = net.result(codes, q)
    if "onnx" in net.formats:
        net.onnx_result("MaxPool" if largest else "AveragePool", [net.dequantized(m)], y, kernel_shape=list(kernel), strides=list(strides), pads=[0] * 4)
    if "tflite" in net.formats:
        net.lite.operator("MAX_POOL_2D" if largest else "AVERAGE_POOL_2D", [net.lite_map(m)], [net.lite_map(y)],
                          options("Pool2D", padding=1, strideH=strides[0], strideW=strides[1], filterHeight=kernel[0], filterWidth=kernel[1]))
    return y


def requantize(net, m):
    return same_scale(net, m, Quant(m.quant.scale * net.r.uniform(0.3, 3), net.zero(), net.dtype))


def same_scale(net, m, q):
    y = net.result([rules.requantize(c, m.quant, q) for c in m.codes], q)
    if "onnx" in net.formats:
        net.node("QuantizeLinear", [net.dequantized(m)] + net.code_quant(q), y.name)
    if "tflite" in net.formats:
        net.lite.operator("QUANTIZE", [net.lite_map(m)], [net.lite_map(y)], options("Quantize"))
    return y


def binary(net, kind, m, other=None):
    """Of m and a requantized m, or another map of its shape."""
    if other is None:
        other = requantize(net, m)
    real = [(a - m.quant.zero) * m.quant.scale for a in m.codes], [(b - other.quant.zero) * other.quant.scale for b in other.codes]
    compute = {"Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b}[kind]
    activation = net.one_of("none", "none", "relu", "relu6") if kind == "Add" and net.dtype == np.int8 else "none"
    q = net.fitting(np.stack([compute(a, b) for a, b in zip(*real)]), activation)
    clamp = clamp_of(q, activation)
    rule = {"Add": rules.add, "Sub": lambda *a: rules.add(*a, minus=True), "Mul": rules.multiply}[kind]
    y = net.result([rule(a, m.quant, b, other.quant, q, clamp) for a, b in zip(m.codes, other.codes)], q)
    if "onnx" in net.formats:
        net.onnx_result(kind, [net.dequantized(m), net.dequantized(other)], y, activation)
    if "tflite" in net.formats:
        net.lite.operator(kind.upper(), [net.lite_map(m), net.lite_map(other)], [net.lite_map(y)],
                          options(kind, fusedActivationFunction=ACTIVATIONS[activation]))
    return y


def concat(net, m):
    """Of two maps that were brought to one scale before (TFLite asks for it)."""
    other = requantize(net, m)
    third = requantize(net, other)
    first = same_scale(net, m, third.quant)
    y = net.result([np.concatenate([a, b], 2) for a, b in zip(first.codes, third.codes)], third.quant)
    if "onnx" in net.formats:
        net.onnx_result("Concat", [net.dequantized(first), net.dequantized(third)], y, axis=1)
    if "tflite" in net.formats:
        net.lite.operator("CONCATENATION", [net.lite_map(first), net.lite_map(third)], [net.lite_map(y)], options("Concatenation", axis=3))
    return y


def dense(net, m, outputs, bias):
    """A layer on a map of one pixel."""
    w = weights_of(net, outputs, 1, 1, m.shape[2])
    w_scale = np.array([net.scale(0.0005, 0.02)], np.float32)
    b = net.r.integers(-4000, 4000, outputs) if bias else None
    still = dict(strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 0), groups=1)
    sums = [exact_sums(c, m.quant, w, b, **still) for c in m.codes]
    q = net.fitting(np.stack(sums) * rules.scale_products(m.quant, w_scale)[0])
    if m.shape[2] > 128 and m.shape[2] % 8 != 0:
        ratio = float(m.quant.scale) * float(w_scale[0]) / q.scale
        codes = [q_clip(s * ratio, q) for s in sums]
    else:
        codes = [rules.convolution(c, m.quant, q, w, w_scale, b) for c in m.codes]
    y = net.result(codes, q)
    if "onnx" in net.formats:
        flat = net.node("Reshape", [net.dequantized(m), net.const(np.array([1, m.shape[2]], np.int64))], y.name + "_flat")
        inputs = [flat, net.dequantized_constant(w[:, 0, 0].astype(np.int8), w_scale[0], 0)]
        if b is not None:
            inputs.append(net.dequantized_constant(b.astype(np.int32), np.float32(m.quant.scale) * w_scale[0], 0))
        flat_y = Map(y.name + "_row", (outputs,), q, None)
        net.onnx_result("Gemm", inputs, flat_y, transB=1)
        real = net.node("DequantizeLinear", [flat_y.name] + net.code_quant(q), flat_y.name + "d")
        net.onnx_result("Reshape", [real, net.const(np.array([1, outputs, 1, 1], np.int64))], y)
    if "tflite" in net.formats:
        flat = net.lite.tensor(y.name + "_flat", (1, m.shape[2]), m.quant.dtype, m.quant.scale, m.quant.zero)
        net.lite.operator("RESHAPE", [net.lite_map(m), net.lite_const([1, m.shape[2]], np.int32)], [flat], options("Reshape", newShape=[1, m.shape[2]]))
        row = net.lite.tensor(y.name + "_row", (1, outputs), q.dtype, q.scale, q.zero)
        bias_scale = (np.float32(m.quant.scale) * w_scale).astype(np.float32)
        net.lite.operator("FULLY_CONNECTED", [flat, net.lite_const(w[:, 0, 0], np.int8, w_scale),
                                              net.lite_const(np.zeros(outputs) if b is None else b, np.int32, bias_scale)],
                          [row], options("FullyConnected"))
        net.lite.operator("RESHAPE", [row, net.lite_const([1, 1, 1, outputs], np.int32)], [net.lite_map(y)], options("Reshape", newShape=[1, 1, 1, outputs]))
    return y


def q_clip(reals, q):
    nearest = np.where(reals < 0, -np.floor(0.5 - reals), np.floor(reals + 0.5)) + q.zero
    i = np.iinfo(q.dtype)
    return np.clip(nearest, i.min, i.max).astype(np.int64)
