"""Inputs for each shared model: real ones where they exist, then seeded random and extreme ones."""
import hashlib
import json
import sys

import numpy as np

import cache


def real_inputs(relative):
    """[(tag, inputs)] from the ready tensors that name this model."""
    shared = cache.shared_folder()
    index = json.loads((shared / "inputs" / "tensors" / "index.json").read_text())
    found = []
    for entry in index:
        if entry["model"] == relative:
            with np.load(shared / "inputs" / entry["file"]) as z:
                found.append((entry["tag"], {n: z[n] for n in z.files}))
    return found


def random_of(name):
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return np.random.default_rng(seed)


def onnx_signature(path):
    """[(name, dtype, shape with 0 for unknown)] of the model's real inputs."""
    import onnx
    model = onnx.load(path)
    constants = {i.name for i in model.graph.initializer}
    out = []
    for i in model.graph.input:
        if i.name in constants:
            continue
        t = i.type.tensor_type
        shape = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else 0 for d in t.shape.dim]
        out.append((i.name, onnx.helper.tensor_dtype_to_np_dtype(t.elem_type), shape))
    return model, out


def first_range(model, name):
    """(low, high, zero) that the first QuantizeLinear behind a float input covers, or None."""
    from onnx import numpy_helper
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    for n in model.graph.node:
        if n.op_type == "Constant" and n.attribute and n.attribute[0].name == "value":
            constants[n.output[0]] = numpy_helper.to_array(n.attribute[0].t)
    names, moved = {name}, {"Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity"}
    for n in model.graph.node:
        if n.input and n.input[0] in names:
            if n.op_type in moved:
                names.add(n.output[0])
            if n.op_type == "QuantizeLinear" and n.input[1] in constants:
                scale = float(constants[n.input[1]].reshape(-1)[0])
                zero = constants.get(n.input[2] if len(n.input) > 2 else "", np.uint8(0))
                kind = np.iinfo(zero.dtype)
                z = int(zero.reshape(-1)[0])
                return (kind.min - z) * scale, (kind.max - z) * scale
    return None


def onnx_inputs(relative):
    """[(tag, {input name: array})] for one shared ONNX model: always six or more."""
    path = cache.shared_folder() / "models" / relative
    model, signature = onnx_signature(path)
    cases = real_inputs(relative)
    real = cases[0][1] if cases else {}
    shapes = {n: (real[n].shape if n in real else tuple(d or 1 for d in s)) for n, _, s in signature}

    def fill(tag, make):
        made = {}
        for name, dtype, _ in signature:
            made[name] = make(name, np.dtype(dtype), shapes[name])
        cases.append((tag, made))

    def limits(name, dtype):
        if dtype.kind in "iu":
            return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
        if dtype.kind == "b":
            return 0.0, 1.0
        seen = first_range(model, name)
        if seen:
            return seen
        if name in real and real[name].size:
            return float(real[name].min()), float(real[name].max())
        return -3.0, 3.0

    def uniform(name, dtype, shape):
        low, high = limits(name, dtype)
        rng = random_of(relative + name)
        if dtype.kind == "f":
            return (low + (high - low) * rng.random(shape)).astype(dtype)
        return rng.integers(int(low), int(high) + 1, shape).astype(dtype)

    def normal(name, dtype, shape):
        low, high = limits(name, dtype)
        rng = random_of(relative + name + "normal")
        values = (low + high) / 2 + rng.standard_normal(shape) * (high - low) / 4
        if dtype.kind != "f":
            values = np.clip(np.rint(values), low, high)
        return values.astype(dtype)

    fill("random", uniform)
    fill("normal", normal)
    fill("minimum", lambda n, t, s: np.full(s, limits(n, t)[0]).astype(t))
    fill("maximum", lambda n, t, s: np.full(s, limits(n, t)[1]).astype(t))
    fill("zero", lambda n, t, s: np.zeros(s).astype(t))
    return cases


def onnx_models():
    """Paths of all shared ONNX models, relative to the models folder, sorted."""
    root = cache.shared_folder() / "models"
    return sorted(str(p.relative_to(root)) for p in root.rglob("*.onnx"))


if __name__ == "__main__":
    for m in sys.argv[1:] or onnx_models():
        print(m, [(t, {k: (v.dtype.name, v.shape) for k, v in i.items()}) for t, i in onnx_inputs(m)])
