"""The networks behind the published latencies, as int8 graphs with the right shapes and random weights.

Weights do not enter a latency estimate; shapes and operators do. MobileNetV2 and YOLOv8n are built after
their published architectures; st_yoloxn after YOLOX-nano (depth 0.33, width 0.25, depthwise
separable convolutions) with ReLU, which is an assumption.
"""
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    def __init__(self, name, shape):
        self.nodes, self.initializers, self.name, self.count = [], [], name, 0
        self.shapes = {"x": shape}
        self.random = np.random.default_rng(1)
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)

    def fresh(self, stem):
        self.count += 1
        return f"{stem}_{self.count}"

    def constant(self, stem, array):
        name = self.fresh(stem)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op, inputs, shape, **attributes):
        out = self.fresh(op)
        self.nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        self.shapes[out] = shape
        return out

    def coded(self, x, scale=0.05):
        s = self.constant("scale", np.float32(scale))
        z = self.constant("zero", np.int8(0))
        q = self.node("QuantizeLinear", [x, s, z], self.shapes[x])
        return self.node("DequantizeLinear", [q, s, z], self.shapes[x])

    def conv(self, x, out, kernel, stride=1, groups=1, act=None):
        n, c, h, w = self.shapes[x]
        pad = kernel // 2
        ho, wo = (h + 2 * pad - kernel) // stride + 1, (w + 2 * pad - kernel) // stride + 1
        codes = self.random.integers(-127, 128, (out, c // groups, kernel, kernel)).astype(np.int8)
        wq = self.constant("weights", codes)
        ws = self.constant("scale", np.full(out, 0.01, np.float32))
        wz = self.constant("zero", np.zeros(out, np.int8))
        weights = self.node("DequantizeLinear", [wq, ws, wz], codes.shape, axis=0)
        bq = self.constant("bias", np.zeros(out, np.int32))
        bs = self.constant("scale", np.full(out, 0.0005, np.float32))
        bz = self.constant("zero", np.zeros(out, np.int32))
        bias = self.node("DequantizeLinear", [bq, bs, bz], (out,), axis=0)
        y = self.node("Conv", [x, weights, bias], (n, out, ho, wo), kernel_shape=[kernel] * 2,
                      strides=[stride] * 2, pads=[pad] * 4, group=groups)
        if act == "relu":
            y = self.node("Relu", [y], self.shapes[y])
        y = self.coded(y)
        if act == "silu":
            gate = self.coded(self.node("Sigmoid", [y], self.shapes[y]), 1 / 256)
            y = self.coded(self.node("Mul", [y, gate], self.shapes[y]))
        return y

    def add(self, a, b):
        return self.coded(self.node("Add", [a, b], self.shapes[a]))

    def concat(self, parts):
        n, _, h, w = self.shapes[parts[0]]
        shape = (n, sum(self.shapes[p][1] for p in parts), h, w)
        return self.coded(self.node("Concat", parts, shape, axis=1))

    def half(self, x, part):
        n, c, h, w = self.shapes[x]
        low, high = (0, c // 2) if part == 0 else (c // 2, c)
        starts = self.constant("starts", np.array([low], np.int64))
        ends = self.constant("ends", np.array([high], np.int64))
        axes = self.constant("axes", np.array([1], np.int64))
        return self.coded(self.node("Slice", [x, starts, ends, axes], (n, c // 2, h, w)))

    def max_pool(self, x, kernel):
        pads = [kernel // 2] * 4
        return self.coded(self.node("MaxPool", [x], self.shapes[x], kernel_shape=[kernel] * 2,
                                    strides=[1, 1], pads=pads))

    def upsample(self, x):
        n, c, h, w = self.shapes[x]
        scales = self.constant("scales", np.array([1, 1, 2, 2], np.float32))
        return self.coded(self.node("Resize", [x, "", scales], (n, c, 2 * h, 2 * w), mode="nearest",
                                    coordinate_transformation_mode="asymmetric",
                                    nearest_mode="floor"))

    def pooled_dense(self, x, out):
        n, c, _, _ = self.shapes[x]
        g = self.coded(self.node("GlobalAveragePool", [x], (n, c, 1, 1)))
        return self.conv(g, out, 1)

    def save(self, outputs, path):
        infos = [helper.make_tensor_value_info(o, TensorProto.FLOAT, self.shapes[o])
                 for o in outputs]
        graph = helper.make_graph(self.nodes, self.name, [self.input], infos, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.save(model, path)


def divisible(v, by=8):
    new = max(by, int(v + by / 2) // by * by)
    return new + by if new < 0.9 * v else new


def mobilenet_v2(alpha, size, classes, path):
    net = Net("mobilenet_v2", (1, 3, size, size))
    x = net.conv(net.coded("x"), divisible(32 * alpha), 3, 2, act="relu")
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                       (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(n):
            y, inner, out = x, net.shapes[x][1] * t, divisible(c * alpha)
            if t > 1:
                y = net.conv(y, inner, 1, act="relu")
            y = net.conv(y, inner, 3, s if i == 0 else 1, inner, "relu")
            y = net.conv(y, out, 1)
            x = net.add(x, y) if i > 0 else y
    x = net.conv(x, divisible(1280 * max(1.0, alpha)), 1, act="relu")
    net.save([net.pooled_dense(x, classes)], path)


def c2f(net, x, out, n, shortcut):
    y = net.conv(x, out, 1, act="silu")
    parts = [net.half(y, 0), net.half(y, 1)]
    for _ in range(n):
        z = net.conv(net.conv(parts[-1], out // 2, 3, act="silu"), out // 2, 3, act="silu")
        parts.append(net.add(parts[-1], z) if shortcut else z)
    return net.conv(net.concat(parts), out, 1, act="silu")


def yolo_v8n(size, path):
    net = Net("yolov8n", (1, 3, size, size))
    x = net.conv(net.coded("x"), 16, 3, 2, act="silu")
    x = c2f(net, net.conv(x, 32, 3, 2, act="silu"), 32, 1, True)
    p3 = c2f(net, net.conv(x, 64, 3, 2, act="silu"), 64, 2, True)
    p4 = c2f(net, net.conv(p3, 128, 3, 2, act="silu"), 128, 2, True)
    p5 = c2f(net, net.conv(p4, 256, 3, 2, act="silu"), 256, 1, True)
    y = net.conv(p5, 128, 1, act="silu")
    pools = [y]
    for _ in range(3):
        pools.append(net.max_pool(pools[-1], 5))
    p5 = net.conv(net.concat(pools), 256, 1, act="silu")
    n4 = c2f(net, net.concat([net.upsample(p5), p4]), 128, 1, False)
    n3 = c2f(net, net.concat([net.upsample(n4), p3]), 64, 1, False)
    m4 = c2f(net, net.concat([net.conv(n3, 64, 3, 2, act="silu"), n4]), 128, 1, False)
    m5 = c2f(net, net.concat([net.conv(m4, 128, 3, 2, act="silu"), p5]), 256, 1, False)
    outputs = []
    for level in (n3, m4, m5):
        for inner, out in ((64, 64), (80, 80)):
            z = net.conv(net.conv(level, inner, 3, act="silu"), inner, 3, act="silu")
            outputs.append(net.conv(z, out, 1))
    net.save(outputs, path)


def separable(net, x, out, stride=1):
    inner = net.shapes[x][1]
    return net.conv(net.conv(x, inner, 3, stride, inner, "relu"), out, 1, act="relu")


def csp(net, x, out, n, shortcut):
    left, right = net.conv(x, out // 2, 1, act="relu"), net.conv(x, out // 2, 1, act="relu")
    for _ in range(n):
        z = separable(net, net.conv(left, out // 2, 1, act="relu"), out // 2)
        left = net.add(left, z) if shortcut else z
    return net.conv(net.concat([left, right]), out, 1, act="relu")


def st_yoloxn(size, path):
    net = Net("st_yoloxn", (1, 3, size, size))
    w = lambda c: math.ceil(c * 0.25 / 8) * 8
    x = net.conv(net.coded("x"), w(64), 3, 2, act="relu")
    x = csp(net, separable(net, x, w(128), 2), w(128), 1, True)
    p3 = csp(net, separable(net, x, w(256), 2), w(256), 3, True)
    p4 = csp(net, separable(net, p3, w(512), 2), w(512), 3, True)
    p5 = separable(net, p4, w(1024), 2)
    y = net.conv(p5, w(512), 1, act="relu")
    pools = [y] + [net.max_pool(y, k) for k in (5, 9, 13)]
    p5 = csp(net, net.conv(net.concat(pools), w(1024), 1, act="relu"), w(1024), 1, False)
    t5 = net.conv(p5, w(512), 1, act="relu")
    n4 = csp(net, net.concat([net.upsample(t5), p4]), w(512), 1, False)
    t4 = net.conv(n4, w(256), 1, act="relu")
    n3 = csp(net, net.concat([net.upsample(t4), p3]), w(256), 1, False)
    m4 = csp(net, net.concat([separable(net, n3, w(256), 2), t4]), w(512), 1, False)
    m5 = csp(net, net.concat([separable(net, m4, w(512), 2), t5]), w(1024), 1, False)
    outputs = []
    for level in (n3, m4, m5):
        stem = net.conv(level, w(256), 1, act="relu")
        for outs in ((1,), (4, 1)):
            z = separable(net, separable(net, stem, w(256)), w(256))
            outputs += [net.conv(z, o, 1) for o in outs]
    net.save(outputs, path)
