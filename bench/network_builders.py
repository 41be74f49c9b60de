"""Builders of seeded int8 networks in both formats, for bench/more_networks.py: what bench/other_networks.py lacks.

Batches, windows of two extents, gates, pooling, resizing, heads of attention, slices; TFLite also with unsigned codes.
"""
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import other_networks  # noqa: E402
from other_networks import SCALE, options, span  # noqa: E402


class Tflite(other_networks.Tflite):
    def __init__(self, seed, per_tensor, unsigned=False):
        super().__init__(seed, per_tensor or unsigned)
        self.unsigned, self.suffix = unsigned, "_u8" if unsigned else ""

    def tensor(self, shape, contents=None, dtype=np.int8, scale=SCALE, zero=3, axis=0):
        if self.unsigned and dtype == np.int8:
            contents = None if contents is None else contents.astype(np.int16) + 128
            return super().tensor(shape, contents, np.uint8, scale, zero + 128)  # another axis keeps LiteRT's delegate away
        return super().tensor(shape, contents, dtype, scale, zero, axis)

    def zero_of(self, x):
        return super().zero_of(x) - (128 if self.unsigned else 0)

    def input(self, positions, channels, batch=1):
        shape = [batch, *([1] * (2 - len(positions))), *positions, channels]
        self.first = self.tensor(shape)
        return self.first, shape

    def conv(self, x, channels, kernel=3, stride=1, dilation=1, group=1, relu=True):
        _, (n, h, w, c) = x
        (kh, kw), (sh, sw) = np.broadcast_to(kernel, 2).tolist(), np.broadcast_to(stride, 2).tolist()
        (kh, sh), dh = ((1, 1), 1) if h == 1 else ((kh, sh), dilation)
        positions = span(h, kh, sh, dh)[0], span(w, kw, sw, dilation)[0]
        common = {"padding": 0, "strideH": sh, "strideW": sw, "dilationHFactor": dh, "dilationWFactor": dilation, "fusedActivationFunction": 1 if relu else 0}
        count = n * positions[0] * positions[1]
        if group == c and channels % c == 0 and c > 1:
            operands = self.weighted([1, kh, kw, channels], channels, kh * kw, count, 3)
            return self.operator("DEPTHWISE_CONV_2D", [x[0], *operands], [n, *positions, channels],
                                 options("DepthwiseConv2D", depthMultiplier=channels // c, **common), self.zero(relu))
        operands = self.weighted([channels, kh, kw, c // group], channels, kh * kw * c // group, count, 0)
        return self.operator("CONV_2D", [x[0], *operands], [n, *positions, channels], options("Conv2D", **common), self.zero(relu))

    def many(self, kind, inputs, shape, opts):
        return self.operator(kind, inputs, shape, opts, self.zero_of((inputs[0],)))

    def vector(self, values):
        return self.tensor([len(values)], values, np.int32, None)

    def pool(self, x, kind, kernel, stride):
        _, (n, h, w, c) = x
        shape = [n, span(h, kernel, stride, 1)[0], span(w, kernel, stride, 1)[0], c]
        return self.many("MAX_POOL_2D" if kind == "max" else "AVERAGE_POOL_2D", [x[0]], shape,
                         options("Pool2D", padding=0, strideH=stride, strideW=stride, filterHeight=kernel, filterWidth=kernel, fusedActivationFunction=0))

    def mean(self, x):
        return self.operator("MEAN", [x[0], self.vector([1, 2])], [x[1][0], 1, 1, x[1][3]], options("Reducer", keepDims=True))

    def act(self, x, kind):
        if kind == "sigmoid":
            return self.operator("LOGISTIC", [x[0]], x[1], None, -128, 1 / 256)
        if kind == "tanh":
            return self.operator("TANH", [x[0]], x[1], None, 0, 1 / 128)
        if kind == "leaky":
            return self.operator("LEAKY_RELU", [x[0]], x[1], options("LeakyRelu", alpha=0.1))
        return self.operator("HARD_SWISH", [x[0]], x[1], None)

    def mul(self, a, b):
        return self.operator("MUL", [a[0], b[0]], a[1], options("Mul", fusedActivationFunction=0))

    def resize(self, x, bilinear):
        _, (n, h, w, c) = x
        size = self.vector([2 * h, 2 * w])
        kind, opts = (("RESIZE_BILINEAR", options("ResizeBilinear", halfPixelCenters=True)) if bilinear else
                      ("RESIZE_NEAREST_NEIGHBOR", options("ResizeNearestNeighbor", halfPixelCenters=True)))
        return self.many(kind, [x[0], size], [n, 2 * h, 2 * w, c], opts)

    def joined(self, parts):
        shape, zero = [*parts[0][1][:-1], sum(p[1][-1] for p in parts)], self.zero_of(parts[0])
        alike = [p if self.zero_of(p) == zero else self.operator("QUANTIZE", [p[0]], p[1], None, zero) for p in parts]
        return self.many("CONCATENATION", [p[0] for p in alike], shape, options("Concatenation", axis=len(shape) - 1))

    def shaped(self, x, shape):
        return self.many("RESHAPE", [x[0], self.vector(shape)], shape, options("Reshape", newShape=shape)), shape

    def turned(self, x, order):
        return self.many("TRANSPOSE", [x[0], self.vector(order)], [x[1][i] for i in order], None)

    def shuffle(self, x, groups):
        _, (n, h, w, c) = x
        y = self.shaped(x, [n, h, w, groups, c // groups])[0]
        return self.shaped(self.turned(y, [0, 1, 2, 4, 3]), [n, h, w, c])[0]

    def subpixels(self, x, block):
        _, (n, h, w, c) = x
        return self.many("DEPTH_TO_SPACE", [x[0]], [n, h * block, w * block, c // block ** 2], options("DepthToSpace", blockSize=block))

    def cut(self, x, parts):
        """The last axis in equal parts."""
        size = x[1][-1] // parts
        shape = [*x[1][:-1], size]
        return [self.many("STRIDED_SLICE", [x[0], self.vector([0] * (len(shape) - 1) + [i * size]), self.vector([*x[1][:-1], (i + 1) * size]),
                                            self.vector([1] * len(shape))], shape,
                          options("StridedSlice", beginMask=0, endMask=0, ellipsisMask=0, newAxisMask=0, shrinkAxisMask=0)) for i in range(parts)]

    def heads(self, x, count):
        rows, depth = x[1]
        y = self.shaped(x, [1, rows, count, depth // count])[0]
        return self.turned(y, [0, 2, 1, 3])

    def attend_heads(self, q, k, v):
        (_, heads, rows, depth) = q[1]
        self.w.macs += 2 * heads * rows * rows * depth
        across = [1, heads, rows, rows]
        scores = self.operator("BATCH_MATMUL", [q[0], k[0]], across, options("BatchMatMul", adjX=False, adjY=True))
        soft = self.operator("SOFTMAX", [scores[0]], across, options("Softmax", beta=1.0), -128, 1 / 256)
        y = self.operator("BATCH_MATMUL", [soft[0], v[0]], q[1], options("BatchMatMul", adjX=False, adjY=False))
        return self.shaped(self.turned(y, [0, 2, 1, 3]), [rows, heads * depth])[0]

    def save(self, y, path):
        (path.parent / f"{path.name}{self.suffix}.tflite").write_bytes(self.net.bytes([self.first], [y[0]]))


class Onnx(other_networks.Onnx):
    def input(self, positions, channels, batch=1):
        self.shape = [batch, channels, *positions]
        return self.codes("x", self.shape)

    def conv(self, x, channels, kernel=3, stride=1, dilation=1, group=1, relu=True):
        _, (n, c, *extent) = x
        kernel, stride = np.broadcast_to(kernel, len(extent)).tolist(), np.broadcast_to(stride, len(extent)).tolist()
        spans = [span(e, k, s, dilation) for e, k, s in zip(extent, kernel, stride)]
        positions = [s[0] for s in spans]
        operands = self.weighted([channels, c // group, *kernel], channels, int(np.prod(kernel)) * c // group, n * int(np.prod(positions)))
        y = self.node("Conv", [x[0], *operands], kernel_shape=kernel, strides=stride, group=group, dilations=[dilation] * len(extent),
                      pads=[s[1] for s in spans] + [s[2] - s[1] for s in spans])
        return self.relu(y, [n, channels, *positions], relu)

    def same(self, y, shape, x):
        return self.codes(y, shape, self.zero_of[x[0]])

    def pool(self, x, kind, kernel, stride):
        _, (n, c, *extent) = x
        spans = [span(e, kernel, stride, 1) for e in extent]
        pads = [s[1] for s in spans] + [s[2] - s[1] for s in spans]
        y = self.node("MaxPool" if kind == "max" else "AveragePool", [x[0]], kernel_shape=[kernel] * len(extent), strides=[stride] * len(extent), pads=pads)
        return self.same(y, [n, c, *(s[0] for s in spans)], x)

    def mean(self, x):
        return self.codes(self.node("GlobalAveragePool", [x[0]]), [*x[1][:2], *[1] * (len(x[1]) - 2)])

    def act(self, x, kind):
        if kind == "sigmoid":
            return self.codes(self.node("Sigmoid", [x[0]]), x[1], -128, 1 / 256)
        if kind == "tanh":
            return self.codes(self.node("Tanh", [x[0]]), x[1], 0, 1 / 128)
        if kind == "leaky":
            return self.codes(self.node("LeakyRelu", [x[0]], alpha=0.1), x[1])
        return self.codes(self.node("HardSwish", [x[0]]), x[1])

    def mul(self, a, b):
        return self.codes(self.node("Mul", [a[0], b[0]]), a[1])

    def resize(self, x, bilinear):
        _, (n, c, *extent) = x
        scales = self.constant(np.array([1, 1, *[2] * len(extent)], np.float32))
        y = self.node("Resize", [x[0], "", scales], mode="linear" if bilinear else "nearest",
                      coordinate_transformation_mode="half_pixel" if bilinear else "asymmetric", nearest_mode="floor")
        return self.same(y, [n, c, *(2 * e for e in extent)], x)

    def joined(self, parts):
        shape = list(parts[0][1])
        axis = 1 if len(shape) == 4 else len(shape) - 1
        shape[axis] = sum(p[1][axis] for p in parts)
        return self.codes(self.node("Concat", [p[0] for p in parts], axis=axis), shape)

    def shaped(self, x, shape):
        return self.same(self.node("Reshape", [x[0], self.constant(np.array(shape, np.int64))]), shape, x), shape

    def turned(self, x, order):
        return self.same(self.node("Transpose", [x[0]], perm=order), [x[1][i] for i in order], x)

    def shuffle(self, x, groups):
        _, (n, c, h, w) = x
        y = self.shaped(x, [n, groups, c // groups, h, w])[0]
        return self.shaped(self.turned(y, [0, 2, 1, 3, 4]), [n, c, h, w])[0]

    def subpixels(self, x, block):
        _, (n, c, h, w) = x
        return self.same(self.node("DepthToSpace", [x[0]], blocksize=block), [n, c // block ** 2, h * block, w * block], x)

    def cut(self, x, parts):
        axis = 1 if len(x[1]) == 4 else len(x[1]) - 1
        shape = list(x[1])
        shape[axis] //= parts
        size = shape[axis]
        one = lambda v: self.constant(np.array([v], np.int64))  # noqa: E731
        return [self.same(self.node("Slice", [x[0], one(i * size), one((i + 1) * size), one(axis)]), shape, x) for i in range(parts)]

    def heads(self, x, count):
        rows, depth = x[1]
        return self.turned(self.shaped(x, [1, rows, count, depth // count])[0], [0, 2, 1, 3])

    def attend_heads(self, q, k, v):
        (_, heads, rows, depth) = q[1]
        self.w.macs += 2 * heads * rows * rows * depth
        across = [1, heads, rows, rows]
        scores = self.codes(self.node("MatMul", [q[0], self.turned(k, [0, 1, 3, 2])[0]]), across)
        soft = self.codes(self.node("Softmax", [scores[0]], axis=-1), across, -128, 1 / 256)
        y = self.codes(self.node("MatMul", [soft[0], v[0]]), q[1])
        return self.shaped(self.turned(y, [0, 2, 1, 3]), [rows, heads * depth])[0]
