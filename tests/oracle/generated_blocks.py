"""The stages that exported int8 networks are made of: map to map."""
import math

import numpy as np

from generated_net import (ACTIVATIONS, Map, activation, batch_norm, concat, conv, conv_transpose, cut, pool,
                           reshape, same, split)
from generated_tokens import attention, dense, layer_norm, reduce, reduce_mean


def plain(net, x):
    """Two convolutions, one with a stride, with or without normalization behind them."""
    act, norm = net.pick(*ACTIVATIONS), net.chance(0.5)
    y = conv(net, x, net.pick(8, 12, 17, 24), net.pick(1, 3, 5), 1, act=act, norm=norm, bias=net.chance(0.7))
    return conv(net, y, net.pick(8, 16), 3, 2, act=act, norm=norm)


def padded(net, x):
    """Asymmetric, automatic and explicit paddings, windows that are not square."""
    y = conv(net, x, 10, (3, 1), pads=[1, 0, 1, 0], act="relu")
    y = conv(net, y, 8, (1, 5), pads=[0, 2, 0, 2], act="relu6")
    y = conv(net, y, 12, 3, 2, pads=net.pick([0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 2, 1]), act="relu")
    y = conv(net, y, 8, net.pick(2, 3), 1, pads=net.pick("SAME_UPPER", "SAME_LOWER"), act="leaky")
    mode = net.pick("constant", "reflect", "edge")
    value = [net.real(0.0)] if mode == "constant" and net.chance(0.5) else []
    y = Map(net.op("Pad", y.name, net.ints(0, 0, 1, 2, 0, 0, 1, 0), *value, mode=mode), y.c, y.h + 2, y.w + 2)
    return conv(net, y, 8, 3, pads="VALID", act="relu")


def depthwise(net, x):
    """Inverted residual with an optional gate."""
    act, wide = net.pick(*ACTIVATIONS), x.c * net.pick(1, 2)
    y = conv(net, x, wide, 1, act=act, norm=net.chance(0.5))
    y = conv(net, y, wide, net.pick(3, 5, 7), net.pick(1, 1, 2), g=wide, act=act, norm=net.chance(0.3))
    if net.chance(0.6):
        y = gate(net, y)
    y = conv(net, y, x.c, 1)
    if (y.h, y.w) == (x.h, x.w):
        y = same(y, net.op("Add", *net.pick((x.name, y.name), (y.name, x.name))))
    return y


