"""Writes a seeded QDQ network of about 300 M multiply-accumulates: bench/network.py OUT.onnx [SEED].

A residual network of the kind that int8 accelerators run: 3x3 and 1x1 convolutions, depthwise ones, Add, Relu as
clipping quantizers, a global average and a matrix product. Weights are random with one scale for each output channel;
scales of activations come from one float run on a random input, so that codes fill their range.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants = [], []
        self.macs = 0

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def codes(self, x, values, relu):
        """Quantizes and dequantizes tensor x whose float values are `values`; returns name and rounded values."""
        low, high = (0.0, float(values.max())) if relu else (float(values.min()), float(values.max()))
        scale = np.float32((high - low) / 255 or 1)
        zero = np.int8(np.clip(round(-128 - low / scale), -128, 127))
        s, z = self.constant(x + "_scale", scale), self.constant(x + "_zero", zero)
        q = self.node("QuantizeLinear", [x, s, z], x + "_q")
        codes = np.clip(np.rint(values / scale) + zero, -128, 127)
        return self.node("DequantizeLinear", [q, s, z], x + "_dq"), ((codes - zero) * scale).astype(np.float32)

    def weights(self, name, shape):
        fan_in = int(np.prod(shape[1:]))
        w = self.rng.normal(0, 1 / np.sqrt(fan_in), shape).astype(np.float32)
        scale = (np.abs(w).reshape(shape[0], -1).max(1) / 127).astype(np.float32)
        by_channel = scale.reshape(-1, *[1] * (len(shape) - 1))
        codes = np.clip(np.rint(w / by_channel), -127, 127).astype(np.int8)
        names = [self.constant(name + "_w", codes), self.constant(name + "_ws", scale), self.constant(name + "_wz", np.zeros(shape[0], np.int8))]
        return self.node("DequantizeLinear", names, name + "_wdq", axis=0), codes * by_channel

    def conv(self, x, values, name, channels, kernel=1, stride=1, depthwise=False, relu=True):
        group = values.shape[1] if depthwise else 1
        w, w_values = self.weights(name, (channels, values.shape[1] // group, kernel, kernel))
        pad = kernel // 2
        y = self.node("Conv", [x, w], name, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=group)
        y_values = convolve(values, w_values, stride, pad, group)
        self.macs += y_values.size * w_values[0].size
        return self.codes(y, y_values, relu)

    def add(self, a, a_values, b, b_values, name):
        return self.codes(self.node("Add", [a, b], name), a_values + b_values, False)


def convolve(x, w, stride, pad, group):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    kernel = w.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]
    if group > 1:
        return np.einsum("nchwij,cij->nchw", windows, w[:, 0]).astype(np.float32)
    n, c, h, v = windows.shape[:4]
    flat = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * v, -1)
    return (flat @ w.reshape(len(w), -1).T).reshape(n, h, v, len(w)).transpose(0, 3, 1, 2).astype(np.float32)


def network(seed):
    net = Net(seed)
    values = net.rng.normal(0, 1, (1, 3, 128, 128)).astype(np.float32)
    x, values = net.codes("x", values, False)
    x, values = net.conv(x, values, "stem", 32, 3, 2)
    for stage, (channels, blocks) in enumerate([(64, 2), (120, 3), (240, 3), (320, 2)]):
        x, values = net.conv(x, values, f"down{stage}", channels, 3, 2)
        for block in range(blocks):
            name = f"block{stage}_{block}"
            y, y_values = net.conv(x, values, name + "_a", channels, 3 if block % 2 == 0 else 1)
            y, y_values = net.conv(y, y_values, name + "_b", channels, 3, depthwise=True)
            y, y_values = net.conv(y, y_values, name + "_c", channels, 1, relu=False)
            x, values = net.add(x, values, y, y_values, name + "_add")
    mean = net.node("GlobalAveragePool", [x], "mean")
    m, m_values = net.codes(mean, values.mean((2, 3), keepdims=True), False)
    flat = net.node("Flatten", [m], "flat")
    f, _ = net.codes(flat, m_values.reshape(1, -1), False)
    w, w_values = net.weights("head", (100, m_values.shape[1]))
    net.macs += w_values.size
    net.codes(net.node("Gemm", [f, w], "logits", transB=1), m_values.reshape(1, -1) @ w_values.T, False)
    graph = helper.make_graph(
        net.nodes, f"generated_{seed}", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 128, 128])],
        [helper.make_tensor_value_info("logits_dq", TensorProto.FLOAT, [1, 100])], net.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model, net.macs


def main():
    model, macs = network(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    onnx.save(model, sys.argv[1])
    print(f"{sys.argv[1]}: {macs / 1e6:.0f} M multiply-accumulates")


if __name__ == "__main__":
    main()
