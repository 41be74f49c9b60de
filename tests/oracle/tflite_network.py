"""Bytes of a TFLite model of several operators, one call for each tensor and operator."""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tflite_operands import OPERATORS, TYPES


class TfliteNetwork:
    def __init__(self):
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.description, self.model.buffers = 3, "", [schema.BufferT()]
        self.model.operatorCodes, self.model.subgraphs = [], [self.graph]
        self.graph.tensors, self.graph.operators, self.graph.inputs, self.graph.outputs = [], [], [], []

    def tensor(self, name, shape, dtype, scale=None, zero=0, contents=None, axis=0):
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer, t.shapeSignature = name, list(shape), TYPES[np.dtype(dtype)], 0, None
        if contents is not None:
            b = schema.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(contents, dtype).tobytes(), np.uint8)
            self.model.buffers.append(b)
            t.buffer = len(self.model.buffers) - 1
        if scale is not None:
            q = schema.QuantizationParametersT()
            q.scale = np.atleast_1d(np.asarray(scale, np.float32))
            q.zeroPoint = np.broadcast_to(zero, q.scale.shape).astype(np.int64)
            q.quantizedDimension = axis
            t.quantization = q
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def operator(self, kind, inputs, outputs, options=None):
        code = schema.OperatorCodeT()
        number = getattr(OPERATORS, kind)
        code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), 1
        self.model.operatorCodes.append(code)
        node = schema.OperatorT()
        node.opcodeIndex, node.inputs, node.outputs = len(self.model.operatorCodes) - 1, list(inputs), list(outputs)
        if options is not None:
            node.builtinOptions = options
            node.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        self.graph.operators.append(node)

    def bytes(self, inputs, outputs):
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
