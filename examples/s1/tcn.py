"""The network: a temporal convolutional network with residual Adds, in NumPy, with its gradient.

    x (N,8,1,48) -> 1x1 conv + Relu -> 6 blocks -> last step -> Gemm 16 + Relu -> Gemm 1 (ppm)
    block:  y = Relu(causal(conv(x)) + x)        width 3, dilation d, 32 channels

Inside this file tensors are (N, T, C), so that a convolution is one matrix product over shifted
copies. `to_onnx` writes the same network the way exporters do: a convolution padded on both sides,
followed by a Slice that drops the steps which would look into the future.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gas import CHANNELS, STEPS

WIDTH, HIDDEN, TAPS = 32, 16, 3
DILATIONS = (1, 2, 4, 8, 8, 1)  # sees 1 + 2 * 24 = 49 steps: the whole window


def initial(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    he = lambda *s: rng.normal(0.0, np.sqrt(2.0 / s[0]), s).astype(np.float32)
    p = {"in_proj": he(CHANNELS, WIDTH), "fc1": he(WIDTH, HIDDEN), "fc2": he(HIDDEN, 1)}
    for i in range(len(DILATIONS)):
        p[f"block{i}"] = 0.5 * he(TAPS * WIDTH, WIDTH)
    p.update({k + ".bias": np.zeros(v.shape[1], np.float32) for k, v in sorted(p.items())})
    return p


def taps(x, dilation):
    """(N,T,C) -> (N,T,3C): at step t the values at t-2d, t-d, t; zero before the window."""
    n, t, c = x.shape
    out = np.zeros((n, t, TAPS * c), x.dtype)
    for j in range(TAPS):
        back = min((TAPS - 1 - j) * dilation, t)
        out[:, back:, j * c:(j + 1) * c] = x[:, :t - back]
    return out


def taps_gradient(g, dilation):
    n, t, c = g.shape[0], g.shape[1], g.shape[2] // TAPS
    out = np.zeros((n, t, c), g.dtype)
    for j in range(TAPS):
        back = min((TAPS - 1 - j) * dilation, t)
        out[:, :t - back] += g[:, back:, j * c:(j + 1) * c]
    return out


def forward(p, x):
    """ppm (N,1) and the activations that the gradient needs."""
    h = np.maximum(x @ p["in_proj"] + p["in_proj.bias"], 0.0)
    kept = [x, h]
    for i, d in enumerate(DILATIONS):
        col = taps(h, d)
        branch = col @ p[f"block{i}"] + p[f"block{i}.bias"]
        h = np.maximum(branch + h, 0.0)
        kept += [col, h]
    hidden = np.maximum(h[:, -1] @ p["fc1"] + p["fc1.bias"], 0.0)
    return hidden @ p["fc2"] + p["fc2.bias"], kept + [hidden]


def gradient(p, kept, g):
    """Gradient of every parameter, from g = dLoss/dOutput (N,1)."""
    out = {}

    def dense(name, x, g):
        x2, g2 = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
        out[name], out[name + ".bias"] = x2.T @ g2, g2.sum(axis=0)
        return g @ p[name].T

    hidden, h = kept[-1], kept[-2]
    g = dense("fc2", hidden, g) * (hidden > 0)
    g_last = dense("fc1", h[:, -1], g)
    g = np.zeros_like(h)
    g[:, -1] = g_last
    for i in reversed(range(len(DILATIONS))):
        col, h = kept[2 + 2 * i], kept[3 + 2 * i]
        g = g * (h > 0)
        g = g + taps_gradient(dense(f"block{i}", col, g), DILATIONS[i])
    dense("in_proj", kept[0], g * (kept[1] > 0))
    return out


def to_onnx(p):
    nodes, weights = [], []

    def constant(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(op, name, inputs, output=None, **attributes):
        output = output or name + "_out"
        nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def conv(name, key, x, width, dilation):
        w = p[key].reshape(width, -1, WIDTH).transpose(2, 1, 0)[:, :, None, :]  # (out,in,1,width)
        pad = (width - 1) * dilation
        return node("Conv", name, [x, constant(name + ".weight", w),
                                   constant(name + ".bias", p[key + ".bias"])],
                    kernel_shape=[1, width], dilations=[1, dilation], pads=[0, pad, 0, pad])

    def steps(name, x, first, last):
        bounds = [constant(f"{name}.{k}", np.array([v], np.int64))
                  for k, v in (("starts", first), ("ends", last), ("axes", 3))]
        return node("Slice", name, [x] + bounds)

    def gemm(name, key, x, output=None):
        return node("Gemm", name, [x, constant(name + ".weight", p[key].T),
                                   constant(name + ".bias", p[key + ".bias"])], output, transB=1)

    x = node("Relu", "/in_proj/relu", [conv("/in_proj/conv", "in_proj", "window", 1, 1)])
    for i, d in enumerate(DILATIONS):
        branch = conv(f"/block{i}/conv", f"block{i}", x, TAPS, d)
        branch = steps(f"/block{i}/slice", branch, 0, STEPS)
        x = node("Add", f"/block{i}/add", [branch, x])
        x = node("Relu", f"/block{i}/relu", [x])
    x = steps("/head/last", x, STEPS - 1, STEPS)
    x = node("Flatten", "/head/flatten", [x], axis=1)
    x = node("Relu", "/head/relu", [gemm("/head/fc1", "fc1", x)])
    gemm("/head/fc2", "fc2", x, "ppm")

    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "gas_tcn", [value("window", [1, CHANNELS, 1, STEPS])],
                              [value("ppm", [1, 1])], weights)
    model = helper.make_model(graph, producer_name="lockstep-examples", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model, full_check=True)
    return model
