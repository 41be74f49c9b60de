"""Whole networks at real widths: the architectures that users quantize, with seeded weights, on small images."""
import math

import numpy as np
from onnx import TensorProto

from generated_blocks import resize
from generated_net import Map, activation, batch_norm, concat, conv, conv_transpose, cut, pool, reshape, same, split
from generated_tokens import dense, layer_norm, reduce_mean, tokens


def classify(net, x, classes=100):
    """Global average, a dense layer."""
    f = reshape(net, net.op("GlobalAveragePool", x.name), 1, -1) if net.chance(0.5) else net.op("Flatten", net.op("GlobalAveragePool", x.name))
    w = net.const((net.rng.standard_normal((classes, x.c)) / math.sqrt(x.c)).astype(np.float32), "w")
    net.output(net.op("Gemm", f, w, net.bias(classes), transB=1))


def add(net, a, b, act="none"):
    return activation(net, same(a, net.op("Add", a.name, b.name)), act)


def squeeze(net, x, low, gate="sigmoid", act="silu"):
    s = Map(reduce_mean(net, x.name, [2, 3], 1), x.c, 1, 1) if net.chance(0.5) else Map(net.op("GlobalAveragePool", x.name), x.c, 1, 1)
    s = conv(net, conv(net, s, low, 1, act=act), x.c, 1, act=gate)
    return same(x, net.op("Mul", x.name, s.name))


def resnet(net, x):
    """Basic units of 64 to 256 channels."""
    x = pool(net, conv(net, x, 64, 7, 2, act="relu", norm=True), "MaxPool", 3, 2, [1] * 4)
    for width, stride in ((64, 1), (128, 2), (256, 2)):
        for unit in range(2):
            s = stride if unit == 0 else 1
            y = conv(net, conv(net, x, width, 3, s, act="relu", norm=True), width, norm=True)
            x = add(net, y, conv(net, x, width, 1, s, norm=True) if s > 1 or x.c != width else x, "relu")
    classify(net, x)


def mobilenet(net, x):
    """Inverted residuals of up to 576 channels, clamped at 6."""
    x = conv(net, x, 32, 3, 2, act="relu6")
    for expand, width, stride in ((1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 64, 2), (6, 96, 1), (6, 96, 1), (6, 160, 2)):
        y = conv(net, x, x.c * expand, 1, act="relu6") if expand > 1 else x
        y = conv(net, conv(net, y, y.c, 3, stride, g=y.c, act="relu6"), width, 1)
        x = add(net, y, x) if stride == 1 and width == x.c else y
    classify(net, conv(net, x, 1280, 1, act="relu6"))


