"""Quantized networks as other tools write them: quantizers put into a float network by hand, in styles that onnxruntime's own
quantizer does not have."""
import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

PRODUCTS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
JOINS = {"Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "Softmax", "Sub"}
# name -> which tensors are quantized (the inputs of products, of joins, every float result), how the codes are written
STYLES = {
    # symmetric, no zero points, weights quantized in the graph, float biases, nothing behind the products
    "inputs_only": dict(products=True, joins=False, results=False, zero=None, symmetric=True, weight="pair", channel=True),
    # the same with sums and averages, zero points written out
    "inputs_and_joins": dict(products=True, joins=True, results=False, zero=np.int8, symmetric=True, weight="pair", channel=False),
    # steps that are powers of two, on every result
    "powers_of_two": dict(products=True, joins=True, results=True, zero=np.int8, symmetric=True, weight="codes", channel=False, power=True),
    # scale and zero point made by Constant nodes
    "constant_nodes": dict(products=True, joins=True, results=True, zero=np.uint8, symmetric=False, weight="codes", channel=True, nodes=True),
    # codes held inside fewer bits by a Clip between quantizer and dequantizer
    "clipped_codes": dict(products=True, joins=True, results=True, zero=np.int8, symmetric=True, weight="clip", channel=True, bits=6),
    # unsigned without a zero point: the default type
    "default_type": dict(products=True, joins=True, results=True, zero=None, symmetric=False, weight="codes", channel=False, positive=True),
}


def ranges_of(model, samples):
    """{name: (least, greatest)} of every float value over the samples."""
    m = onnx.ModelProto()
    m.CopyFrom(model)
    have = {o.name for o in m.graph.output}
    names = [o for n in m.graph.node for o in n.output if o]
    m.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in have)
    so = onnxruntime.SessionOptions()
    so.graph_optimization_level, so.log_severity_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, 4
    session = onnxruntime.InferenceSession(m.SerializeToString(), so, providers=["CPUExecutionProvider"])
    found = {}
    for feed in samples:
        values = dict(zip([o.name for o in session.get_outputs()], session.run(None, feed))) | feed
        for name, v in values.items():
            if v.dtype == np.float32 and v.size:
                low, high = found.get(name, (0.0, 0.0))
                found[name] = (min(low, float(v.min())), max(high, float(v.max())))
    return found


