"""An ONNX network in onnxruntime's own integer operators (QuantFormat.QOperator), any node in an edited copy, every tensor seen."""
import copy

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from edited_patches import late, smooth
from edited_sums import Layer, once_rounded


class QOperator:
    channels_last = False
    level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL

    def __init__(self, path):
        self.model = onnx.load(path)
        self.graph = self.model.graph
        self.constants = {t.name: t for t in self.graph.initializer}
        self.given = [i for i in self.graph.input if i.name not in self.constants]
        self.ready = {}
        self.types = {name: a.dtype for name, a in self.run(self.inputs(0, 1)[0]).items()}

    def session(self, model):
        model = copy.deepcopy(model)
        named = {o.name for o in model.graph.output}
        model.graph.output.extend(helper.make_empty_tensor_value_info(o) for o in self.shown(model) if o not in named)
        options = ort.SessionOptions()
        options.graph_optimization_level = self.level
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def shown(self, model):
        return [o for n in model.graph.node for o in n.output if o]

    def inputs(self, seed, count):
        rng = np.random.default_rng(seed)
        return [{i.name: smooth(rng, [d.dim_value or 1 for d in i.type.tensor_type.shape.dim]) for i in self.given} for _ in range(count)]

    def answer(self, session, feeds):
        names = [o.name for o in session.get_outputs()]
        return {**dict(zip(names, session.run(names, feeds))), **feeds}

    def run(self, feeds, edit=None, patch=None, read=None):
        """Every tensor by its name; `edit` is (node, (label, change)), `patch` (name, f(array, made)), `read` (node, name, f)."""
        key = edit and (edit[0], edit[1][0])
        if key not in self.ready:
            model = copy.deepcopy(self.model)
            if edit:
                edit[1][1](model, model.graph.node[edit[0]])
            self.ready[key] = self.session(model)
        made = self.answer(self.ready[key], feeds)
        if read:
            return self.run_reading(feeds, made, *read)
        if not patch:
            return made
        name, own = patch[0], made[patch[0]]
        value = np.ascontiguousarray(patch[1](own, made).astype(own.dtype).reshape(own.shape))
        if patch[0] not in self.ready:
            model = copy.deepcopy(self.model)
            node = next(n for n in model.graph.node if name in n.output)
            node.output[list(node.output).index(name)] = name + "_unused"
            model.graph.input.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
            self.ready[name] = self.session(model)
        return self.answer(self.ready[name], {**feeds, name: value})

    def run_reading(self, feeds, made, k, name, f):
        own, key = name + "_read", ("read", k, name)
        if key not in self.ready:
            model = copy.deepcopy(self.model)
            node = model.graph.node[k]
            slots = [i for i, n in enumerate(node.input) if n == name]
            node.input[slots[0]] = own
            model.graph.input.append(helper.make_tensor_value_info(own, helper.np_dtype_to_tensor_dtype(made[name].dtype), made[name].shape))
            self.ready[key] = self.session(model)
        x = np.ascontiguousarray(f(made[name], made), made[name].dtype).reshape(made[name].shape)
        again = self.answer(self.ready[key], {**feeds, own: x})
        del again[own]
        return again

    def operands(self, k):
        """(name, zero point) of the operands in codes that are no constants."""
        node = self.graph.node[k]
        slots = {"QLinearConv": [0], "QLinearAdd": [0, 3], "QLinearMul": [0, 3], "QLinearMatMul": [0, 3], "QGemm": [0], "QLinearGlobalAveragePool": [0],
                 "QLinearAveragePool": [0], "QLinearLeakyRelu": [0], "QLinearSigmoid": [0]}.get(node.op_type, [])
        found = {node.input[s]: int(self.value(node, s + 2).ravel()[0]) for s in slots if node.input[s] not in self.constants}
        return [(n, z) for n, z in found.items() if self.types[n] in (np.int8, np.uint8)]

    def scale_of(self, name):
        return 1.0, 0

    def layer(self, k):
        """The node as sums of products; None where it is no convolution of codes."""
        node = self.graph.node[k]
        if node.op_type != "QLinearConv" or self.value(node, 3).ndim != 4:
            return None
        a = {x.name: helper.get_attribute_value(x) for x in node.attribute}
        scale = [self.value(node, s).astype(np.float32) for s in (1, 4, 6)]
        w_zero = self.value(node, 5).astype(np.int64)
        return Layer(node.input[0], node.output[0], self.value(node, 3).transpose(0, 2, 3, 1), self.value(node, 8).astype(np.int64) if len(node.input) > 8 else 0,
                     (int(self.value(node, 2)), w_zero.reshape(-1)[0] if w_zero.size == 1 else w_zero.reshape(-1, 1, 1, 1), int(self.value(node, 7))),
                     scale[0] * scale[1] / scale[2], once_rounded, a.get("strides", (1, 1)), a.get("dilations", (1, 1)), tuple(a.get("pads", (0, 0, 0, 0))), a.get("group", 1),
                     read=lambda v: v.transpose(0, 2, 3, 1), write=lambda v: v.transpose(0, 3, 1, 2))

    def count(self):
        return len(self.graph.node)

    def reads(self, k, name):
        return name in self.graph.node[k].input

    def tensors(self):
        return [o for n in self.graph.node for o in n.output if o]

    def code_tensors(self):
        return [t for t in self.tensors() if self.types[t] in (np.int8, np.uint8)]

    def outputs(self):
        return [o.name for o in self.graph.output]

    def made_by(self, k):
        return self.graph.node[k].output[0]

    def value(self, node, slot):
        return numpy_helper.to_array(self.constants[node.input[slot]])

    def constant(self, slot, f):
        """The node's own copy of a constant, changed."""
        def change(model, node):
            source = self.value(node, slot)
            name = f"{node.input[slot]}_own{slot}"
            model.graph.initializer.append(numpy_helper.from_array(np.array(f(source), source.dtype, order="C"), name))
            node.input[slot] = name
        return change

    def convolution(self, node):
        w, a = self.value(node, 3), {x.name: helper.get_attribute_value(x) for x in node.attribute}
        yield from self.weights(w, 3)
        if self.value(node, 2):
            yield "input-zero-lost", self.constant(2, lambda z: z * 0), ["zero-point-ignored", "pads-with-zero-code"]
        if self.value(node, 5).any():
            yield "weights-zero-lost", self.constant(5, lambda z: z * 0), ["zero-point-ignored"]
        yield "input-scale-half", self.constant(1, lambda s: s * 0.5), ["result-rescaled", "operand-rescale", "channels-rescaled"]
        yield "scale-1.3", self.constant(6, lambda s: s * 1.3), ["result-rescaled", "channels-rescaled", "scales-of"]
        yield "zero-3-off", self.constant(7, lambda z: z + 3 if z < 100 else z - 3), ["result-offset", "codes-offset"]
        if self.value(node, 4).size > 1:
            yield "scales-first", self.constant(4, lambda s: s * 0 + s[0]), ["per-channel-as-per-tensor"]
            yield "scales-mean", self.constant(4, lambda s: s * 0 + s.mean()), ["per-channel-as-per-tensor"]
            yield "scales-late", self.constant(4, lambda s: np.roll(s, 1)), ["channel-scales-misplaced"]
            yield "every-other-scale-half", self.constant(4, lambda s: s * np.where(np.arange(s.size) % 2, 1, 0.5)), ["channels-rescaled"]
        if w.shape[2] == w.shape[3] > 1:
            yield "weights-height-width", self.constant(3, lambda v: v.transpose(0, 1, 3, 2)), ["weights-transposed"]
        if w.shape[2] * w.shape[3] > 1 and w.shape[1] > 1:
            yield "weights-channels-last", self.constant(3, lambda v: v.transpose(0, 2, 3, 1).reshape(v.shape)), ["weights-transposed"]
        if w.shape[0] == w.shape[1]:
            yield "weights-in-out", self.constant(3, lambda v: v.swapaxes(0, 1)), ["weights-transposed"]
        if len(node.input) > 8:
            yield from self.bias(8)
        pads = list(a.get("pads", []))
        if any(pads):
            half = len(pads) // 2
            turned = pads[half:] + pads[:half] if pads[:half] != pads[half:] else [2 * p for p in pads[:half]] + [0] * half
            yield "pads-at-one-side", attribute(pads=turned), ["pads-asymmetric"]

    def weights(self, w, slot):
        yield "weights-4-late", self.constant(slot, lambda v: late(v, 4)), ["weights-shifted"]
        yield "weights-zero", self.constant(slot, lambda v: v * 0), ["weights-constant", "memory-asleep", "poison"]
        if w.size % 4 == 0:
            yield "weights-bytes-turned", self.constant(slot, lambda v: v.reshape(-1, 4)[:, ::-1].reshape(v.shape)), ["weights-byte-order"]
        if w.ndim == 2:
            yield "weights-transposed", self.constant(slot, lambda v: v.T.reshape(v.shape)), ["weights-transposed"]

    def bias(self, slot):
        yield "bias-zero", self.constant(slot, lambda v: v * 0), ["bias-misread"]
        yield "bias-late", self.constant(slot, lambda v: np.roll(v, 1)), ["bias-misread"]
        yield "bias-bytes-turned", self.constant(slot, lambda v: v.byteswap()), ["bias-misread"]
        yield "bias-half", self.constant(slot, lambda v: v // 2), ["bias-misread", "channels-rescaled"]

    def pair(self, node):
        rescaled = ["operand-rescale"] + (["result-rescaled"] if node.op_type == "QLinearMul" else [])
        yield "second-half", self.constant(4, lambda s: s * 0.5), rescaled
        yield "first-1.7", self.constant(1, lambda s: s * 1.7), rescaled
        if self.value(node, 2).any():
            yield "first-zero-lost", self.constant(2, lambda z: z * 0), ["zero-point-ignored"]
        yield "zero-3-off", self.constant(7, lambda z: z + 3 if z < 100 else z - 3), ["result-offset", "codes-offset"]
        if node.op_type == "QLinearAdd":
            yield "scales-swapped", inputs_in_order(lambda i: [i[0], i[4], *i[2:4], i[1], *i[5:]]), ["add-scales-swapped"]

    def edits(self):
        """(node, label, change(model, node), words)"""
        for k, node in enumerate(self.graph.node):
            kind, own = node.op_type, []
            if kind == "QLinearConv":
                own = self.convolution(node)
            elif kind in ("QLinearAdd", "QLinearMul"):
                own = self.pair(node)
            elif kind == "QLinearConcat":
                own = [("other-order", inputs_in_order(lambda i: [*i[:2], *i[5:8], *i[2:5], *i[8:]]), ["output-channels-exchanged"])]
            elif kind == "QLinearLeakyRelu":
                own = [("slope-lost", attribute(alpha=0.0), ["slope-lost"])]
            elif kind == "QLinearSigmoid":
                own = [("table-late", self.constant(2, lambda z: z + 5), ["table-shifted", "zero-point"])]
            elif kind in ("QLinearGlobalAveragePool", "QLinearAveragePool"):
                own = [("scale-1.3", self.constant(3, lambda s: s * 1.3), ["result-rescaled", "pool-divisor"])]
            elif kind == "QGemm":
                own = [*self.weights(self.value(node, 3), 3), *self.bias(6)]
            for label, change, words in own:
                yield k, f"{kind}:{label}", change, words


def attribute(**values):
    def change(model, node):
        kept = [a for a in node.attribute if a.name not in values]
        del node.attribute[:]
        node.attribute.extend(kept + [helper.make_attribute(n, v) for n, v in values.items()])
    return change


def inputs_in_order(order):
    def change(model, node):
        names = order(list(node.input))
        del node.input[:]
        node.input.extend(names)
    return change
