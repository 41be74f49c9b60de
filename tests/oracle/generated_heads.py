"""The heads that exported int8 networks end with: maps to outputs."""
import math

import numpy as np
from onnx import TensorProto

from generated_blocks import resize
from generated_net import Map, activation, batch_norm, conv, conv_transpose, cut, reshape
from generated_tokens import dense, reduce, reduce_mean


def head_classes(net, x):
    """Global pooling, dense, softmax."""
    how = net.pick("pool", "mean", "flatten")
    if how == "pool":
        f = net.op("Flatten", net.op("GlobalAveragePool", x.name)) if net.chance(0.5) else \
            reshape(net, net.op("GlobalAveragePool", x.name), 1, -1)
        n = x.c
    elif how == "mean":
        f, n = reduce_mean(net, x.name, [2, 3], 0), x.c
    else:
        f, n = net.op("Flatten", x.name, axis=1), x.c * x.h * x.w
    if net.chance(0.6):
        w = net.const((net.rng.standard_normal((10, n)) / math.sqrt(n)).astype(np.float32), "w")
        y = net.op("Gemm", f, w, net.bias(10), transB=1)
    else:
        y = dense(net, f, n, 10)
    if net.chance(0.7):
        y = net.op("Softmax", y, axis=net.pick(1, -1))
    net.output(y)


def head_embedding(net, x):
    """A unit vector for re-identification, by each way of writing the norm."""
    if net.chance(0.5):
        g = conv(net, x, x.c, (x.h, x.w), pads=[0] * 4, g=x.c)
        f, n = net.op("Flatten", g.name), x.c
    else:
        f, n = net.op("Flatten", net.op("GlobalAveragePool", x.name)), x.c
    w = net.const((net.rng.standard_normal((24, n)) / math.sqrt(n)).astype(np.float32), "w")
    y = net.op("Gemm", f, w, net.bias(24), transB=1, alpha=0.5 if x.c % 8 else 1.0)
    if net.chance(0.5):
        y = batch_norm(net, Map(y, 24, 1, 1)).name
    how = net.pick("reduce_l2", "lp", "parts", "clip")
    if how == "lp":
        net.output(net.op("LpNormalization", y, axis=1, p=2))
        return
    if how == "parts":
        norm = net.op("Sqrt", reduce(net, "ReduceSum", net.op("Mul", y, y), [1], 1))
    else:
        norm = reduce(net, "ReduceL2", y, [-1 if how == "clip" else 1], 1)
    if how == "clip":
        norm = net.op("Expand", net.op("Clip", norm, net.real(1e-12)), net.ints(1, 24))
    net.output(net.op("Div", y, norm))


def head_boxes(net, x):
    """Detector outputs of two scales: boxes by a distribution over distances, scores by sigmoid."""
    small, bins, classes = conv(net, x, 16, 3, 2, act="relu"), 8, 3
    boxes, scores, count = [], [], 0
    for m in (x, small):
        boxes.append(reshape(net, conv(net, m, 4 * bins, 1).name, 1, 4 * bins, m.h * m.w))
        scores.append(reshape(net, conv(net, m, classes, 1).name, 1, classes, m.h * m.w))
        count += m.h * m.w
    box, score = net.op("Concat", *boxes, axis=2), net.op("Concat", *scores, axis=2)
    d = net.op("Transpose", reshape(net, box, 1, 4, bins, count), perm=[0, 2, 1, 3])
    d = Map(net.op("Softmax", d, axis=1), bins, 4, count)
    weight = net.const(np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1), "w")
    d = reshape(net, net.op("Conv", d.name, weight, kernel_shape=[1, 1]), 1, 4, count)
    left, right = cut(net, d, [0], [2], [1]), cut(net, d, [2], [4], [1])
    anchors = net.const((net.rng.uniform(0, 8, (1, 2, count))).astype(np.float32), "anchor")
    low, high = net.op("Sub", anchors, left), net.op("Add", anchors, right)
    middle = net.op("Div", net.op("Add", low, high), net.real(2.0))
    strides = net.const(np.full((1, count), 8, np.float32), "stride")
    d = net.op("Mul", net.op("Concat", middle, net.op("Sub", high, low), axis=1), strides)
    y = net.op("Concat", d, net.op("Sigmoid", score), axis=1)
    net.output(net.op("Transpose", y, perm=[0, 2, 1]) if net.chance(0.5) else y)


def head_anchors(net, x):
    """Detector outputs with anchors: channels last, concatenated over scales."""
    small, outs = conv(net, x, 16, 3, 2, act="relu"), {4: [], 3: []}
    for m in (x, small):
        for n in outs:
            t = net.op("Transpose", conv(net, m, 2 * n, 3).name, perm=[0, 2, 3, 1])
            outs[n].append(reshape(net, t, 1, -1, n))
    net.output(net.op("Concat", *outs[4], axis=1))
    score = net.op("Concat", *outs[3], axis=1)
    net.output(net.op("Softmax", score, axis=2) if net.chance(0.6) else net.op("Sigmoid", score))


def head_grid(net, x):
    """Detector outputs on the grid: five axes, sigmoid, offsets, powers."""
    y = conv(net, x, 2 * 7, 1)
    y = net.op("Transpose", reshape(net, y.name, 1, 2, 7, y.h, y.w), perm=[0, 1, 3, 4, 2])
    y = net.op("Sigmoid", y)
    place = cut(net, y, [0], [2], [4])
    size, rest = cut(net, y, [2], [4], [4]), cut(net, y, [4], [7], [4])
    grid = net.const(net.rng.integers(0, 8, (1, 2, x.h, x.w, 2)).astype(np.float32), "grid")
    place = net.op("Mul", net.op("Add", net.op("Mul", place, net.real(2.0)), grid), net.real(8.0))
    size = net.op("Mul", net.op("Pow", net.op("Mul", size, net.real(2.0)), net.real(2.0)), net.real(10.0))
    net.output(reshape(net, net.op("Concat", place, size, rest, axis=4), 1, -1, 7))


def head_mask(net, x):
    """Segmentation at twice the size."""
    y = resize(net, conv(net, x, 5, 1), 2 * x.h, 2 * x.w)
    how = net.pick("softmax", "argmax", "sigmoid", "none")
    if how == "softmax":
        net.output(net.op("Softmax", y.name, axis=1))
    elif how == "argmax":
        net.output(net.op("ArgMax", y.name, axis=1, keepdims=net.pick(0, 1)), TensorProto.INT64)
    else:
        net.output(net.op("Sigmoid", y.name) if how == "sigmoid" else y.name)


def head_points(net, x):
    """Heat maps by transposed convolution, or coordinates by a softmax over rows and columns."""
    if net.chance(0.5):
        y = activation(net, batch_norm(net, conv_transpose(net, x, 8, 4, 2, [1] * 4)), "relu")
        net.output(conv(net, y, 5, 1).name)
        return
    y = reshape(net, conv(net, x, 5, 1).name, 1, 5, x.h * x.w)
    w = net.op("Softmax", y, axis=2)
    place = net.const(net.rng.uniform(-1, 1, (x.h * x.w, 2)).astype(np.float32), "place")
    net.output(net.op("MatMul", w, place))


HEADS = {f.__name__[5:]: f for f in (head_classes, head_embedding, head_boxes, head_anchors, head_grid, head_mask,
                                     head_points)}
