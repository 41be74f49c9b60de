"""Writes the small .tflite files of this folder: NETWORK-VARIANT.tflite. Needs tensorflow (2.21 was used), which no test does.

usage: make_tflite.py FOLDER [NETWORK...]
"""
import pathlib
import sys
import zlib

import numpy as np
import tensorflow as tf

INT8, INT16 = tf.lite.OpsSet.TFLITE_BUILTINS_INT8, \
    tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8


class Draw:
    """Seeded weights and the layers of exported networks, channels last."""

    def __init__(self, name):
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def w(self, *shape, fan=None):
        spread = np.sqrt(2.0 / (fan or np.prod(shape[:-1])))
        return tf.constant((self.rng.standard_normal(shape) * spread).astype(np.float32))

    def b(self, n):
        return tf.constant((self.rng.standard_normal(n) * 0.2).astype(np.float32))

    def conv(self, x, out, k=3, s=1, d=1, pad="SAME"):
        y = tf.nn.conv2d(x, self.w(k, k, x.shape[-1], out), s, pad, dilations=d)
        return tf.nn.bias_add(y, self.b(out))

    def depthwise(self, x, k=3, s=1, times=1, d=1, pad="SAME"):
        c = x.shape[-1]
        y = tf.nn.depthwise_conv2d(x, self.w(k, k, c, times, fan=k * k), [1, s, s, 1], pad, dilations=[d, d])
        return tf.nn.bias_add(y, self.b(c * times))

    def deconv(self, x, out, k=2, s=2, pad="SAME"):
        h, w = x.shape[1] * s, x.shape[2] * s
        if pad == "VALID":
            h, w = (x.shape[1] - 1) * s + k, (x.shape[2] - 1) * s + k
        y = tf.nn.conv2d_transpose(x, self.w(k, k, out, x.shape[-1], fan=x.shape[-1] * 2), [1, h, w, out], s, pad)
        return tf.nn.bias_add(y, self.b(out))

    def dense(self, x, out):
        return tf.matmul(x, self.w(x.shape[-1], out)) + self.b(out)

    def prelu(self, x):
        alpha = tf.constant(self.rng.uniform(0.05, 0.4, (1, 1, x.shape[-1])).astype(np.float32))
        return tf.nn.relu(x) - alpha * tf.nn.relu(-x)


def hard_swish(x):
    return x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


def gate(d, x):
    s = tf.reduce_mean(x, [1, 2], keepdims=True)
    s = tf.nn.relu(d.conv(s, max(2, x.shape[-1] // 4), 1))
    s = d.conv(s, x.shape[-1], 1)
    return x * tf.nn.relu6(s + 3.0) * (1.0 / 6.0)


def mobile(d, x):
    """MobileNetV3 blocks: depthwise, gates, hard swish, residual sums; softmax over classes."""
    x = hard_swish(d.conv(x, 8, 3, 2))
    y = tf.nn.relu6(d.depthwise(d.conv(x, 16, 1)))
    x = x + d.conv(gate(d, y), 8, 1)
    y = hard_swish(d.depthwise(tf.nn.relu(d.conv(x, 12, 1)), 5, 2))
    x = d.conv(gate(d, y), 12, 1)
    x = tf.reduce_mean(x, [1, 2])
    return tf.nn.softmax(d.dense(hard_swish(d.dense(x, 16)), 6))


def yolo(d, x):
    """Neck with sigmoid gates, nearest resizing, concatenation, pooling pyramid; boxes and scores."""
    def silu(v):
        return v * tf.sigmoid(v)
    x = silu(d.conv(x, 8, 3, 2))
    small = silu(d.conv(x, 12, 3, 2))
    p = tf.nn.max_pool2d(small, 5, 1, "SAME")
    small = silu(d.conv(tf.concat([small, p, tf.nn.max_pool2d(p, 5, 1, "SAME")], -1), 12, 1))
    up = tf.image.resize(small, x.shape[1:3], method="nearest")
    a, b = tf.split(silu(d.conv(tf.concat([up, x], -1), 12, 1)), 2, -1)
    x = tf.concat([a, silu(d.conv(b, 6))], -1)
    heads = [tf.reshape(d.conv(m, 7, 1), [1, -1, 7]) for m in (x, small)]
    y = tf.concat(heads, 1)
    place, size, rest = y[..., :2], y[..., 2:4], y[..., 4:]
    return tf.concat([tf.sigmoid(place) * 2.0 - 0.5, tf.exp(size), tf.sigmoid(rest)], -1)


def unet(d, x):
    """Segmentation: strided and dilated convolutions, transposed convolutions, bilinear resizing, pad."""
    a = tf.nn.relu(d.conv(tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]]), 6, 3, 1, pad="VALID"))[:, 1:, :-1, :]
    a = a[:, :16, :16, :]
    b = tf.nn.leaky_relu(d.conv(a, 10, 3, 2), 0.1)
    b = tf.nn.relu(d.conv(b, 10, 3, 1, 2)) + b
    c = tf.nn.relu(d.deconv(b, 6, 2, 2))
    e = tf.nn.tanh(d.conv(tf.nn.avg_pool2d(tf.concat([a, c], -1), 2, 2, "SAME"), 8))
    up = tf.image.resize(e, [16, 16], method="bilinear")
    f = d.deconv(e, 4, 3, 2)
    y = d.conv(tf.concat([up, f, a - c], -1), 4, 1)
    return tf.nn.softmax(tf.image.resize(y, [20, 20], method="bilinear"))