def mobilenet_v3(net, x):
    """Inverted residuals with hard activations and gates, windows of 5."""
    x = conv(net, x, 16, 3, 2, act="hardswish")
    for k, expand, width, gate, act, stride in ((3, 16, 16, True, "relu", 2), (3, 72, 24, False, "relu", 2), (3, 88, 24, False, "relu", 1),
                                                (5, 96, 40, True, "hardswish", 2), (5, 240, 40, True, "hardswish", 1),
                                                (5, 144, 48, True, "hardswish", 1), (5, 288, 96, True, "hardswish", 2)):
        y = conv(net, conv(net, x, expand, 1, act=act), expand, k, stride, g=expand, act=act)
        y = conv(net, squeeze(net, y, expand // 4, "hardsigmoid", "relu") if gate else y, width, 1)
        x = add(net, y, x) if stride == 1 and width == x.c else y
    classify(net, conv(net, x, 576, 1, act="hardswish"))


def efficientnet(net, x):
    """Inverted residuals with sigmoid gates."""
    x = conv(net, x, 32, 3, 2, act="silu", norm=True)
    for k, expand, width, stride in ((3, 1, 16, 1), (3, 6, 24, 2), (3, 6, 24, 1), (5, 6, 40, 2), (5, 6, 40, 1), (3, 6, 80, 2), (5, 6, 112, 1)):
        y = conv(net, x, x.c * expand, 1, act="silu", norm=True) if expand > 1 else x
        y = conv(net, y, y.c, k, stride, g=y.c, act="silu", norm=True)
        y = conv(net, squeeze(net, y, max(4, x.c // 4)), width, 1, norm=True)
        x = add(net, y, x) if stride == 1 and width == x.c else y
    classify(net, conv(net, x, 320, 1, act="silu", norm=True))


def bottlenecks(net, x, width, units, shortcut=True):
    """A cross-stage block whose every unit's result is joined."""
    y = conv(net, x, width, 1, act="silu")
    parts = split(net, y, width // 2, width // 2)
    for _ in range(units):
        z = conv(net, conv(net, parts[-1], width // 2, act="silu"), width // 2, act="silu")
        parts.append(add(net, parts[-1], z) if shortcut else z)
    return conv(net, concat(net, *parts), width, 1, act="silu")


def yolo(net, x):
    """Backbone, pooling pyramid, neck both ways, three heads decoded as the exporter writes it."""
    x = conv(net, conv(net, x, 16, 3, 2, act="silu"), 32, 3, 2, act="silu")
    a = bottlenecks(net, conv(net, bottlenecks(net, x, 32, 1), 64, 3, 2, act="silu"), 64, 2)
    b = bottlenecks(net, conv(net, a, 128, 3, 2, act="silu"), 128, 1)
    y = conv(net, b, 64, 1, act="silu")
    chain = [y]
    for _ in range(3):
        chain.append(pool(net, chain[-1], "MaxPool", 5, 1, [2] * 4))
    b = conv(net, concat(net, *chain), 128, 1, act="silu")
    up = Map(net.op("Resize", b.name, net.const(np.zeros(0, np.float32)) if net.opset < 13 else "", net.real(1.0, 1.0, 2.0, 2.0),
                    mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"), b.c, 2 * b.h, 2 * b.w)
    a = bottlenecks(net, concat(net, up, a), 64, 1, False)
    b = bottlenecks(net, concat(net, conv(net, a, 64, 3, 2, act="silu"), b), 128, 1, False)
    boxes, scores, count = [], [], 0
    for m in (a, b):
        boxes.append(reshape(net, conv(net, conv(net, m, 64, act="silu"), 64, 1).name, 1, 64, m.h * m.w))
        scores.append(reshape(net, conv(net, conv(net, m, 80, act="silu"), 80, 1).name, 1, 80, m.h * m.w))
        count += m.h * m.w
    d = net.op("Transpose", reshape(net, net.op("Concat", *boxes, axis=2), 1, 4, 16, count), perm=[0, 2, 1, 3])
    bins = net.const(np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1), "bins")
    d = reshape(net, net.op("Conv", net.op("Softmax", d, axis=1), bins, kernel_shape=[1, 1]), 1, 4, count)
    near, far = split(net, Map(d, 4, 1, count), 2, 2)
    place = net.const((net.rng.uniform(0, 8, (1, 2, count))).astype(np.float32), "places")
    low, high = net.op("Sub", place, near.name), net.op("Add", place, far.name)
    box = net.op("Concat", net.op("Div", net.op("Add", low, high), net.real(2.0)), net.op("Sub", high, low), axis=1)
    box = net.op("Mul", box, net.const(np.full((1, count), 8, np.float32), "strides"))
    net.output(net.op("Concat", box, net.op("Sigmoid", net.op("Concat", *scores, axis=2)), axis=1))


def unet(net, x):
    """Down and up again with what was there, by transposed convolution or resizing."""
    levels = []
    for width in (16, 32, 64):
        x = conv(net, conv(net, x, width, act="relu", norm=True), width, act="relu", norm=True)
        levels.append(x)
        x = pool(net, x, "MaxPool", 2, 2)
    x = conv(net, x, 128, act="relu")
    for skip in reversed(levels):
        x = conv_transpose(net, x, skip.c, 2, 2) if net.chance(0.5) else conv(net, resize(net, x, skip.h, skip.w), skip.c, 1)
        x = conv(net, concat(net, skip, x), skip.c, act="relu", norm=True)
    net.output(net.op("Sigmoid", conv(net, x, 2, 1).name))


def vit(net, x, dim=64, heads=4):
    """Patches, a class token, encoder layers with normalization before each half."""
    t, n = tokens(net, conv(net, x, dim, 8, 8, pads=[0] * 4), dim)
    t = net.op("Concat", net.const(net.rng.standard_normal((1, 1, dim)).astype(np.float32), "class"), t, axis=1)
    n += 1
    t = net.op("Add", t, net.const((net.rng.standard_normal((1, n, dim)) * 0.2).astype(np.float32), "places"))
    each = dim // heads
    for _ in range(2):
        qkv = dense(net, layer_norm(net, t, dim), dim, 3 * dim)
        qkv = net.op("Transpose", reshape(net, qkv, 1, n, 3, heads, each), perm=[2, 0, 3, 1, 4])
        parts = net.op("Split", qkv, net.ints(1, 1, 1), outputs=3, axis=0)
        q, k, v = (net.op("Squeeze", p, net.const(np.zeros(1, np.int64))) for p in parts)
        s = net.op("MatMul", net.op("Mul", q, net.real(each ** -0.5)), net.op("Transpose", k, perm=[0, 1, 3, 2]))
        y = net.op("Transpose", net.op("MatMul", net.op("Softmax", s, axis=-1), v), perm=[0, 2, 1, 3])
        t = net.op("Add", t, dense(net, reshape(net, y, 1, n, dim), dim, dim))
        m = dense(net, layer_norm(net, t, dim), dim, 4 * dim)
        t = net.op("Add", t, dense(net, activation(net, Map(m, 0, 0, 0), net.pick("gelu_erf", "gelu_tanh", "silu")).name, 4 * dim, dim))
    t = net.op("Gather", layer_norm(net, t, dim), net.const(np.zeros(1, np.int64)), axis=1)
    net.output(dense(net, reshape(net, t, 1, dim), dim, 100))


def keywords(net, x):
    """Separable convolutions on a spectrogram, windows that are not square."""
    x = conv(net, cut_channel(net, x), 64, (10, 4), 2, pads=[4, 1, 5, 2], act="relu", norm=True)
    for _ in range(4):
        x = conv(net, conv(net, x, 64, 3, g=64, act="relu", norm=True), 64, 1, act="relu", norm=True)
    f = reshape(net, pool(net, x, "AveragePool", x.h, 1).name, 1, -1)
    net.output(net.op("Softmax", dense(net, f, 64 * (x.w - x.h + 1) if x.w >= x.h else 64, 12), axis=-1))


def cut_channel(net, x):
    return Map(cut(net, x.name, [0], [1], [1]), 1, x.h, x.w)


def speech(net, x):
    """Convolutions over time, a recurrent layer of either kind, a frame by frame decision."""
    x = conv(net, cut_channel(net, x), 16, 3, 2, act="relu")
    t = net.op("Transpose", x.name, perm=[2, 0, 1, 3])
    n, hidden = x.c * x.w, 48
    t = reshape(net, t, x.h, 1, n)
    kind, gates = net.pick(("LSTM", 4), ("GRU", 3))
    both = net.pick(1, 2)
    make = lambda *s: net.const((net.rng.standard_normal(s) / math.sqrt(s[-1])).astype(np.float32), "w")
    names = [t, make(both, gates * hidden, n), make(both, gates * hidden, hidden), make(both, 2 * gates * hidden)]
    how = {"linear_before_reset": 1} if kind == "GRU" else {}
    y = net.op(kind, *names, outputs=2, hidden_size=hidden, direction="bidirectional" if both == 2 else "forward", **how)[0]
    y = reshape(net, net.op("Transpose", y, perm=[0, 2, 1, 3]), x.h, both * hidden)
    net.output(dense(net, y, both * hidden, 29))


def temporal(net, x):
    """Dilated causal convolutions over one axis with residuals."""
    n = x.h * x.w
    y, c = reshape(net, x.name, 1, x.c, n), x.c
    for d in (1, 2, 4, 8):
        w = net.const((net.rng.standard_normal((48, c, 3)) / math.sqrt(3 * c)).astype(np.float32), "w")
        z = net.op("Relu", net.op("Conv", y, w, net.bias(48), kernel_shape=[3], pads=[2 * d, 0], dilations=[d]))
        y = net.op("Add", y, z) if c == 48 else z
        c = 48
    last = cut(net, y, [-1], [1 << 30], [2])
    w = net.const((net.rng.standard_normal((10, 48)) / 7).astype(np.float32), "w")
    net.output(net.op("Gemm", net.op("Flatten", last), w, net.bias(10), transB=1))


def anomaly(net, x):
    """An autoencoder of dense layers."""
    y, n = net.op("Flatten", pool(net, x, "AveragePool", 4, 4).name), x.c * (x.h // 4) * (x.w // 4)
    for width in (128, 128, 8, 128, n):
        y = dense(net, y, n, width)
        y = y if width == n else batch_norm(net, Map(y, width, 1, 1)).name
        y = net.op("Relu", y) if width != n else y
        n = width
    net.output(y)


def segment(net, x):
    """Dilated convolutions in parallel, a pooled branch, the mask's greatest class."""
    x = conv(net, conv(net, x, 32, 3, 2, act="relu6"), 64, 3, 2, act="relu6")
    parts = [conv(net, x, 64, 1, act="relu")] + [conv(net, x, 64, 3, d=d, act="relu") for d in (2, 4)]
    g = conv(net, Map(net.op("GlobalAveragePool", x.name), x.c, 1, 1), 64, 1, act="relu")
    parts.append(resize(net, g, x.h, x.w))
    y = resize(net, conv(net, conv(net, concat(net, *parts), 64, 1, act="relu"), 21, 1), 4 * x.h, 4 * x.w)
    net.output(net.op("ArgMax", y.name, axis=1, keepdims=0), TensorProto.INT64)


MODELS = {f.__name__: f for f in (resnet, mobilenet, mobilenet_v3, efficientnet, yolo, unet, vit, keywords, speech, temporal, anomaly, segment)}
