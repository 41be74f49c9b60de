"""Writes seeded int8 networks of other shapes, each as .tflite and as .onnx: bench/other_networks.py FOLDER [SEED].

Odd numbers of channels, one spatial axis, dilated and grouped windows, several filters for each channel, strides of 2,
large layers, transposed convolutions, residual additions, one scale for all weights, products of two computed operands.
Each has more than a million multiply-accumulates. ONNX: signed activations, and unsigned ones (`_u8`).
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle"))

from tflite_network import TfliteNetwork  # noqa: E402
from tflite_operands import options  # noqa: E402

SCALE = 0.05  # of every activation: sums are scaled so that codes fill their range


class Weights:
    def __init__(self, seed, per_tensor):
        self.r, self.per_tensor, self.macs = np.random.default_rng(seed), per_tensor, 0

    def make(self, channels, fan_in, shape, positions):
        self.macs += channels * fan_in * positions
        scale = np.float32(1 / (40 * np.sqrt(fan_in))) * self.r.uniform(0.7, 1.3, 1 if self.per_tensor else channels).astype(np.float32)
        return self.r.integers(-127, 128, shape).astype(np.int8), scale, self.r.integers(-900, 900, channels).astype(np.int32)


def span(n, kernel, stride, dilation):
    """Positions of a window that is padded to the same extent, and the padding before and in all."""
    out, reach = -(-n // stride), (kernel - 1) * dilation + 1
    pad = max(0, (out - 1) * stride + reach - n)
    return out, pad // 2, pad


class Tflite:
    """Tensors are (index, shape); positions first, channels last."""

    def __init__(self, seed, per_tensor):
        self.net, self.w, self.count = TfliteNetwork(), Weights(seed, per_tensor), 0

    def tensor(self, shape, contents=None, dtype=np.int8, scale=SCALE, zero=3, axis=0):
        self.count += 1
        return self.net.tensor(f"t{self.count}", shape, dtype, scale, zero, contents, axis)

    def operator(self, kind, inputs, shape, opts, zero=3, scale=SCALE):
        y = self.tensor(shape, zero=zero, scale=scale)
        self.net.operator(kind, inputs, [y], opts)
        return y, list(shape)

    def zero(self, relu):
        return -128 if relu else 3

    def zero_of(self, x):
        return int(self.net.graph.tensors[x[0]].quantization.zeroPoint[0])

    def input(self, positions, channels):
        shape = [1, *([1] * (2 - len(positions))), *positions, channels]
        self.first = self.tensor(shape)
        return self.first, shape

    def weighted(self, shape, channels, fan_in, positions, axis):
        codes, scale, bias = self.w.make(channels, fan_in, shape, positions)
        return self.tensor(shape, codes, scale=scale, zero=0, axis=axis), self.tensor([channels], bias, np.int32, scale * SCALE, 0)

    def conv(self, x, channels, kernel=3, stride=1, dilation=1, group=1, relu=True):
        _, (_, h, w, c) = x
        kh, sh, dh = (1, 1, 1) if h == 1 else (kernel, stride, dilation)
        positions = span(h, kh, sh, dh)[0], span(w, kernel, stride, dilation)[0]
        common = {"padding": 0, "strideH": sh, "strideW": stride, "dilationHFactor": dh, "dilationWFactor": dilation,
                  "fusedActivationFunction": 1 if relu else 0}
        count = positions[0] * positions[1]
        if group == c and channels % c == 0 and c > 1:
            operands = self.weighted([1, kh, kernel, channels], channels, kh * kernel, count, 3)
            return self.operator("DEPTHWISE_CONV_2D", [x[0], *operands], [1, *positions, channels],
                                 options("DepthwiseConv2D", depthMultiplier=channels // c, **common), self.zero(relu))
        operands = self.weighted([channels, kh, kernel, c // group], channels, kh * kernel * c // group, count, 0)
        return self.operator("CONV_2D", [x[0], *operands], [1, *positions, channels], options("Conv2D", **common), self.zero(relu))

    def up(self, x, channels, kernel):
        _, (_, h, w, c) = x
        operands = self.weighted([channels, kernel, kernel, c], channels, kernel * kernel * c, h * w, 0)
        shape = self.tensor([4], [1, 2 * h, 2 * w, channels], np.int32, None)
        return self.operator("TRANSPOSE_CONV", [shape, operands[0], x[0], operands[1]], [1, 2 * h, 2 * w, channels],
                             options("TransposeConv", padding=0, strideH=2, strideW=2))

    def add(self, a, b):
        return self.operator("ADD", [a[0], b[0]], a[1], options("Add", fusedActivationFunction=0))

    def join(self, a, b):
        return self.operator("CONCATENATION", [a[0], b[0]], [*a[1][:3], a[1][3] + b[1][3]], options("Concatenation", axis=3))

    def flat(self, x):
        n = int(np.prod(x[1]))
        return self.operator("RESHAPE", [x[0], self.tensor([2], [1, n], np.int32, None)], [1, n], options("Reshape", newShape=[1, n]), self.zero_of(x))

    def layer(self, x, channels, relu=True):
        rows, depth = x[1]
        operands = self.weighted([channels, depth], channels, depth, rows, 0)
        return self.operator("FULLY_CONNECTED", [x[0], *operands], [rows, channels],
                             options("FullyConnected", fusedActivationFunction=1 if relu else 0), self.zero(relu))

    def rows(self, x):
        _, (_, h, w, c) = x
        shape = [h * w, c]
        return self.operator("RESHAPE", [x[0], self.tensor([2], shape, np.int32, None)], shape, options("Reshape", newShape=shape), self.zero_of(x))

    def attend(self, q, k, v):
        (rows, depth), across = q[1], [q[1][0], k[1][0]]
        self.w.macs += 2 * rows * depth * k[1][0]
        scores = self.operator("BATCH_MATMUL", [q[0], k[0]], across, options("BatchMatMul", adjX=False, adjY=True))
        soft = self.operator("SOFTMAX", [scores[0]], across, options("Softmax", beta=1.0), -128, 1 / 256)
        return self.operator("BATCH_MATMUL", [soft[0], v[0]], [rows, v[1][1]], options("BatchMatMul", adjX=False, adjY=False))

    def save(self, y, path):
        path.with_suffix(".tflite").write_bytes(self.net.bytes([self.first], [y[0]]))


class Onnx:
    """Tensors are (name of the dequantized one, shape); channels first."""

    def __init__(self, seed, per_tensor, unsigned=False):
        self.w, self.nodes, self.constants, self.count = Weights(seed, per_tensor), [], [], 0
        self.zero_of = {}
        self.dtype, self.suffix = (np.uint8, "_u8") if unsigned else (np.int8, "")

    def constant(self, array):
        self.count += 1
        self.constants.append(numpy_helper.from_array(np.asarray(array), f"c{self.count}"))
        return f"c{self.count}"

    def node(self, op, inputs, **attributes):
        self.count += 1
        self.nodes.append(helper.make_node(op, inputs, [f"v{self.count}"], name=f"n{self.count}", **attributes))
        return f"v{self.count}"

    def codes(self, x, shape, zero=3, scale=SCALE):
        code = zero + (128 if self.dtype == np.uint8 else 0)
        s, z = self.constant(np.float32(scale)), self.constant(np.array(code, self.dtype))
        y = self.node("DequantizeLinear", [self.node("QuantizeLinear", [x, s, z]), s, z])
        self.zero_of[y] = zero
        return y, list(shape)

    def input(self, positions, channels):
        self.shape = [1, channels, *positions]
        return self.codes("x", self.shape)

    def weighted(self, shape, channels, fan_in, positions, axis=0):
        codes, scale, bias = self.w.make(channels, fan_in, shape, positions)
        one = len(scale) == 1
        weights = [self.constant(codes), self.constant(scale[0] if one else scale), self.constant(np.zeros([] if one else len(scale), np.int8))]
        sums = [self.constant(bias), self.constant((scale * np.float32(SCALE))[0] if one else scale * np.float32(SCALE)),
                self.constant(np.zeros([] if one else len(scale), np.int32))]
        axis_of = {} if one else {"axis": axis}
        return self.node("DequantizeLinear", weights, **axis_of), self.node("DequantizeLinear", sums, **({} if one else {"axis": 0}))

    def relu(self, y, shape, relu):
        return self.codes(self.node("Relu", [y]), shape, -128) if relu else self.codes(y, shape)

    def conv(self, x, channels, kernel=3, stride=1, dilation=1, group=1, relu=True):
        _, (_, c, *extent) = x
        spans = [span(n, kernel, stride, dilation) for n in extent]
        positions = [s[0] for s in spans]
        operands = self.weighted([channels, c // group, *[kernel] * len(extent)], channels, kernel ** len(extent) * c // group, int(np.prod(positions)))
        y = self.node("Conv", [x[0], *operands], kernel_shape=[kernel] * len(extent), strides=[stride] * len(extent), group=group,
                      dilations=[dilation] * len(extent), pads=[s[1] for s in spans] + [s[2] - s[1] for s in spans])
        return self.relu(y, [1, channels, *positions], relu)

    def up(self, x, channels, kernel):
        _, (_, c, *extent) = x
        operands = self.weighted([c, channels, kernel, kernel], channels, kernel * kernel * c, int(np.prod(extent)), 1)
        pad = kernel - 2
        y = self.node("ConvTranspose", [x[0], *operands], kernel_shape=[kernel] * 2, strides=[2, 2], pads=[pad // 2] * 2 + [pad - pad // 2] * 2)
        return self.codes(y, [1, channels, *(2 * n for n in extent)])

    def add(self, a, b):
        return self.codes(self.node("Add", [a[0], b[0]]), a[1])

    def join(self, a, b):
        return self.codes(self.node("Concat", [a[0], b[0]], axis=1), [1, a[1][1] + b[1][1], *a[1][2:]])

    def flat(self, x):
        return self.codes(self.node("Flatten", [x[0]]), [1, int(np.prod(x[1]))], self.zero_of[x[0]])

    def layer(self, x, channels, relu=True):
        rows, depth = x[1]
        y = self.node("Gemm", [x[0], *self.weighted([channels, depth], channels, depth, rows)], transB=1)
        return self.relu(y, [rows, channels], relu)

    def rows(self, x):
        _, (_, c, *extent) = x
        shape = [int(np.prod(extent)), c]
        zero = self.zero_of[x[0]]
        moved = self.codes(self.node("Transpose", [x[0]], perm=[0, 2, 3, 1]), [1, *extent, c], zero)[0]
        return self.codes(self.node("Reshape", [moved, self.constant(np.array(shape, np.int64))]), shape, zero)

    def attend(self, q, k, v):
        (rows, depth), across = q[1], [q[1][0], k[1][0]]
        self.w.macs += 2 * rows * depth * k[1][0]
        turned = self.codes(self.node("Transpose", [k[0]], perm=[1, 0]), [depth, k[1][0]])[0]
        scores = self.codes(self.node("MatMul", [q[0], turned]), across)
        soft = self.codes(self.node("Softmax", [scores[0]], axis=-1), across, -128, 1 / 256)
        return self.codes(self.node("MatMul", [soft[0], v[0]]), [rows, v[1][1]])

    def save(self, y, path):
        graph = helper.make_graph(self.nodes, path.name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
                                  [helper.make_tensor_value_info(y[0], TensorProto.FLOAT, y[1])], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        onnx.save(model, path.parent / f"{path.name}{self.suffix}.onnx")


def odd_channels(b):
    x = b.input([61, 47], 3)
    for channels in (5, 11, 17, 23, 29, 37):
        x = b.conv(x, channels, 3, 2 if channels in (11, 29) else 1)
    return x


def one_axis(b):
    x = b.conv(b.input([401], 13), 33, 9, 2)
    for dilation in (1, 2, 4, 8):
        y = b.conv(x, 33, 5, dilation=dilation)
        x = b.add(x, b.conv(y, 33, 1, relu=False))
    return b.conv(x, 7, 3)


def dilated(b):
    x = b.conv(b.input([48, 48], 3), 19, 3, 2)
    for dilation in (2, 4, 6):
        x = b.conv(x, 19 + dilation, 3, dilation=dilation)
    return b.conv(x, 21, 1, relu=False)


def multiplied(b):
    x = b.conv(b.input([64, 64], 3), 9, 5, 2)
    x = b.conv(x, 27, 3, group=9)
    x = b.conv(x, 31, 1)
    x = b.conv(x, 62, 3, 2, group=31)
    x = b.conv(x, 35, 1)
    x = b.conv(x, 35, 5, group=35)
    return b.conv(x, 35, 7, 2, group=35)


def layers(b):
    x = b.conv(b.input([16, 16], 5), 7, 3)
    for width in (1000, 777, 333, 10):
        x = b.layer(b.flat(x) if len(x[1]) > 2 else x, width, width != 10)
    return x


def decoder(b):
    x = b.input([32, 24], 3)
    a = b.conv(x, 13, 3, 2, relu=False)
    c = b.conv(a, 26, 3, 2)
    d = b.conv(c, 37, 3)
    e = b.join(b.up(d, 15, 2), a)
    return b.up(b.conv(e, 17, 3), 3, 4)


def residual(b):
    x = b.conv(b.input([40, 40], 4), 24, 3)
    for channels in (24, 25, 48):
        if x[1][-1 if isinstance(b, Tflite) else 1] != channels:
            x = b.conv(x, channels, 1, 2, relu=False)
        x = b.add(x, b.conv(b.conv(x, channels, 3), channels, 3, relu=False))
    return x


def attention(b):
    x = b.rows(b.conv(b.input([24, 24], 3), 41, 4, 2))
    q, k, v = (b.layer(x, n, False) for n in (32, 32, 41))
    x = b.add(x, b.attend(q, k, v))
    return b.layer(b.layer(x, 99), 41, False)


NETWORKS = [odd_channels, one_axis, dilated, multiplied, layers, decoder, residual, attention]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("bench/other_networks.py FOLDER [SEED]")
    folder, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    folder.mkdir(parents=True, exist_ok=True)
    for i, make in enumerate(NETWORKS):
        per_tensor = (i + seed) % 3 == 0
        for builder in (Tflite(seed, per_tensor), Onnx(seed, per_tensor), Onnx(seed, per_tensor, True)):
            builder.save(make(builder), folder / make.__name__)
        print(f"{make.__name__}: {builder.w.macs / 1e6:.1f} M multiply-accumulates, {'one scale' if per_tensor else 'scales by channel'}")


if __name__ == "__main__":
    main()
