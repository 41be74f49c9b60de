"""Seeded ONNX networks as tf2onnx leaves them before its own optimizer, or as it ends where that optimizer stops half way.

The input and every activation lie channels last; a Transpose stands before and behind each operator that ONNX knows channels
first only, the bias is an Add of its own or the convolution's. onnxruntime's quantize_static takes them without preprocessing,
so every Transpose gets its quantizers, and the runtime cancels pairs of them while it loads.
"""
import numpy as np
import onnx
from onnx import helper

import exporter_styles

FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


class Net(exporter_styles.Net):
    """`start` is [rows, columns]; x lies [batch, rows, columns, channels] between the blocks."""

    def __init__(self, seed):
        super().__init__(seed, False)
        self.lazy = self.r.random() < 0.3  # some pairs cancelled already, as tf2onnx's optimizer does

    def to_first(self, x):
        return self.op("Transpose", x, perm=FIRST)

    def to_last(self, x):
        return self.op("Transpose", x, perm=LAST)

    def input_shape(self):
        return [self.batch, *self.start, self.first]

    def settled(self, x):
        _, *self.size, self.channels = self.shape(x)
        return x

    def conv(self, x, filters=None):
        kernel, stride = int(self.pick(1, 3, 3, 5)), int(self.pick(1, 1, 2))
        c, group = self.channels, self.pick(1, 1, self.channels)
        filters = c if group == c > 1 else filters or int(self.r.integers(2, 20))
        apart = self.r.random() < 0.5
        operands = [self.to_first(x), self.weight((filters, c // group, kernel, kernel))]
        if not apart:
            operands.append(self.numbers(filters))
        y = self.op("Conv", *operands, strides=[stride] * 2, auto_pad="SAME_UPPER", group=group) if self.r.random() < 0.3 else \
            self.op("Conv", *operands, strides=[stride] * 2, pads=[kernel // 2] * 4, group=group)
        inside = self.r.random() < 0.4
        if inside and not apart:
            y = self.act(y)
        y = self.to_last(y)
        if apart:
            y = self.op("Add", y, self.numbers(filters))
        return y if inside and not apart else self.act(y)

    def pool(self, x):
        if min(self.size) < 2:
            return x
        kind = self.pick("MaxPool", "AveragePool")
        y = self.op(kind, self.to_first(x), kernel_shape=[2, 2], strides=[int(self.pick(1, 2))] * 2)
        return self.to_last(y)

    def join(self, x):
        y = self.to_last(self.op("Conv", self.to_first(x), self.weight((self.channels, self.channels, 1, 1)), self.numbers(self.channels)))
        return self.act(self.op(self.pick("Add", "Mul"), *((x, y) if self.r.random() < 0.5 else (y, x))))

    def gate(self, x):
        y = self.op("GlobalAveragePool", self.to_first(x)) if self.r.random() < 0.5 else \
            self.to_first(self.mean(x, True))
        y = self.op("Sigmoid", self.op("Conv", y, self.weight((self.channels, self.channels, 1, 1)), self.numbers(self.channels)))
        return self.op("Mul", x, self.to_last(y))

    def mean(self, x, keep):
        if self.opset >= 18:
            return self.op("ReduceMean", x, self.constant([1, 2], np.int64), keepdims=int(keep))
        return self.op("ReduceMean", x, axes=[1, 2], keepdims=int(keep))

    def concat(self, x):
        y = self.to_last(self.op("Conv", self.to_first(x), self.weight((4, self.channels, 1, 1)), self.numbers(4)))
        return self.op("Concat", x, self.act(y), axis=3)

    def resized(self, x):
        if max(self.size) > 12:
            return x
        y = self.op("Resize", self.to_first(x), "", self.constant([1, 1, 2, 2]), mode="nearest",
                    coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return self.to_last(y)

    def padded_rows(self, x):
        return self.op("Pad", x, self.constant([0, 1, 1, 0, 0, 1, 1, 0], np.int64))

    def sliced(self, x):
        if min(self.size) < 3:
            return x
        return self.op("Slice", x, self.constant([1, 0], np.int64), self.constant([9999, -1], np.int64), self.constant([1, 2], np.int64))

    def softmax(self, x):
        return self.op("Softmax", x, axis=-1) if self.channels > 1 else x

    def build(self):
        self.start = list(self.size)
        x = self.settled(self.conv("input", int(self.pick(3, 4, 8, 16))))
        for _ in range(int(self.r.integers(2, 6))):
            step = self.pick(self.conv, self.conv, self.conv, self.pool, self.join, self.join, self.gate, self.concat, self.resized,
                             self.padded_rows, self.sliced, self.softmax)
            x = self.settled(step(x))
        head = self.r.integers(4)
        if head == 0:
            x = self.op("MatMul", self.mean(x, False), self.weight((self.channels, 5), 1))
            x = self.op("Add", x, self.numbers(5))
        elif head == 1:
            x = self.to_last(self.op("Conv", self.to_first(x), self.weight((3, self.channels, 1, 1)), self.numbers(3)))
        elif head == 2:
            x = self.op("Softmax", self.op("Reshape", x, self.constant([self.batch, -1], np.int64)), axis=-1)
        graph = helper.make_graph(self.nodes, "last", [self.value("input", self.input_shape())], [self.value(x, None)], self.constants)
        return helper.make_model(graph, opset_imports=self.imports(), ir_version=exporter_styles.OPSETS[self.opset])