class Restyler:
    """Rewrites one model in one style."""

    def __init__(self, model, ranges, style):
        self.style, self.ranges = style, ranges
        self.weights = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        self.made, self.nodes, self.constants, self.count = {}, [], [], 0

    def constant(self, array):
        self.count += 1
        name = f"quant_{self.count}"
        if self.style.get("nodes"):
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array)))
        else:
            self.constants.append(numpy_helper.from_array(array, name))
        return name

    def scale_of(self, low, high, unsigned):
        if self.style["symmetric"]:
            step = max(abs(low), abs(high), 1e-4) / (2 ** (self.style.get("bits", 8) - 1) - 1)
        else:
            step = max(high - low, 1e-4) / 255
        if self.style.get("power"):
            step = 2.0 ** np.ceil(np.log2(step))
        zero = 0 if self.style["symmetric"] or self.style.get("positive") else int(np.clip(np.rint(-low / step), 0, 255))
        return np.float32(step), (np.uint8 if unsigned else np.int8)(zero)

    def pair(self, name, stem):
        """The dequantized form of an activation."""
        if name in self.made:
            return self.made[name]
        low, high = self.ranges[name]
        if self.style.get("positive") and low < -1e-6:
            return name
        unsigned = self.style["zero"] is np.uint8 or self.style.get("positive", False) or not self.style["symmetric"]
        step, zero = self.scale_of(low, high, unsigned)
        extra = [self.constant(step)]
        if self.style["zero"] is not None or not unsigned:
            extra.append(self.constant(np.asarray(zero)))
        self.nodes.append(helper.make_node("QuantizeLinear", [name, *extra], [f"{stem}_q"], name=f"{stem}_quantize"))
        codes = self.clip(f"{stem}_q", zero.dtype)
        self.nodes.append(helper.make_node("DequantizeLinear", [codes, *extra], [f"{stem}_dq"], name=f"{stem}_dequantize"))
        self.made[name] = f"{stem}_dq"
        return self.made[name]

    def clip(self, codes, dtype):
        if self.style["weight"] != "clip":
            return codes
        bound = 2 ** (self.style["bits"] - 1)
        self.nodes.append(helper.make_node("Clip", [codes, self.constant(np.asarray(-bound + 1, dtype)), self.constant(np.asarray(bound - 1, dtype))],
                                           [codes + "_held"]))
        return codes + "_held"

    def weight(self, name, axis):
        """The dequantized form of a constant operand."""
        key = (name, axis)
        if key in self.made:
            return self.made[key]
        w, limit = self.weights[name], 2 ** (self.style.get("bits", 8) - 1) - 1
        by_channel = self.style["channel"] and axis is not None
        over = tuple(d for d in range(w.ndim) if d != axis) if by_channel else None
        step = np.maximum(np.abs(w).max(axis=over), 1e-4).astype(np.float32) / np.float32(limit)
        if self.style.get("power"):
            step = np.exp2(np.ceil(np.log2(step))).astype(np.float32)
        attrs = {"axis": axis} if by_channel else {}
        names = [self.constant(np.asarray(step, np.float32)), self.constant(np.zeros(np.shape(step), np.int8))]
        stem = f"{name}_{axis}"
        if self.style["weight"] == "codes":
            shape = [-1 if d == axis else 1 for d in range(w.ndim)] if by_channel else [1] * w.ndim
            codes = np.clip(np.rint(w / np.reshape(step, shape)), -limit, limit).astype(np.int8)
            self.constants.append(numpy_helper.from_array(codes, stem + "_q"))
        else:
            self.nodes.append(helper.make_node("QuantizeLinear", [name, *names], [stem + "_q"], **attrs))
        codes = self.clip(stem + "_q", np.int8)
        self.nodes.append(helper.make_node("DequantizeLinear", [codes, *names], [stem + "_dq"], **attrs))
        self.made[key] = stem + "_dq"
        return self.made[key]

    def inputs_of(self, node):
        names = list(node.input)
        wanted = self.style["products"] and node.op_type in PRODUCTS or self.style["joins"] and node.op_type in JOINS
        for i, name in enumerate(names):
            if not wanted or not name or (node.op_type in PRODUCTS and i > 1):
                continue
            if name in self.weights and i == 1 and node.op_type in PRODUCTS:
                if node.op_type in ("Gemm", "MatMul") and names[0] == node.input[0]:
                    continue  # weights alone become MatMulNBits, which is refused by name
                transposed = any(a.name == "transB" and a.i for a in node.attribute)
                axis = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0 if transposed else 1, "MatMul": self.weights[name].ndim - 1}[node.op_type]
                grouped = node.op_type == "ConvTranspose" and any(a.name == "group" and a.i > 1 for a in node.attribute)
                names[i] = self.weight(name, None if grouped else axis)
            elif name in self.ranges:
                names[i] = self.pair(name, name)
        return names

    def rewrite(self, model):
        for node in model.graph.node:
            made = onnx.NodeProto()
            made.CopyFrom(node)
            names = self.inputs_of(node)
            del made.input[:]
            made.input.extend(names)
            self.nodes.append(made)
            if self.style["results"] and (node.op_type in PRODUCTS or node.op_type in JOINS or node.op_type in ("Relu", "Clip", "LeakyRelu")):
                for o in node.output:
                    if o in self.ranges:
                        self.pair(o, o)
        m = onnx.ModelProto()
        m.CopyFrom(model)
        del m.graph.node[:]
        m.graph.node.extend(self.nodes)
        m.graph.initializer.extend(self.constants)
        del m.graph.value_info[:]
        return m


def restyled(model, samples, name):
    """The float network `model` quantized in style `name`."""
    m = Restyler(model, ranges_of(model, samples), STYLES[name]).rewrite(model)
    used = {i for n in m.graph.node for i in n.input} | {o.name for o in m.graph.output}
    kept = [i for i in m.graph.initializer if i.name in used]
    del m.graph.initializer[:]
    m.graph.initializer.extend(kept)
    while True:  # what only made a quantizer that nobody reads goes with it
        used = {i for n in m.graph.node for i in n.input} | {o.name for o in m.graph.output}
        idle = [n for n in m.graph.node if not any(o in used for o in n.output)]
        if not idle:
            return m
        for n in idle:
            m.graph.node.remove(n)
