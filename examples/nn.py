"""What the recipes of s0, s2 and s3 share: a small convolutional network in NumPy with its gradient,
Adam, and the way to an int8 ONNX file.

A network is a list of layers, each a dict:
    {"op": "conv", "name": ..., "out": 16, "kernel": (3, 3), "stride": (2, 2)}     padded to SAME, with Relu
    {"op": "depthwise", "name": ..., "kernel": (3, 3), "stride": (1, 1)}           the same, per channel
    {"op": "mean"}                                                                 global average
    {"op": "dense", "name": ..., "out": 5}                                         ends the network: logits
Tensors are (N, C, H, W). Results depend on the seed and on the class of CPU (float sums), not on the
number of cores: one thread is used.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy loads

import io
import pathlib
import tempfile
import time
import zipfile

import numpy as np
import onnx
import onnxruntime
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat,
                                      QuantType, quantize_static)


def pads_of(layer):
    return [(k - 1) // 2 for k in layer["kernel"]], [k // 2 for k in layer["kernel"]]


def initial(layers, channels, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    p = {}
    for layer in layers:
        if layer["op"] == "mean":
            continue
        kernel = layer.get("kernel", (1, 1))
        out = channels if layer["op"] == "depthwise" else layer["out"]
        inner = 1 if layer["op"] == "depthwise" else channels
        shape = (out, inner, *kernel)
        fan = inner * kernel[0] * kernel[1]
        p[layer["name"]] = rng.normal(0, np.sqrt(2.0 / fan), shape).astype(np.float32)
        p[layer["name"] + ".bias"] = np.zeros(out, np.float32)
        channels = out
    return p


def windows(x, layer):
    """(N,C,H,W) -> view (N,C,H',W',kh,kw) of the padded input."""
    before, after = pads_of(layer)
    x = np.pad(x, ((0, 0), (0, 0), (before[0], after[0]), (before[1], after[1])))
    sh, sw = layer["stride"]
    return x.shape, sliding_window_view(x, layer["kernel"], axis=(2, 3))[:, :, ::sh, ::sw]


def forward(layers, p, x):
    kept = []
    for layer in layers:
        if layer["op"] == "mean":
            kept.append(x)
            x = x.mean(axis=(2, 3))
            continue
        w, b = p[layer["name"]], p[layer["name"] + ".bias"]
        if layer["op"] == "dense":
            kept.append(x)
            x = x @ w[:, :, 0, 0].T + b
            continue
        padded, view = windows(x, layer)
        if layer["op"] == "conv":
            n, c, h, v, kh, kw = view.shape
            col = view.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * v, c * kh * kw)
            y = (col @ w.reshape(len(w), -1).T + b).reshape(n, h, v, len(w)).transpose(0, 3, 1, 2)
        else:
            col = view
            y = np.einsum("nchwij,cij->nchw", view, w[:, 0], optimize=True) + b[:, None, None]
        y = np.maximum(y, 0)
        kept.append((x.shape, padded, col, y))
        x = y
    return x, kept


def scatter(g, layer, padded, shape):
    """Adds (N,C,H',W',kh,kw) back to (N,C,H,W)."""
    out = np.zeros(padded, np.float32)
    sh, sw = layer["stride"]
    h, w = g.shape[2], g.shape[3]
    for i in range(layer["kernel"][0]):
        for j in range(layer["kernel"][1]):
            out[:, :, i:i + h * sh:sh, j:j + w * sw:sw] += g[..., i, j]
    before, _ = pads_of(layer)
    return out[:, :, before[0]:before[0] + shape[2], before[1]:before[1] + shape[3]]


def gradient(layers, p, kept, g):
    out = {}
    for layer, held in zip(reversed(layers), reversed(kept)):
        if layer["op"] == "mean":
            n = held.shape[2] * held.shape[3]
            g = np.broadcast_to(g[:, :, None, None] / np.float32(n), held.shape).astype(np.float32)
            continue
        name = layer["name"]
        w = p[name]
        if layer["op"] == "dense":
            out[name] = (g.T @ held)[:, :, None, None]
            out[name + ".bias"] = g.sum(axis=0)
            g = g @ w[:, :, 0, 0]
            continue
        shape, padded, col, y = held
        g = g * (y > 0)
        out[name + ".bias"] = g.sum(axis=(0, 2, 3))
        if layer["op"] == "conv":
            flat = g.transpose(0, 2, 3, 1).reshape(-1, len(w))
            out[name] = (flat.T @ col).reshape(w.shape)
            back = (flat @ w.reshape(len(w), -1)).reshape(g.shape[0], g.shape[2], g.shape[3], *w.shape[1:])
            back = back.transpose(0, 3, 1, 2, 4, 5)
        else:
            out[name] = np.einsum("nchw,nchwij->cij", g, col, optimize=True)[:, None]
            back = g[..., None, None] * w[None, :, 0][:, :, None, None]
        g = scatter(back, layer, padded, shape)
    return out


def train(layers, x, labels, seed, epochs, batch=64, rate=3e-3, decay=1e-2):
    """Softmax cross-entropy by Adam with a cosine schedule."""
    p = initial(layers, x.shape[1], seed)
    first = {k: np.zeros_like(v) for k, v in p.items()}
    second = {k: np.zeros_like(v) for k, v in p.items()}
    order = np.random.Generator(np.random.PCG64(seed + 1))
    step, total, start = 0, epochs * (len(x) // batch), time.time()
    for epoch in range(epochs):
        loss = hits = 0.0
        for rows in order.permutation(len(x))[:len(x) // batch * batch].reshape(-1, batch):
            logits, kept = forward(layers, p, x[rows])
            e = np.exp(logits - logits.max(axis=1, keepdims=True))
            q = e / e.sum(axis=1, keepdims=True)
            hits += float((q.argmax(axis=1) == labels[rows]).sum())
            loss -= float(np.log(q[np.arange(batch), labels[rows]] + 1e-9).sum())
            q[np.arange(batch), labels[rows]] -= 1
            g = gradient(layers, p, kept, (q / batch).astype(np.float32))
            step += 1
            now = rate * min(1.0, step / 50) * 0.5 * (1 + np.cos(np.pi * step / total))
            for k in p:
                first[k] += 0.1 * (g[k] - first[k])
                second[k] += 0.001 * (g[k] ** 2 - second[k])
                move = (first[k] / (1 - 0.9 ** step)) / (np.sqrt(second[k] / (1 - 0.999 ** step)) + 1e-8)
                p[k] = (p[k] * (1 - now * decay) - now * move).astype(np.float32)
        print(f"epoch {epoch + 1:2d}  loss {loss / len(x):.4f}  right {hits / len(x):.4f}  "
              f"{time.time() - start:.0f} s", flush=True)
    return p


def to_onnx(layers, p, input_name, shape, output_name, softmax=False, one_d=False):
    """`shape` is the model's input; one_d: (1, steps, features), transposed first and without H."""
    nodes, weights = [], []

    def constant(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(op, name, inputs, output=None, **attributes):
        output = output or name.strip("/").replace("/", "_") + "_out"
        nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    x = node("Transpose", "/transpose", [input_name], perm=[0, 2, 1]) if one_d else input_name
    channels = shape[2] if one_d else shape[1]
    for layer in layers:
        if layer["op"] == "mean":
            x = node("GlobalAveragePool", "/mean", [x])
            x = node("Flatten", "/flatten", [x], axis=1)
            continue
        name, w = "/" + layer["name"], p[layer["name"]]
        bias = constant(name + ".bias", p[layer["name"] + ".bias"])
        if layer["op"] == "dense":
            last = None if softmax else output_name
            x = node("Gemm", name, [x, constant(name + ".weight", w[:, :, 0, 0]), bias], last, transB=1)
            continue
        skip = 1 if one_d else 0
        before, after = pads_of(layer)
        x = node("Conv", name, [x, constant(name + ".weight", w[:, :, 0] if one_d else w), bias],
                 kernel_shape=list(layer["kernel"])[skip:], strides=list(layer["stride"])[skip:],
                 pads=before[skip:] + after[skip:], group=channels if layer["op"] == "depthwise" else 1)
        x = node("Relu", name + "/relu", [x])
        channels = len(w)
    if softmax:
        node("Softmax", "/softmax", [x], output_name, axis=1)
    value = lambda name, s: helper.make_tensor_value_info(name, TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, "example", [value(input_name, list(shape))],
                              [value(output_name, [1, len(w)])], weights)
    model = helper.make_model(graph, producer_name="lockstep-examples", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model, full_check=True)
    return model


class Rows(CalibrationDataReader):
    def __init__(self, name, x):
        self.name, self.rows = name, iter(x)

    def get_next(self):
        row = next(self.rows, None)
        return None if row is None else {self.name: row[None]}


def quantize(model, input_name, calibration, per_channel=True, codes_outside=False):
    """int8 QDQ by onnxruntime. codes_outside: the first QuantizeLinear and the last DequantizeLinear
    are left to the application, so that input and output are int8 codes."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "float.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        quantize_static(path, path.with_name("int8.onnx"), Rows(input_name, calibration),
                        quant_format=QuantFormat.QDQ, per_channel=per_channel,
                        activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
                        calibrate_method=CalibrationMethod.MinMax)
        made = onnx.load(path.with_name("int8.onnx"))
    del made.metadata_props[:]
    if codes_outside:
        cut_ends(made.graph)
    onnx.checker.check_model(made, full_check=True)
    return made


def cut_ends(graph):
    entry, exit_ = graph.input[0], graph.output[0]
    first = next(n for n in graph.node if n.input[0] == entry.name)
    last = next(n for n in graph.node if n.output[0] == exit_.name)
    rename = {}
    if first.op_type == "QuantizeLinear":
        rename[first.output[0]] = entry.name
        graph.node.remove(first)
    else:  # a Transpose, which the quantizer left in float: dequantize before it
        q = next(n for n in graph.node if n.input[0] == first.output[0])
        assert first.op_type == "Transpose" and q.op_type == "QuantizeLinear"
        first.input[0] = entry.name + "_real"
        graph.node.insert(0, helper.make_node("DequantizeLinear", [entry.name, q.input[1], q.input[2]],
                                              [first.input[0]], name=entry.name + "_DequantizeLinear"))
    if last.op_type == "DequantizeLinear":
        rename[last.input[0]] = exit_.name
        graph.node.remove(last)
    else:  # a Softmax that the quantizer left in float: probabilities in steps of 1/256
        assert last.op_type == "Softmax"
        last.output[0] = exit_.name + "_real"
        graph.initializer.append(numpy_helper.from_array(np.float32(1 / 256), exit_.name + "_scale"))
        graph.initializer.append(numpy_helper.from_array(np.int8(-128), exit_.name + "_zero_point"))
        graph.node.append(helper.make_node("QuantizeLinear", [last.output[0], exit_.name + "_scale",
                                                              exit_.name + "_zero_point"], [exit_.name],
                                           name=exit_.name + "_QuantizeLinear"))
    for node in graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                names[i] = rename.get(name, name)
    for value in (entry, exit_):
        value.type.tensor_type.elem_type = TensorProto.INT8
    keep = [v for v in graph.value_info if v.name not in (entry.name, exit_.name)]
    del graph.value_info[:]
    graph.value_info.extend(keep)


def scale_and_zero(model, tensor):
    """Of the quantizer or dequantizer at `tensor`."""
    held = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear") and tensor in (node.input[0], node.output[0]):
            return float(held[node.input[1]]), int(held[node.input[2]])
    raise KeyError(tensor)


def predict(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: row[None]})[0] for row in x])


def save(path, **arrays):
    """An .npz whose bytes depend on its contents alone."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(name + ".npy", date_time=(2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            data = io.BytesIO()
            np.save(data, array)
            archive.writestr(entry, data.getvalue())
