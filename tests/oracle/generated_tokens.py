"""Means, normalization and attention over the positions of a map."""
import math

import numpy as np

from generated_net import Map, activation, conv, reshape


def reduce_mean(net, name, axes, keep):
    if net.opset >= 18:
        return net.op("ReduceMean", name, net.ints(*axes), keepdims=keep)
    return net.op("ReduceMean", name, axes=axes, keepdims=keep)


def reduce(net, kind, name, axes, keep):
    if net.opset >= 18 or kind == "ReduceSum":
        return net.op(kind, name, net.ints(*axes), keepdims=keep)
    return net.op(kind, name, axes=axes, keepdims=keep)


def tokens(net, x, dim=16):
    """[1, h*w, dim] by convolution, reshape and transpose."""
    y = conv(net, x, dim, 1)
    t = net.op("Transpose", reshape(net, y.name, 1, dim, y.h * y.w), perm=[0, 2, 1])
    return t, y.h * y.w


def back(net, t, dim, x):
    y = net.op("Transpose", t, perm=[0, 2, 1])
    return Map(reshape(net, y, 1, dim, x.h, x.w), dim, x.h, x.w)


def dense(net, t, a, b):
    w = net.const((net.rng.standard_normal((a, b)) / math.sqrt(a)).astype(np.float32), "w")
    y = net.op("MatMul", t, w)
    return net.op("Add", *net.pick((y, net.bias(b)), (net.bias(b), y))) if net.chance(0.8) else y


def layer_norm(net, t, dim):
    gain = net.const(net.rng.uniform(0.5, 1.5, dim).astype(np.float32), "gain")
    shift = net.bias(dim)
    if net.opset >= 17 and net.chance(0.5):
        return net.op("LayerNormalization", t, gain, shift, axis=-1, epsilon=1e-5)
    d = net.op("Sub", t, reduce_mean(net, t, [-1], 1))
    var = reduce_mean(net, net.op("Pow", d, net.real(2.0)), [-1], 1)
    y = net.op("Div", d, net.op("Sqrt", net.op("Add", var, net.real(1e-5))))
    return net.op("Add", net.op("Mul", y, gain), shift)


def attention(net, x, dim=16, heads=2):
    """One transformer encoder layer on the positions of the map."""
    while x.h * x.w > 80:
        x = conv(net, x, 12, 3, 2, act="relu")
    t, n = tokens(net, x, dim)
    h = layer_norm(net, t, dim)
    each = dim // heads

    def heads_of(v, perm):
        return net.op("Transpose", reshape(net, v, 1, n, heads, each), perm=perm)
    q = heads_of(dense(net, h, dim, dim), [0, 2, 1, 3])
    k = heads_of(dense(net, h, dim, dim), [0, 2, 3, 1])
    v = heads_of(dense(net, h, dim, dim), [0, 2, 1, 3])
    s = net.op(net.pick("Mul", "Div"), net.op("MatMul", q, k), net.real(net.pick(0.35, 2.8)))
    y = net.op("MatMul", net.op("Softmax", s, axis=net.pick(-1, 3)), v)
    y = reshape(net, net.op("Transpose", y, perm=[0, 2, 1, 3]), 1, n, dim)
    t = net.op("Add", t, dense(net, y, dim, dim))
    m = dense(net, layer_norm(net, t, dim), dim, 2 * dim)
    m = activation(net, Map(m, 0, 0, 0), net.pick("gelu_erf", "gelu_tanh", "relu")).name
    t = net.op("Add", t, dense(net, m, 2 * dim, dim))
    return back(net, t, dim, x)
