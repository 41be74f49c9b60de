"""Seeded ONNX networks as exporters and quantizers other than generated.py's make them.

Windows of two extents with every padding rule, pools that hang over, Pads before windows, normalizations, factors and summands
behind convolutions, groups, batches, opsets 13 to 25. Quantized by hand (`hand`: pairs here and there, float weights behind
quantizers, powers of two, clipped codes, 4 and 16 bits, no zero points) or by onnxruntime's quantize_static under random options
(`options`: types, formats, symmetry, calibration, overrides, excluded nodes).
"""
import os
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = {13: 7, 15: 8, 17: 8, 18: 8, 20: 9, 21: 10, 22: 10, 23: 11, 24: 11, 25: 12}  # opset: version of the file's format
ACTIVATIONS = ("Relu", "Relu", "Sigmoid", "Tanh", "HardSigmoid", "LeakyRelu", "Elu", "clip", "silu", "")


class Net:
    def __init__(self, seed, hand):
        self.r = np.random.default_rng(seed)
        self.opset = int(self.r.choice(list(OPSETS)))
        self.nodes, self.constants, self.hand = [], [], hand
        self.codes = self.pick([np.uint8], [np.int8], [np.int8], [np.uint8, np.int8], [np.int16], [np.uint16, np.uint8])
        self.weights = self.pick(np.int8, np.int8, np.uint8)
        chances = {"symmetric": 0.4, "power": 0.25, "clipped": 0.3, "channel": 0.6, "made": 0.5, "no_zero": 0.2}
        self.has = {name: self.r.random() < chance for name, chance in chances.items()}
        self.batch = int(self.pick(1, 1, 1, 2, 3))
        self.size = [int(v) for v in self.r.integers(6, 13, 2)]
        self.channels = self.first = int(self.pick(1, 2, 3))

    def pick(self, *of):
        return of[self.r.integers(len(of))]

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, kind, *inputs, **attributes):
        y = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [y], name=y + "_node", **attributes))
        return y

    def pair(self, x, chance=0.85):
        """A quantizer and a dequantizer, by hand only."""
        if not self.hand or self.r.random() > chance:
            return x
        dtype = np.dtype(self.pick(*self.codes))
        info, wide = np.iinfo(dtype), dtype.itemsize > 1
        scale = np.float32(2.0 ** -self.r.integers(3, 7) if self.has["power"] else self.r.uniform(0.01, 0.06))
        zero = int(self.r.integers(info.min // (4 if wide else 1), info.max // (4 if wide else 1)))
        zero = 0 if self.has["symmetric"] else zero
        operands = [self.constant(scale / np.float32(100) if wide else scale), self.constant(zero, dtype)]
        if self.has["no_zero"] and dtype == np.uint8 and zero == 0:
            operands.pop()
        domain = {"domain": "com.microsoft"} if wide and self.opset < 21 else {}
        y = self.op("QuantizeLinear", x, *operands, **domain)
        if self.has["clipped"] and dtype == np.int8 and self.r.random() < 0.5:
            y = self.op("Clip", y, self.constant(self.pick(-127, -64, -8), dtype), self.constant(self.pick(127, 63, 7), dtype))
        return self.op("DequantizeLinear", y, *operands, **domain)

    def weight(self, shape, axis=0):
        w = (self.r.standard_normal(shape) * 1.2 / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        if not self.hand or self.r.random() < 0.1:
            return self.constant(w)
        others = tuple(i for i in range(w.ndim) if i != axis)
        bits4 = self.opset >= 21 and self.r.random() < 0.2
        top = 7 if bits4 else 127
        scale = np.maximum(np.abs(w).max(axis=others if self.has["channel"] else None), 1e-3).astype(np.float32) / np.float32(top)
        middle = 0 if self.weights == np.int8 else 8 if bits4 else 128
        attributes = {"axis": axis} if self.has["channel"] else {}
        if bits4:
            kind = TensorProto.INT4 if self.weights == np.int8 else TensorProto.UINT4
            zero = f"c{len(self.constants)}"
            self.constants.append(helper.make_tensor(zero, kind, scale.shape, [middle] * scale.size))
            codes = self.op("QuantizeLinear", self.constant(w), self.constant(scale), zero, **attributes)
            return self.op("DequantizeLinear", codes, self.constant(scale), zero, **attributes)
        operands = [self.constant(scale), self.constant(np.full(scale.shape, middle), self.weights)]
        if self.has["made"]:
            codes = self.op("QuantizeLinear", self.constant(w), *operands, **attributes)
        else:
            step = scale.reshape([-1 if i == axis else 1 for i in range(w.ndim)]) if self.has["channel"] else scale
            info = np.iinfo(self.weights)
            codes = self.constant(np.clip(np.rint(w / step) + middle, info.min, info.max), self.weights)
        return self.op("DequantizeLinear", codes, *operands, **attributes)

    def numbers(self, *shape, low=None):
        return self.constant(self.r.standard_normal(shape) * 0.2 if low is None else self.r.uniform(low, low + 1, shape))

    def input_shape(self):
        return [self.batch, self.first, *self.start]

    def shape(self, x):
        graph = helper.make_graph(self.nodes, "g", [self.value("input", self.input_shape())],
                                  [self.value(x, None)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", max(21, self.opset))])
        for node in model.graph.node:  # nobody infers shapes of the runtime's own operators
            node.domain = ""
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        return [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]

    def imports(self):
        return [helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]

    @staticmethod
    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def settled(self, x):
        _, self.channels, *self.size = self.shape(x)
        return x

    def window(self, kernel, strides, dilations=(1, 1)):
        """Attributes of a window and zeros that a Pad puts around it instead, or None."""
        if self.r.random() < 0.25 and tuple(dilations) == (1, 1):
            return {"auto_pad": self.pick("SAME_UPPER", "SAME_LOWER")}, None
        reach = [(k - 1) * d for k, d in zip(kernel, dilations)]
        pads = [int(self.r.integers(0, v + 1)) for v in reach * 2]
        if any(n + pads[i] + pads[i + 2] <= reach[i] for i, n in enumerate(self.size)):
            pads = [(v + 1) // 2 for v in reach] * 2
        if self.r.random() < 0.25:
            return {"pads": [0] * 4} if self.r.random() < 0.5 else {}, [0, 0, *pads[:2], 0, 0, *pads[2:]]
        return {"pads": pads}, None

    def padded(self, x, zeros):
        return x if zeros is None else self.op("Pad", x, self.constant(zeros, np.int64), *([self.constant(0.0)] if self.r.random() < 0.5 else []))

    def act(self, x):
        kind = self.pick(*ACTIVATIONS)
        if kind == "clip":
            return self.op("Clip", x, self.constant(0.0), self.constant(6.0))
        if kind == "silu":
            return self.op("Mul", x, self.pair(self.op("Sigmoid", x)))
        return self.op(kind, x) if kind else x

    def conv(self, x, filters=None):
        kernel, strides = [int(v) for v in self.r.choice([1, 2, 3, 5], 2)], [int(v) for v in self.r.choice([1, 1, 2, 3], 2)]
        dilations = [int(v) for v in self.r.choice([1, 1, 2], 2)]
        c = self.channels
        group = self.pick(1, 1, 1, c)
        filters = c * int(self.pick(1, 1, 2)) if group == c > 1 else filters or int(self.r.integers(2, 20))
        attributes, zeros = self.window(kernel, strides, dilations)
        operands = [self.padded(x, zeros), self.weight((filters, c // group, *kernel))]
        if self.r.random() < 0.7:
            operands.append(self.numbers(filters))
        y = self.op("Conv", *operands, strides=strides, dilations=dilations, group=group, **attributes)
        behind = self.r.random()
        if behind < 0.15:
            y = self.op("BatchNormalization", y, self.numbers(filters, low=0.5), self.numbers(filters), self.numbers(filters),
                        self.numbers(filters, low=0.5), epsilon=1e-3)
        elif behind < 0.3:
            y = self.op(self.pick("Mul", "Add"), y, self.numbers(filters, 1, 1, low=0.5))
        return self.pair(self.act(y))

    def pool(self, x):
        kernel, strides = [int(v) for v in np.minimum(self.r.integers(1, 5, 2), self.size)], [int(v) for v in self.r.integers(1, 4, 2)]
        kernel = list(self.size) if self.r.random() < 0.2 else kernel
        kind = self.pick("MaxPool", "AveragePool", "AveragePool")
        attributes, zeros = self.window(kernel, strides)
        if "auto_pad" not in attributes and zeros is None:  # fused with a Pad the runtime's pool changes its shape
            attributes["ceil_mode"] = int(self.r.random() < 0.4)
        if kind == "AveragePool":
            attributes["count_include_pad"] = int(self.r.integers(2))
        return self.pair(self.op(kind, self.padded(x, zeros), kernel_shape=kernel, strides=strides, **attributes))

    def transposed(self, x):
        filters, kernel = int(self.r.integers(2, 7)), [int(v) for v in self.r.integers(1, 5, 2)]
        if max(self.size) > 10:
            return x
        return self.pair(self.act(self.op("ConvTranspose", x, self.weight((self.channels, filters, *kernel), 1), self.numbers(filters),
                                          strides=[int(v) for v in self.r.integers(1, 4, 2)])))

    def join(self, x):
        c = self.channels
        y = self.op("Conv", x, self.weight((c, c, 1, 1)), self.numbers(c))
        return self.pair(self.op(self.pick("Add", "Mul", "Sub", "Max"), x, self.pair(y)))

    def gate(self, x):
        y = self.pair(self.op("Sigmoid", self.op("Conv", self.pair(self.op("GlobalAveragePool", x)),
                                                 self.weight((self.channels, self.channels, 1, 1)), self.numbers(self.channels))))
        return self.pair(self.op("Mul", x, y))

    def columns(self, x):
        return self.pair(self.op("MatMul", x, self.weight((self.size[1], 5), 1)))

    def concat(self, x):
        y = self.pair(self.act(self.op("Conv", x, self.weight((4, self.channels, 1, 1)))))
        return self.pair(self.op("Concat", x, y, axis=1), 0.7)

    def softmax(self, x):
        return self.pair(self.op("Softmax", x, axis=self.pick(1, 2, 3)))

    def build(self):
        self.start = list(self.size)
        x = self.settled(self.conv(self.pair("input", 0.9), int(self.pick(3, 4, 8, 16))))
        for _ in range(int(self.r.integers(3, 7))):
            step = self.pick(self.conv, self.conv, self.conv, self.pool, self.pool, self.transposed, self.join, self.gate, self.columns,
                             self.concat, self.softmax)
            x = self.settled(step(x))
        head = self.r.integers(3)
        if head == 0:
            x = self.op("Flatten", self.op("GlobalAveragePool", x))
            x = self.op("Gemm", self.pair(x, 1), self.weight((5, self.channels)), self.numbers(5), transB=1)
        elif head == 1:
            x = self.op("Conv", x, self.weight((3, self.channels, 1, 1)), self.numbers(3))
        x = self.pair(x)
        graph = helper.make_graph(self.nodes, "styles", [self.value("input", self.input_shape())],
                                  [self.value(x, None)], self.constants)
        return helper.make_model(graph, opset_imports=self.imports(), ir_version=OPSETS[self.opset])


class Samples:
    def __init__(self, net):
        self.left = [{"input": net.r.standard_normal(net.input_shape()).astype(np.float32)} for _ in range(3)]

    def get_next(self):
        return self.left.pop() if self.left else None


def quantized(net, model, path):
    """quantize_static under random options."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
    CalibrationDataReader.register(Samples)
    r, t = net.r, QuantType
    form = QuantFormat.QDQ if r.random() < 0.75 else QuantFormat.QOperator
    types = [(t.QUInt8, t.QUInt8), (t.QUInt8, t.QInt8), (t.QInt8, t.QInt8)]
    if form == QuantFormat.QDQ:
        types += [(t.QInt16, t.QInt8), (t.QUInt16, t.QInt16), (t.QInt8, t.QInt4), (t.QUInt8, t.QUInt4)]
    activation, weight = net.pick(*types)
    flags = ("ActivationSymmetric", "AddQDQPairToWeight", "DedicatedQDQPair", "QDQKeepRemovableActivations", "ForceQuantizeNoInputCheck",
             "MatMulConstBOnly", "WeightSymmetric", "QDQDisableWeightAdjustForInt32Bias")
    options = {flag: bool(r.random() < 0.7) for flag in flags if r.random() < 0.3}
    options["UseQDQContribOps"] = net.opset < 21 and activation in (t.QInt16, t.QUInt16) or bool(r.random() < 0.3)
    excluded = [n.name for n in model.graph.node if r.random() < 0.12] if r.random() < 0.3 else None
    method = net.pick(CalibrationMethod.MinMax, CalibrationMethod.MinMax, CalibrationMethod.Percentile, CalibrationMethod.Entropy)
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "float.onnx")
        onnx.save(onnx.shape_inference.infer_shapes(model), source)
        quantize_static(source, path, Samples(net), quant_format=form, activation_type=activation, weight_type=weight, extra_options=options,
                        per_channel=bool(r.random() < 0.5), reduce_range=bool(r.random() < 0.2) and weight in (t.QInt8, t.QUInt8),
                        calibrate_method=method, nodes_to_exclude=excluded)
    return f"{form.name} {activation.name} {weight.name} {sorted(k for k, v in options.items() if v)}"


def write(seed, style, path):
    """Writes the network of a seed (style `last`: last_styles.py); says what it is. Errors of the quantizer come through as they are."""
    import last_styles
    net = last_styles.Net(seed) if style == "last" else Net(seed, style == "hand")
    model = net.build()
    if style != "hand":
        return net, quantized(net, model, path)
    onnx.save(model, path)
    return net, f"opset {net.opset} {[np.dtype(c).name for c in net.codes]} {sorted(k for k, v in net.has.items() if v)}"