def gate(net, x):
    """Squeeze and excite."""
    s = Map(net.op(*net.pick(("GlobalAveragePool", x.name),)), x.c, 1, 1) if net.chance(0.6) else \
        Map(reduce_mean(net, x.name, [2, 3], 1), x.c, 1, 1)
    s = conv(net, s, max(4, x.c // 4), 1, act=net.pick("relu", "silu", "prelu"))
    s = conv(net, s, x.c, 1, act=net.pick("sigmoid", "hardsigmoid"))
    return same(x, net.op("Mul", *net.pick((x.name, s.name), (s.name, x.name))))


def residual(net, x):
    """Two basic residual units, the second with a projection."""
    act = net.pick("relu", "relu", "prelu", "leaky", "silu")
    y = conv(net, conv(net, x, x.c, act=act, norm=net.chance(0.4)), x.c)
    x = activation(net, same(x, net.op("Add", y.name, x.name)), act)
    y = conv(net, conv(net, x, 16, 3, 2, act=act), 16)
    z = conv(net, x, 16, 1, 2)
    return activation(net, same(y, net.op("Add", y.name, z.name)), act)


def cross_stage(net, x):
    """Split, a bottleneck with a shortcut, concatenation of all parts."""
    act = net.pick("silu", "leaky", "relu", "hardswish", "mish")
    y = conv(net, x, 16, 1, act=act)
    a, b = split(net, y, 8, 8) if net.chance(0.6) else (conv(net, y, 8, 1, act=act), conv(net, y, 8, 1, act=act))
    c = conv(net, conv(net, b, 8, act=act), 8, act=act)
    if net.chance(0.6):
        c = same(c, net.op("Add", b.name, c.name))
    return conv(net, concat(net, a, b, c), net.pick(12, 16), 1, act=act)


def pyramid_pool(net, x):
    """Chained or parallel maximum poolings, concatenated."""
    y = conv(net, x, 8, 1, act=net.pick("silu", "relu", "leaky"))
    if net.chance(0.5):
        a = pool(net, y, "MaxPool", 5, 1, [2] * 4)
        b = pool(net, a, "MaxPool", 5, 1, [2] * 4)
        c = pool(net, b, "MaxPool", 5, 1, [2] * 4)
    else:
        a, b, c = (pool(net, y, "MaxPool", k, 1, [k // 2] * 4) for k in (3, 5, 9))
    return conv(net, concat(net, y, a, b, c), 16, 1, act="relu")


def focus(net, x):
    """Space to depth by strided slices."""
    if x.h % 2 or x.w % 2:
        return plain(net, x)
    parts = [Map(cut(net, x.name, [i, j], [1 << 30, 1 << 30], [2, 3], [2, 2]), x.c, x.h // 2, x.w // 2)
             for j in (0, 1) for i in (0, 1)]
    return conv(net, concat(net, *parts), 12, 3, act=net.pick("silu", "relu", "hardswish"))


def resize(net, x, h, w, by_sizes=None):
    """One of the resizings that exporters write."""
    by_sizes = net.chance(0.5) if by_sizes is None else by_sizes
    mode, how, near = net.pick(("nearest", "asymmetric", "floor"), ("nearest", "half_pixel", "round_prefer_floor"),
                               ("linear", "half_pixel", ""), ("linear", "align_corners", ""),
                               ("linear", "pytorch_half_pixel", ""), ("linear", "asymmetric", ""),
                               ("cubic", "half_pixel", ""))
    attrs = {"mode": mode, "coordinate_transformation_mode": how}
    if near:
        attrs["nearest_mode"] = near
    none = net.const(np.zeros(0, np.float32)) if net.opset < 13 else ""  # its inputs became optional in 13
    if by_sizes:
        y = net.op("Resize", x.name, none, none, net.ints(1, x.c, h, w), **attrs)
    else:
        y = net.op("Resize", x.name, none, net.real(1.0, 1.0, h / x.h, w / x.w), **attrs)
    return Map(y, x.c, h, w)


def pyramid(net, x):
    """Down, up again and joined with what was there: the neck of a detector."""
    act = net.pick("relu", "silu", "leaky")
    d = conv(net, x, 16, 3, 2, act=act)
    kind = net.pick("resize", "resize", "transposed", "shuffle")
    if kind == "resize":
        u = resize(net, d, x.h, x.w, by_sizes=True if (x.h != 2 * d.h or x.w != 2 * d.w) else None)
    elif kind == "transposed" and (x.h, x.w) == (2 * d.h, 2 * d.w):
        u = net.pick(lambda: conv_transpose(net, d, 8, 2, 2), lambda: conv_transpose(net, d, 12, 4, 2, [1] * 4),
                     lambda: conv_transpose(net, d, 8, 3, 2, [1] * 4, g=2, output_padding=1),
                     lambda: conv_transpose(net, d, 16, 4, 2, [1] * 4, g=16))()
        if net.chance(0.5):
            u = activation(net, batch_norm(net, u), "relu")
    elif (x.h, x.w) == (2 * d.h, 2 * d.w):
        u = Map(net.op("DepthToSpace", d.name, blocksize=2, mode=net.pick("DCR", "CRD")), 4, x.h, x.w)
    else:
        u = resize(net, d, x.h, x.w, True)
    if net.chance(0.3) and u.c != x.c:
        u = conv(net, u, x.c, 1)
    if u.c == x.c:
        return conv(net, same(x, net.op("Add", u.name, x.name)), 12, act=act)
    return conv(net, concat(net, u, x), 12, act=act)


def context(net, x):
    """Parallel dilations and a global branch."""
    parts = [conv(net, x, 6, 3, d=d, act="relu") for d in (1, 2, 3)]
    g = Map(net.op("GlobalAveragePool", x.name), x.c, 1, 1)
    parts.append(resize(net, conv(net, g, 6, 1, act="relu"), x.h, x.w, True))
    return conv(net, concat(net, *parts), 16, 1, act="relu")


def shuffled(net, x):
    """Grouped convolution and channel shuffle."""
    y = conv(net, x, 12, 1, act="relu")
    y = conv(net, y, 12, 3, g=net.pick(2, 3, 4), act="relu")
    z = reshape(net, y.name, 1, 3, 4, y.h, y.w)
    z = net.op("Transpose", z, perm=[0, 2, 1, 3, 4])
    z = Map(reshape(net, z, 1, 12, y.h, y.w), 12, y.h, y.w)
    a, b = split(net, z, 6, 6)
    return concat(net, a, conv(net, b, 6, 3, g=6))


def pooled(net, x):
    """Average poolings of several paddings, a maximum pooling with rounding up."""
    y = conv(net, x, 8, act="relu")
    y = pool(net, y, "AveragePool", 3, net.pick(1, 2), [1] * 4, count_include_pad=net.pick(0, 1))
    y = pool(net, conv(net, y, 8), "AveragePool", 2, net.pick(1, 2))
    y = pool(net, activation(net, y, net.pick(*ACTIVATIONS)), "MaxPool", net.pick(2, 3), 2, ceil_mode=net.pick(0, 1))
    return conv(net, y, 12, 1, act="relu")


def spatial_gate(net, x):
    """Attention over positions from the channels' mean and maximum."""
    mean = reduce_mean(net, x.name, [1], 1)
    top = reduce(net, "ReduceMax", x.name, [1], 1)
    g = conv(net, concat(net, Map(mean, 1, x.h, x.w), Map(top, 1, x.h, x.w)), 1, 7, act="sigmoid")
    return same(x, net.op("Mul", x.name, g.name))


def products(net, x):
    """Two branches joined by each of the elementwise operators, and by constants."""
    a, b = conv(net, x, 8, act=net.pick("none", "relu")), conv(net, x, 8, 1, act=net.pick("none", "sigmoid"))
    y = net.op(net.pick("Mul", "Sub", "Add", "Max", "Min"), a.name, b.name)
    y = net.op(net.pick("Mul", "Add", "Sub", "Div"), y, net.pick(
        lambda: net.real(0.7), lambda: net.const(net.rng.uniform(0.5, 2, (1, 8, 1, 1)).astype(np.float32)))())
    return conv(net, same(a, y), 12, 1, act=net.pick("relu", "abs_free", "tanh").replace("abs_free", "none"))


def scaled(net, x):
    """Normalization before the convolution (it cannot be folded), instance normalization, PRelu."""
    y = batch_norm(net, x)
    y = conv(net, activation(net, y, "relu"), 8, norm=True, act="prelu")
    gain, shift = net.const(net.rng.uniform(0.5, 1.5, 8).astype(np.float32), "gain"), net.bias(8)
    return conv(net, same(y, net.op("InstanceNormalization", y.name, gain, shift)), 12, 1, act="relu")


def signal(net, x):
    """Convolutions over one axis, dilated, causal, with a gate, on the rows laid end to end."""
    n = x.h * x.w
    y, c = reshape(net, x.name, 1, x.c, n), x.c
    for d in (1, net.pick(2, 4)):
        w = net.const((net.rng.standard_normal((8, c, 3)) / math.sqrt(3 * c)).astype(np.float32), "w")
        pads = net.pick([d, d], [2 * d, 0])
        y = net.op("Conv", y, w, net.bias(8), kernel_shape=[3], pads=pads, dilations=[d])
        y, c = net.op(net.pick("Relu", "Tanh", "Sigmoid"), y), 8
    if net.chance(0.5):
        y = net.op("Mul", y, net.op("Sigmoid", y))
    if net.chance(0.3):
        y = net.op("AveragePool", y, kernel_shape=[3], strides=[1], pads=[1, 1])
    return conv(net, Map(reshape(net, y, 1, 8, x.h, x.w), 8, x.h, x.w), 12, 1, act="relu")


def volume(net, x):
    """A convolution over three axes: the channels in two slices."""
    y = conv(net, x, 8, 1, act="relu")
    y = reshape(net, y.name, 1, 4, 2, x.h, x.w)
    w = net.const((net.rng.standard_normal((4, 4, 2, 3, 3)) / 8).astype(np.float32), "w")
    y = net.op("Conv", y, w, net.bias(4), kernel_shape=[2, 3, 3], pads=[1, 1, 1, 0, 1, 1])
    y = net.op("Relu", y)
    return conv(net, Map(reshape(net, y, 1, 8, x.h, x.w), 8, x.h, x.w), 10, 1, act="relu")


def channels_last_block(net, x):
    """Depthwise convolution, normalization and dense layers on channels last: a modern convolution block."""
    y = conv(net, x, x.c, 7, g=x.c)
    t = net.op("Transpose", y.name, perm=[0, 2, 3, 1])
    t = layer_norm(net, t, x.c)
    t = dense(net, t, x.c, 2 * x.c)
    t = activation(net, Map(t, 0, 0, 0), net.pick("gelu_erf", "gelu_tanh", "hardswish", "silu", "elu")).name
    t = dense(net, t, 2 * x.c, x.c)
    if net.chance(0.5):
        t = net.op("Mul", t, net.const(net.rng.uniform(0.1, 1, x.c).astype(np.float32), "gain"))
    return same(x, net.op("Add", x.name, net.op("Transpose", t, perm=[0, 3, 1, 2])))


def group_norm(net, x):
    """Group normalization as exporters write it, between convolutions."""
    y = conv(net, x, 8, 3)
    z = net.op("InstanceNormalization", reshape(net, y.name, 1, 2, -1), net.const(np.ones(2, np.float32)), net.const(np.zeros(2, np.float32)))
    z = reshape(net, z, 1, 8, y.h, y.w)
    gain = net.const(net.rng.uniform(0.5, 1.5, (1, 8, 1, 1)).astype(np.float32))
    z = net.op("Add", net.op("Mul", z, gain), net.const(net.rng.standard_normal((1, 8, 1, 1)).astype(np.float32)))
    return conv(net, activation(net, same(y, z), net.pick("silu", "relu", "mish", "softplus")), 12, 1)


def shape_arithmetic(net, x):
    """Reshapes and slices whose extents the graph computes from shapes."""
    y = conv(net, x, 12, 3, act="relu")
    shape = net.op("Shape", y.name)
    first = net.op("Gather", shape, net.ints(0), axis=0)
    rows = net.op("Gather", shape, net.ints(2), axis=0)
    z = net.op("Reshape", y.name, net.op("Concat", first, net.ints(3), net.ints(4), rows, net.ints(-1), axis=0))
    z = net.op("Transpose", z, perm=[0, 2, 1, 3, 4])
    z = net.op("Reshape", z, net.op("Concat", first, net.ints(12), rows, net.ints(-1), axis=0))
    half = net.op("Slice", z, net.ints(0), net.op("Div", net.op("Gather", shape, net.ints(1), axis=0), net.ints(2)), net.ints(1))
    other = net.op("Slice", z, net.ints(6), net.ints(1 << 30), net.ints(1))
    return conv(net, Map(net.op("Add", half, other), 6, x.h, x.w), 12, 1, act="relu")


def bounds(net, x):
    """Bounds of one side, minima and maxima against constants, rows squeezed and restored."""
    y = conv(net, x, 8, 3)
    y = same(y, net.op("Clip", y.name, "", net.real(2.0)) if net.chance(0.5) else net.op("Clip", y.name, net.real(-0.5)))
    y = conv(net, same(y, net.op(net.pick("Max", "Min"), y.name, net.real(0.1))), 8, 1)
    m = net.op("Squeeze", reduce(net, "ReduceMax", y.name, [3], 1), net.ints(3))
    m = net.op("Unsqueeze", m, net.ints(3))
    z = net.op(net.pick("Mul", "Add", "Sub"), y.name, net.op("Expand", m, net.ints(1, 8, y.h, y.w)))
    return conv(net, same(y, net.op(net.pick("Neg", "Abs", "Relu", "Softsign"), z)), 12, 1, act="relu")


def readers(net, x):
    """One map with many readers, of which some quantize it anew."""
    y = conv(net, x, 8, 3, act=net.pick("relu", "hardswish", "leaky"))
    a, b = conv(net, y, 8, 3, act="relu"), conv(net, y, 8, 1)
    c = pool(net, y, "MaxPool", 3, 1, [1] * 4)
    d = net.op("Add", net.op("Add", a.name, y.name), b.name)
    e = net.op("Mul", y.name, net.op("Sigmoid", b.name))
    g = net.op("GlobalAveragePool", y.name)
    z = concat(net, same(y, d), c, same(y, e), same(y, net.op("Mul", y.name, g)))
    return conv(net, z, 16, 1, act="relu")


STAGES = {f.__name__: f for f in (plain, padded, depthwise, residual, cross_stage, pyramid_pool, focus, pyramid,
                                  context, shuffled, pooled, spatial_gate, products, attention, scaled, signal, volume,
                                  channels_last_block, group_norm, shape_arithmetic, bounds, readers)}