def embedding(d, x):
    """Face or person descriptors: PRelu, global depthwise convolution, unit length."""
    x = d.prelu(d.conv(x, 8, 3, 2))
    x = d.prelu(d.depthwise(x, 3, 2, 2))
    x = d.conv(x, 12, 1) + d.conv(tf.nn.tanh(d.conv(x, 12, 3)), 12, 1)
    x = d.depthwise(x, x.shape[1], 1, pad="VALID")
    return tf.math.l2_normalize(d.dense(tf.reshape(x, [1, 12]), 16), axis=-1)


def attention(d, x):
    """Patches, products of activations, softmax rows, squared differences, roots."""
    x = d.conv(x, 8, 4, 4, pad="VALID")
    t = tf.reshape(x, [1, -1, 8])
    m = tf.reduce_mean(t, -1, keepdims=True)
    n = (t - m) * tf.math.rsqrt(tf.reduce_mean(tf.math.squared_difference(t, m), -1, keepdims=True) + 1e-3)
    q, k, v = d.dense(n, 8), d.dense(n, 8), d.dense(n, 8)
    s = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * 0.35)
    t = t + d.dense(tf.matmul(s, v), 8)
    h = d.dense(t, 16)
    t = tf.transpose(t + d.dense(tf.nn.gelu(h), 8), [0, 2, 1])
    return tf.stack([tf.reduce_max(t, -1), tf.reduce_sum(t, -1) * 0.1, tf.abs(tf.reduce_mean(t, -1))], 1)


def mixed(d, x):
    """What is left: products, quotients, extremes, powers, logarithms, gathering, space to depth."""
    x = tf.nn.relu(d.conv(x, 12, 3, 2))
    z = tf.nn.space_to_depth(tf.image.resize(x, [16, 16], method="nearest"), 2)[..., ::4]
    a = tf.maximum(z, 0.3) / (tf.minimum(x, 2.0) + 1.0)
    b = tf.sqrt(tf.square(x) + 0.1) - tf.math.log(x + 1.0)
    c = tf.gather(tf.concat([a, b, -x], -1), [3, 1, 30, 17, 8, 12], axis=-1)
    e = c * 0.5 + tf.reduce_min(c, [1, 2], keepdims=True)
    c = tf.where(tf.greater(c, e + 0.5), c, e)
    u = tf.unstack(tf.reverse(c, [1]), axis=1)
    return d.dense(tf.reshape(tf.stack(u[:4], 1), [1, -1]), 5), tf.nn.log_softmax(tf.reduce_sum(c, [1, 2]))


def recurrent(d, x):
    """A gated recurrent layer as a loop over rows that keeps every state (WHILE), and a dense layer over all of them."""
    rows, units = tf.transpose(tf.reshape(x, [1, 16, 48]), [1, 0, 2]), 24
    wx, wh, b = d.w(48, 3 * units), d.w(units, 3 * units), d.b(3 * units)

    def step(t, h, kept):
        u = tf.split(tf.matmul(tf.gather(rows, t), wx) + b, 3, -1)
        v = tf.split(tf.matmul(h, wh), 3, -1)
        z, r = tf.sigmoid(u[0] + v[0]), tf.sigmoid(u[1] + v[1])
        h = z * h + (1.0 - z) * tf.tanh(u[2] + r * v[2])
        return t + 1, h, kept.write(t, h)
    start = (0, tf.zeros([1, units]), tf.TensorArray(tf.float32, 16, element_shape=[1, units]))
    _, last, kept = tf.while_loop(lambda t, h, k: t < 16, step, start, maximum_iterations=16)
    return d.dense(tf.reshape(kept.stack(), [1, 16 * units]), 5), last


NETWORKS = {f.__name__: f for f in (mobile, yolo, unet, embedding, attention, mixed, recurrent)}


def convert(name, variant):
    d, body = Draw(name), NETWORKS[name]
    spec = tf.TensorSpec([1, 16, 16, 3], tf.float32)
    function = tf.function(lambda x: body(d, x)).get_concrete_function(spec)
    c = tf.lite.TFLiteConverter.from_concrete_functions([function])
    rng = np.random.default_rng(1)
    if variant != "float":
        c.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant != "hybrid" and variant != "float":
        c.representative_dataset = lambda: ([rng.standard_normal((1, 16, 16, 3)).astype(np.float32)] for _ in range(8))
        c.target_spec.supported_ops = [INT16] if variant == "int16" else [INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    if variant in ("int8", "tensor"):
        c.inference_input_type = c.inference_output_type = tf.int8
    if variant == "uint8_io":
        c.inference_input_type = c.inference_output_type = tf.uint8
    if variant == "tensor":
        c._experimental_disable_per_channel = True
    return c.convert()


def main():
    folder = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or NETWORKS:
        # The converter ends the process where it is to quantize a loop.
        for variant in ("hybrid", "float") if name == "recurrent" else ("int8", "uint8_io", "float_io", "tensor", "int16", "hybrid", "float"):
            try:
                data = convert(name, variant)
            except Exception as error:  # the converter's own refusal
                print(f"{name}-{variant}: refused: {str(error)[:300]}")
                continue
            (folder / f"{name}-{variant}.tflite").write_bytes(data)
            print(f"{name}-{variant}: {len(data)} bytes", flush=True)


if __name__ == "__main__":
    main()
