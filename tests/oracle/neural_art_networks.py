"""Small networks from seeds, in both file formats, with what the accelerator's rules (neural_art_oracle.py) make of them:
the steps of which networks are made. What they grow into is in neural_art_network.py.
"""
import numpy as np

import neural_art_oracle as rules
from neural_art_network import ACTIVATIONS, Map, Network, clamp_of
from neural_art_oracle import Quant
from tflite_operands import options

__all__ = ["Network"]  # what callers grow


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
