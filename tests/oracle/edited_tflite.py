"""A .tflite network run operator by operator in LiteRT's reference kernels, any operator in an edited copy.

Each operator stands in a file of its own, so an edit (other weights, a scale of one operand, an option, another operator)
reaches nothing else. `edits()` lists what can be edited and the words of which one must be in the cause; None: any verdict
but a certain one.
"""
import copy
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edited_patches import late, smooth
from edited_sums import Layer, twice_rounded

NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
TYPES = {0: np.float32, 2: np.int32, 3: np.uint8, 4: np.int64, 7: np.int16, 9: np.int8}
CODES = (np.int8, np.uint8, np.int16)
BYTES = CODES[:2]
LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


class Tflite:
    channels_last = True

    def __init__(self, path):
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(pathlib.Path(path).read_bytes()), 0))
        self.model.signatureDefs = None
        self.graph = self.model.subgraphs[0]
        self.ready = {}

    def kind(self, k):
        code = self.model.operatorCodes[self.graph.operators[k].opcodeIndex]
        return NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def name(self, tensor):
        return self.graph.tensors[tensor].name.decode()

    def dtype(self, tensor):
        return TYPES.get(self.graph.tensors[tensor].type)

    def scales(self, tensor):
        q = self.graph.tensors[tensor].quantization
        return [] if q is None or q.scale is None else list(q.scale)

    def is_constant(self, tensor, model=None):
        model = model or self.model
        data = model.buffers[model.subgraphs[0].tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def contents(self, model, tensor):
        t = model.subgraphs[0].tensors[tensor]
        return np.frombuffer(bytes(model.buffers[t.buffer].data), TYPES[t.type]).reshape([int(v) for v in t.shape]).copy()

    def store(self, model, tensor, array):
        t = model.subgraphs[0].tensors[tensor]
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(array, TYPES[t.type]).tobytes(), np.uint8)
        model.buffers.append(buffer)
        t.buffer = len(model.buffers) - 1

    def inputs(self, seed, count):
        rng = np.random.default_rng(seed)
        return [{self.name(i): self.coded(int(i), smooth(rng, [int(v) for v in self.graph.tensors[i].shape])) for i in self.graph.inputs}
                for _ in range(count)]

    def coded(self, tensor, x):
        if self.dtype(tensor) == np.float32:
            return x
        q, limits = self.graph.tensors[tensor].quantization, np.iinfo(self.dtype(tensor))
        return np.clip(np.rint(x / q.scale[0]) + q.zeroPoint[0], limits.min, limits.max).astype(self.dtype(tensor))

    def operator(self, k, edit):
        key = (k, edit[0] if edit else None)
        if key not in self.ready:
            model = copy.deepcopy(self.model)
            graph = model.subgraphs[0]
            op = graph.operators[k]
            graph.operators = [op]
            if edit:
                edit[1](model, op)
            graph.inputs = list(dict.fromkeys(int(t) for t in op.inputs if t >= 0 and not self.is_constant(t, model) and not graph.tensors[int(t)].isVariable))
            graph.outputs = [int(t) for t in op.outputs]
            builder = flatbuffers.Builder(1024)
            builder.Finish(model.Pack(builder), b"TFL3")
            interpreter = Interpreter(model_content=bytes(builder.Output()), num_threads=1,
                                      experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
            interpreter.allocate_tensors()
            self.ready[key] = (interpreter, graph.inputs, graph.outputs)
        return self.ready[key]

    def run(self, feeds, edit=None, patch=None, read=None):
        """Every tensor by its name; `edit` is (operator, (label, change)), `patch` (name, f(array, made)), `read` (operator, name, f)."""
        made = dict(feeds)
        for k in range(len(self.graph.operators)):
            interpreter, ins, outs = self.operator(k, edit[1] if edit and edit[0] == k else None)
            for detail, tensor in zip(interpreter.get_input_details(), ins):
                x = made[self.name(tensor)] if self.name(tensor) in made else np.zeros(detail["shape"], detail["dtype"])  # of no elements
                if read and read[:2] == (k, self.name(tensor)):
                    x = np.ascontiguousarray(read[2](x, made), x.dtype).reshape(x.shape)
                if list(detail["shape"]) != list(x.shape):
                    interpreter.resize_tensor_input(detail["index"], x.shape)
                    interpreter.allocate_tensors()
                interpreter.set_tensor(detail["index"], x)
            interpreter.reset_all_variables()
            interpreter.invoke()
            for detail, tensor in zip(interpreter.get_output_details(), outs):
                y, name = interpreter.get_tensor(detail["index"]), self.name(tensor)
                made[name] = patch[1](y, made).astype(y.dtype).reshape(y.shape) if patch and patch[0] == name else y
        return made

    def count(self):
        return len(self.graph.operators)

    def reads(self, k, name):
        return any(t >= 0 and self.name(int(t)) == name for t in self.graph.operators[k].inputs)

    def tensors(self):
        return [self.name(int(t)) for op in self.graph.operators for t in op.outputs]

    def code_tensors(self):
        return [self.name(int(t)) for op in self.graph.operators for t in op.outputs if self.dtype(int(t)) in CODES]

    def outputs(self):
        return [self.name(int(t)) for t in self.graph.outputs]

    def made_by(self, k):
        return self.name(int(self.graph.operators[k].outputs[0]))

    def operands(self, k):
        """(name, zero point) of the operands in codes that are no constants."""
        op = self.graph.operators[k]
        if len(op.outputs) > 1:
            return []
        names = [int(t) for t in op.inputs if t >= 0 and not self.is_constant(int(t)) and self.dtype(int(t)) in CODES and self.scales(int(t))]
        return [(self.name(t), self.zero(t)) for t in dict.fromkeys(names)]

    def zero(self, tensor):
        return int(self.graph.tensors[tensor].quantization.zeroPoint[0])

    def scale_of(self, name):
        t = next(int(i) for i in self.graph.inputs if self.name(i) == name)
        return (self.scales(t)[0], self.zero(t)) if self.scales(t) else (1.0, 0)

    def layer(self, k):
        """The operator as sums of products; None where it is no layer of codes with constant weights."""
        op, kind = self.graph.operators[k], self.kind(k)
        if kind not in LAYERS[:3] or self.dtype(int(op.outputs[0])) not in CODES or not self.is_constant(int(op.inputs[1])):
            return None
        x, w, y, o = *(int(t) for t in op.inputs[:2]), int(op.outputs[0]), op.builtinOptions  # codes of 16 bits are not summed here
        if any(self.dtype(t) not in BYTES for t in (x, w, y)):
            return None
        weights, has_bias = self.contents(self.model, w), len(op.inputs) > 2 and op.inputs[2] >= 0
        scales = np.array(self.scales(w), np.float64)
        factor = float(np.float32(self.scales(x)[0]) * np.float32(scales[0])) if scales.size == 1 else self.scales(x)[0] * scales
        shape, out = ([int(v) for v in self.graph.tensors[t].shape] for t in (x, y))
        how = {}
        if kind == "FULLY_CONNECTED":
            weights = weights[:, None, None, :]
            how = dict(read=lambda v: v.reshape(-1, 1, 1, weights.shape[3]), write=lambda v: v.reshape(out))
        else:
            if kind == "DEPTHWISE_CONV_2D":
                weights, how["groups"] = weights.transpose(3, 1, 2, 0), shape[3]
            stride, dilation = (o.strideH, o.strideW), (o.dilationHFactor, o.dilationWFactor)
            need = [max(0, (out[d + 1] - 1) * stride[d] + (weights.shape[d + 1] - 1) * dilation[d] + 1 - shape[d + 1]) if o.padding == 0 else 0 for d in (0, 1)]
            how |= dict(stride=stride, dilation=dilation, pads=(need[0] // 2, need[1] // 2, need[0] - need[0] // 2, need[1] - need[1] // 2))
        low, high, zero, step = np.iinfo(self.dtype(y)).min, np.iinfo(self.dtype(y)).max, self.zero(y), self.scales(y)[0]
        top = {3: 6.0, 2: 1.0}.get(o.fusedActivationFunction)
        if o.fusedActivationFunction:
            low = max(low, zero if o.fusedActivationFunction != 2 else zero - round(1 / step))
            high = min(high, zero + int(np.rint(top / step))) if top else high
        bias = self.contents(self.model, int(op.inputs[2])).astype(np.int64) if has_bias else 0
        zeros = self.zero(x), self.zero(w), zero
        return Layer(self.name(x), self.name(y), weights, bias, zeros, factor / step, twice_rounded, bounds=(low, high), **how)

    def layer_edits(self, k, op):
        x, w, b = (2, 1, 3) if self.kind(k) == "TRANSPOSE_CONV" else (0, 1, 2)
        if not self.is_constant(int(op.inputs[w])):
            return
        weights = self.contents(self.model, int(op.inputs[w]))
        if weights.size > 16:
            yield "weights-4-late", constant(self, w, lambda a: late(a, 4)), ["weights-shifted"]
        yield "weights-cut", constant(self, w, lambda a: np.where(np.arange(a.size).reshape(a.shape) < a.size * 2 // 3, a, 0)), ["weights-cut"]
        yield "weights-zero", constant(self, w, lambda a: a * 0), ["weights-constant"]
        yield "weight-flipped", constant(self, w, lambda a: np.where(np.arange(a.size).reshape(a.shape) == a.size // 3, a ^ 64, a)), None
        yield "weights-negated", constant(self, w, lambda a: -np.maximum(a, -127)), None
        if weights.size % 4 == 0:
            yield "weights-bytes-turned", constant(self, w, lambda a: a.reshape(-1, 4)[:, ::-1].reshape(a.shape)), ["weights-byte-order"]
        if weights.ndim == 2:
            yield "weights-transposed", constant(self, w, lambda a: a.T.reshape(a.shape)), ["weights-transposed"]
        elif weights.shape[1] == weights.shape[2] > 1:
            yield "weights-height-width", constant(self, w, lambda a: a.transpose(0, 2, 1, 3)), ["weights-transposed"]
        if weights.ndim == 4 and min(weights.shape[1] * weights.shape[2], weights.shape[3]) > 1 and self.kind(k) == "CONV_2D":
            yield "weights-channels-first", constant(self, w, lambda a: a.transpose(0, 3, 1, 2).reshape(a.shape)), ["weights-transposed"]
        if len(op.inputs) > b and op.inputs[b] >= 0 and self.is_constant(int(op.inputs[b])):
            for label, change in (("zero", lambda a: a * 0), ("late", lambda a: np.roll(a, 1)), ("twice", lambda a: a * 2),
                                  ("low-16-bits", lambda a: a.astype(np.int16))):
                yield "bias-" + label, constant(self, b, change), ["bias-misread"]
        alike = [t for t, v in enumerate(self.graph.tensors) if t != op.inputs[w] and v.type == self.graph.tensors[int(op.inputs[w])].type
                 and list(v.shape) == list(weights.shape) and self.is_constant(t)]
        if alike:
            yield "weights-of-another", constant(self, w, lambda a: self.contents(self.model, alike[0])), ["weights-of-another"]
        yield "weights-erased", constant(self, w, lambda a: a * 0 - 1), ["weights-constant"]
        if weights.size > 96:
            yield "weights-32-early", constant(self, w, lambda a: np.concatenate([a.ravel()[32:], a.ravel()[:32] * 0]).reshape(a.shape)), ["weights-shifted"]
        if len(self.scales(int(op.inputs[w]))) > 1:
            yield "scales-first", scaled(w, lambda s: s * 0 + s[0]), ["per-channel-as-per-tensor"]
            yield "scales-greatest", scaled(w, lambda s: s * 0 + s.max()), ["per-channel-as-per-tensor"]
            yield "scales-late", scaled(w, lambda s: np.roll(s, 1)), ["channel-scales-misplaced"]
            yield "scale-of-one-channel", scaled(w, lambda s: s * np.where(np.arange(len(s)) == len(s) // 2, 1.7, 1)), ["channels-rescaled"]
        yield "input-zero-lost", moved(x, lambda z: z * 0), ["zero-point-ignored"]
        yield "input-scale-half", scaled(x, lambda s: s * 0.5), ["result-rescaled", "operand-rescale", "channels-rescaled"]
        if max(getattr(op.builtinOptions, "dilationHFactor", 1), getattr(op.builtinOptions, "dilationWFactor", 1)) > 1:
            yield "dilation-lost", option(dilationHFactor=1, dilationWFactor=1), ["dilation-lost"]

    def sum_edits(self, k, op):
        if any(self.is_constant(int(t)) for t in op.inputs):
            return
        rescaled = ["operand-rescale"] + (["result-rescaled"] if self.kind(k) == "MUL" else [])
        yield "second-half", scaled(1, lambda s: s * 0.5), rescaled
        yield "first-zero-lost", moved(0, lambda z: z * 0), ["zero-point-ignored"]
        yield "second-zero-lost", moved(1, lambda z: z * 0), ["zero-point-ignored"]
        if self.kind(k) in ("ADD", "SUB"):
            first, second, result = (self.scales(int(t))[0] for t in (*op.inputs, op.outputs[0]))
            if max(first, second) > result * 1.1:
                yield "multipliers-clipped", lambda m, o: [scaled(i, lambda s: np.minimum(s, result))(m, o) for i in (0, 1)], ["add-multiplier-clipped", "operand-rescale"]
            yield "scales-ignored", lambda m, o: [scaled(i, lambda s: s * 0 + result)(m, o) for i in (0, 1)], ["add-scales-ignored", "operand-rescale"]
            yield "first-1.37", scaled(0, lambda s: s * 1.37), rescaled
        if self.kind(k) == "ADD":
            yield "scales-swapped", swap_scales, ["add-scales-swapped"]
            yield "subtracts", another("SUB"), None

    def edits(self):
        """(operator, label, change(model, operator), words)"""
        for k, op in enumerate(self.graph.operators):
            if self.dtype(int(op.outputs[0])) not in CODES:
                continue
            kind, options, own = self.kind(k), op.builtinOptions, []
            if kind in LAYERS:
                own += self.layer_edits(k, op)
            if kind in ("ADD", "SUB", "MUL"):
                own += self.sum_edits(k, op)
            if getattr(options, "fusedActivationFunction", 0):
                own.append(("clamp-lost", option(fusedActivationFunction=0), ["clamp-lost"]))
            if kind == "LEAKY_RELU":
                own.append(("slope-lost", option(alpha=0.0), ["slope-lost"]))
            if kind == "SOFTMAX":
                own.append(("half-the-logits", option(beta=0.5), ["softmax-scale"]))
            if kind == "RESIZE_BILINEAR":
                own.append(("other-grid", option(halfPixelCenters=not options.halfPixelCenters), ["resize-grid"]))
            if kind in ("LOGISTIC", "TANH"):
                own.append(("table-late", moved(0, lambda z: z + 5), ["table-shifted", "zero-point"]))
            if kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
                own.append(("other-pool", another("AVERAGE_POOL_2D" if kind == "MAX_POOL_2D" else "MAX_POOL_2D"), None))
            if kind == "CONCATENATION" and len(op.inputs) == 2:
                own.append(("other-order", turn_operands, ["output-channels-exchanged"]))
            if kind in (*LAYERS, "ADD", "SUB", "MUL", "MEAN"):
                own.append(("zero-3-off", moved(0, lambda z: z + (3 if z[0] < 100 else -3), True), ["result-offset", "codes-offset"]))
                own.append(("scale-1.3", scaled(0, lambda s: s * 1.3, True), ["result-rescaled", "channels-rescaled", "scales-of"]))
            for label, change, words in own:
                yield k, f"{kind}:{label}", change, words


def quantization_of(model, op, slot, of_result):
    t = model.subgraphs[0].tensors[int((op.outputs if of_result else op.inputs)[slot])]
    t.quantization = copy.deepcopy(t.quantization)
    return t.quantization


def scaled(slot, f, of_result=False):
    def change(model, op):
        q = quantization_of(model, op, slot, of_result)
        q.scale = [float(v) for v in f(np.array(q.scale, np.float32))]
    return change


def moved(slot, f, of_result=False):
    def change(model, op):
        q = quantization_of(model, op, slot, of_result)
        q.zeroPoint = [int(v) for v in f(np.array(q.zeroPoint))]
    return change


def constant(net, slot, f):
    return lambda model, op: net.store(model, int(op.inputs[slot]), f(net.contents(model, int(op.inputs[slot]))))


def option(**values):
    def change(model, op):
        for name, value in values.items():
            setattr(op.builtinOptions, name, value)
    return change


def another(name):
    def change(model, op):
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(127, code.builtinCode), 2
        model.operatorCodes.append(code)
        op.opcodeIndex = len(model.operatorCodes) - 1
    return change


def swap_scales(model, op):
    first, second = (quantization_of(model, op, slot, False) for slot in (0, 1))
    first.scale, second.scale = second.scale, first.scale


def turn_operands(model, op):
    op.inputs = [op.inputs[1], op.inputs[0]]
