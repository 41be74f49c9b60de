"""Pieces of single-operator TFLite models: operands, options, the bytes of a file, and seeded random choices."""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

OPERATORS = schema.BuiltinOperator
TYPES = {np.dtype(np.float32): schema.TensorType.FLOAT32, np.dtype(np.int8): schema.TensorType.INT8,
         np.dtype(np.uint8): schema.TensorType.UINT8, np.dtype(np.int16): schema.TensorType.INT16,
         np.dtype(np.int32): schema.TensorType.INT32, np.dtype(np.int64): schema.TensorType.INT64,
         np.dtype(np.float16): schema.TensorType.FLOAT16, np.dtype(np.bool_): schema.TensorType.BOOL}


class Operand:
    """A tensor: fed when it has no contents."""

    def __init__(self, shape, dtype, scale=None, zero=0, contents=None, axis=0):
        self.shape, self.dtype, self.axis = list(shape), np.dtype(dtype), axis
        self.scale = None if scale is None else np.atleast_1d(np.asarray(scale, np.float32))
        self.zero = None if scale is None else np.broadcast_to(zero, self.scale.shape).astype(np.int64)
        self.contents = None if contents is None else np.asarray(contents, dtype).reshape(shape)


def stored(o):
    """The type and bytes of an operand in a file; `four`: codes in four bits, the first of two in the low half."""
    if not getattr(o, "four", False):
        return TYPES[o.dtype], None if o.contents is None else np.frombuffer(o.contents.tobytes(), np.uint8)
    codes = np.concatenate([o.contents.reshape(-1), np.zeros(o.contents.size % 2, np.int8)]).astype(np.uint8) & 15
    return schema.TensorType.INT4, codes[::2] | codes[1::2] << 4


def build(op, operands, results, options=None, version=1):
    """Bytes of a model of one operator; fed operands are named x0, x1, ..., results y0, y1, ..."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description, model.buffers = 3, "", [schema.BufferT()]
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = getattr(OPERATORS, op), min(getattr(OPERATORS, op), 127), version
    model.operatorCodes, model.subgraphs, graph.tensors = [code], [graph], []

    def add(o, name):
        t = schema.TensorT()
        kind, data = stored(o)
        t.shape, t.type, t.name, t.buffer = o.shape, kind, name, 0
        t.shapeSignature = None
        if o.contents is not None:
            b = schema.BufferT()
            b.data = data
            model.buffers.append(b)
            t.buffer = len(model.buffers) - 1
        if o.scale is not None:
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale, t.quantization.zeroPoint = o.scale, o.zero
            t.quantization.quantizedDimension = o.axis
        graph.tensors.append(t)
        return len(graph.tensors) - 1

    node = schema.OperatorT()
    node.opcodeIndex, node.inputs, fed = 0, [], []
    for k, o in enumerate(operands):
        if o is None:
            node.inputs.append(-1)
            continue
        node.inputs.append(add(o, f"x{k}" if o.contents is None else f"c{k}"))
        if o.contents is None:
            fed.append(node.inputs[-1])
    node.outputs = [add(o, f"y{k}") for k, o in enumerate(results)]
    if hasattr(options, "code"):
        code.customCode, node.customOptions = options.code, np.frombuffer(bytes(options.bytes), np.uint8)
    elif options is not None:
        node.builtinOptions = options
        node.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
    for k, (scale, zero) in enumerate(getattr(options, "intermediates", [])):
        node.intermediates = (node.intermediates or []) + [add(Operand((0,), np.int8, scale, zero), f"i{k}")]
    graph.operators, graph.inputs, graph.outputs = [node], fed, node.outputs
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def options(kind, **fields):
    o = getattr(schema, kind + "OptionsT")()
    for name, value in fields.items():
        assert hasattr(o, name), (kind, name)
        setattr(o, name, value)
    return o


class Maker:
    """Random pieces from one seed."""

    def __init__(self, seed):
        self.r = np.random.default_rng(seed)

    def scale(self, low=0.002, high=0.2):
        return float(np.exp(self.r.uniform(np.log(low), np.log(high))))

    def zero(self, dtype):
        if np.dtype(dtype).itemsize > 1:
            return 0
        i = np.iinfo(dtype)
        return int(self.r.choice([i.min, i.max, (i.min + i.max) // 2, self.r.integers(i.min, i.max + 1)]))

    def codes(self, shape, dtype, low=None, high=None):
        i = np.iinfo(dtype)
        return self.r.integers(i.min if low is None else low, (i.max if high is None else high) + 1, shape).astype(dtype)

    def fed(self, shape, dtype, scale=None, zero=None):
        if np.dtype(dtype).kind == "f":
            return Operand(shape, dtype)
        return Operand(shape, dtype, self.scale() if scale is None else scale, self.zero(dtype) if zero is None else zero)

    def activation(self):
        return int(self.r.choice([0, 0, 1, 2, 3]))

    def weight_scale(self):
        return self.scale(0.001, 0.02)

    def output_scale(self, x, weights, terms):
        """A scale at which a sum of so many products of codes fills some of the output's range."""
        if x.scale is None or weights.scale is None:
            return None
        wide = 30000.0 if x.dtype == np.int16 else 128.0
        spread = float(np.sqrt(max(1.0, float(terms)))) * wide * 70.0 * float(x.scale[0]) * float(np.max(weights.scale))
        return spread / wide * float(self.r.uniform(0.1, 2))


class ExtremeMaker(Maker):
    """The same with scales from 1e-6 to 1e3 and powers of two, and zero points that favour the borders."""

    def scale(self, low=0.002, high=0.2):
        if self.r.random() < 0.5:
            return super().scale(low, high)
        return float(self.r.choice([1e-6, 1e-4, 2.0 ** -8, 2.0 ** -15, 1.0, 16.0, 1e3]))

    def zero(self, dtype):
        if np.dtype(dtype).itemsize > 1:
            return 0
        i = np.iinfo(dtype)
        return int(self.r.choice([i.min, i.max, i.min + 1, i.max - 1, 0 if i.min else 128]))

    def activation(self):
        return int(self.r.choice([0, 1, 2, 3, 4, 5]))


def vector(v, dtype=np.int32):
    return Operand((len(v),), dtype, contents=v)
