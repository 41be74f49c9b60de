"""An ONNX network with quantizers and dequantizers (QuantFormat.QDQ) in onnxruntime as it optimizes it, what one operator reads or writes edited.

A board shows codes: what the QuantizeLinear nodes yield. Each edit gives one operator a dequantizer of its own, or changes its quantizer.
"""
import copy

import numpy as np
import onnxruntime as ort
from onnx import helper, numpy_helper

from edited_onnx import QOperator
from edited_patches import late

PASS = ("Relu", "Clip", "LeakyRelu", "Identity")
LAYERS = ("Conv", "Gemm", "MatMul", "ConvTranspose")
RESCALED = ["result-rescaled", "operand-rescale", "channels-rescaled", "scales-of", "input-wrong-scale", "input-normalized-wrongly"]
OFFSET = ["result-offset", "codes-offset"]


class Qdq(QOperator):
    level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL

    def shown(self, model):
        made = {o for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] not in self.constants for o in n.output}
        return [o for n in model.graph.node for o in n.output if o in made]

    def maker(self, name):
        return next((n for n in self.graph.node if name in n.output), None)

    def quantizer(self, k):
        """The QuantizeLinear that writes what node k computes."""
        name = self.graph.node[k].output[0]
        while True:
            readers = [n for n in self.graph.node if name in n.input]
            if len(readers) == 1 and readers[0].op_type == "QuantizeLinear":
                return readers[0]
            if len(readers) != 1 or readers[0].op_type not in PASS:
                return None
            name = readers[0].output[0]

    def dequantizer(self, k, slot):
        node = self.graph.node[k]
        maker = self.maker(node.input[slot]) if slot < len(node.input) else None
        return maker if maker is not None and maker.op_type == "DequantizeLinear" and len(maker.input) > 2 else None

    def made_by(self, k):
        quantizer = self.quantizer(k)
        return quantizer.output[0] if quantizer is not None else self.graph.node[k].output[0]

    def tensors(self):
        return self.shown(self.model)

    def reads(self, k, name):
        return name in self.graph.node[k].input

    def operands(self, k):
        found = []
        for slot in range(len(self.graph.node[k].input)):
            d = self.dequantizer(k, slot)
            if d is not None and d.input[0] not in self.constants and d.input[0] in self.types and self.quantizer(k) is not None:
                found.append((d.input[0], int(self.value(d, 2).ravel()[0])))
        return list(dict.fromkeys(found))

    def layer(self, k):
        return None

    def own_dequantizer(self, k, slot, source=None, **changes):
        """Node k reads through a dequantizer of its own: codes from `source`, constants changed by f in codes=, scale=, zero=."""
        def change(model, node):
            d = copy.deepcopy(self.dequantizer(k, slot))
            for field, name in enumerate(("codes", "scale", "zero")):
                if name not in changes:
                    continue
                old, own = self.value(d, field), f"{d.input[field]}_own{k}_{slot}"
                model.graph.initializer.append(numpy_helper.from_array(np.array(changes[name](old), old.dtype, order="C"), own))
                d.input[field] = own
            if source:
                d.input[0] = source
            d.name = d.output[0] = f"{d.output[0]}_own{k}_{slot}"
            model.graph.node.insert(list(model.graph.node).index(node), d)
            node.input[slot] = d.output[0]
        return change

    def with_bias(self, k, slot, f):
        """A scale that is another for the bias too: a device adds it to the sum before the one multiplier."""
        def change(model, node):
            self.own_dequantizer(k, slot, scale=f)(model, node)
            if self.dequantizer(k, 2) is not None:
                self.own_dequantizer(k, 2, scale=f)(model, node)
        return change

    def own_quantizer(self, k, field, f):
        def change(model, node):
            name = self.quantizer(k).output[0]
            q = next(n for n in model.graph.node if name in n.output)
            old, own = self.value(q, field), f"{q.input[field]}_own_of_{k}"
            model.graph.initializer.append(numpy_helper.from_array(np.array(f(old), old.dtype), own))
            q.input[field] = own
        return change

    def run_reading(self, feeds, made, k, name, f):
        own, key = name + "_read", ("read", k, name)
        if key not in self.ready:
            model = copy.deepcopy(self.model)
            slot = next(s for s in range(len(self.graph.node[k].input)) if (d := self.dequantizer(k, s)) is not None and d.input[0] == name)
            model.graph.input.append(helper.make_tensor_value_info(own, helper.np_dtype_to_tensor_dtype(made[name].dtype), made[name].shape))
            self.own_dequantizer(k, slot, source=own)(model, model.graph.node[k])
            self.ready[key] = self.session(model)
        x = np.ascontiguousarray(f(made[name], made), made[name].dtype).reshape(made[name].shape)
        again = self.answer(self.ready[key], {**feeds, own: x})
        del again[own]
        return again

    def layer_edits(self, k):
        d = self.dequantizer(k, 1)
        if d is None or d.input[0] not in self.constants:
            return
        w, own = self.value(d, 0), lambda f: self.own_dequantizer(k, 1, codes=f)
        yield "weights-4-late", own(lambda v: late(v, 4)), ["weights-shifted"]
        yield "weights-zero", own(lambda v: v * 0), ["weights-constant", "memory-asleep"]
        yield "weights-cut", own(lambda v: np.where(np.arange(v.size).reshape(v.shape) < v.size * 2 // 3, v, 0)), ["weights-cut", "tail-channels-dropped"]
        if w.size % 4 == 0:
            yield "weights-bytes-turned", own(lambda v: v.reshape(-1, 4)[:, ::-1].reshape(v.shape)), ["weights-byte-order"]
        if w.ndim == 2 and w.shape[0] == w.shape[1]:
            yield "weights-transposed", own(lambda v: v.T), ["weights-transposed"]
        if w.ndim == 4 and min(w.shape[1], w.shape[2] * w.shape[3]) > 1:
            yield "weights-channels-last", own(lambda v: v.transpose(0, 2, 3, 1).reshape(v.shape)), ["weights-transposed"]
        if self.value(d, 1).size > 1:
            scale = lambda f: self.with_bias(k, 1, f)
            yield "scales-first", scale(lambda s: s * 0 + s[0]), ["per-channel-as-per-tensor"]
            yield "scales-greatest", scale(lambda s: s * 0 + s.max()), ["per-channel-as-per-tensor"]
            yield "scales-late", scale(lambda s: np.roll(s, 1)), ["channel-scales-misplaced"]
        b = self.dequantizer(k, 2)
        if b is not None and b.input[0] in self.constants:
            for label, f in (("zero", lambda v: v * 0), ("late", lambda v: np.roll(v, 1)), ("twice", lambda v: v * 2), ("bytes-turned", lambda v: v.byteswap())):
                yield "bias-" + label, self.own_dequantizer(k, 2, codes=f), ["bias-misread"]

    def operand_edits(self, k, slot):
        d = self.dequantizer(k, slot)
        if d is None or d.input[0] in self.constants:
            return
        kind = self.graph.node[k].op_type
        half = lambda s: s * 0.5
        yield f"operand{slot}-half", self.with_bias(k, slot, half) if kind in LAYERS else self.own_dequantizer(k, slot, scale=half), RESCALED
        if self.value(d, 2).any() and kind not in ("MaxPool", "Sigmoid", "Tanh"):
            yield f"operand{slot}-zero-lost", self.own_dequantizer(k, slot, zero=lambda z: z * 0), ["zero-point-ignored", "pads-with-zero-code", *OFFSET]

    def edits(self):
        for k, node in enumerate(self.graph.node):
            if self.quantizer(k) is None or node.op_type in ("QuantizeLinear", "DequantizeLinear") or self.dequantizer(k, 0) is None:
                continue
            own = list(self.layer_edits(k)) if node.op_type in LAYERS else []
            if node.op_type in (*LAYERS, "Add", "Sub", "Mul", "AveragePool", "GlobalAveragePool", "Concat"):
                own += self.operand_edits(k, 0)
                own += self.operand_edits(k, 1)
                own.append(("scale-1.3", self.own_quantizer(k, 1, lambda s: s * 1.3), RESCALED + ["concat-not-rescaled"]))
                own.append(("zero-3-off", self.own_quantizer(k, 2, lambda z: z + 3 if z < 100 else z - 3), OFFSET))
            for label, change, words in own:
                yield k, f"{node.op_type}:{label}", change, words
