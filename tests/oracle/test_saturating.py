"""ort-u8s8-saturating against onnxruntime on a processor without VNNI: this one, emulated by qemu-x86_64 as a Haswell.

Layers of random codes that saturate often, in every pairing of uint8 and int8. Ends with `N passed, M failed, K skipped`;
one test is one layer; all are skipped where qemu-x86_64 (Debian: qemu-user) is missing.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import cache

TYPES = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.int8): TensorProto.INT8}
WORKER = """
import sys, numpy as np, onnxruntime as ort
for folder in sys.argv[1:]:
    o = ort.SessionOptions()
    o.intra_op_num_threads, o.log_severity_level = 1, 4
    s = ort.InferenceSession(folder + "/m.onnx", o, providers=["CPUExecutionProvider"])
    np.savez(folder + "/theirs.npz", y=s.run(None, dict(np.load(folder + "/x.npz")))[0])
"""


def codes(rng, shape, dtype):
    """Random codes, half of them the greatest: sums of two products often leave 16 bits."""
    i = np.iinfo(dtype)
    c = rng.integers(i.min, i.max + 1, shape).astype(dtype)
    c[rng.random(shape) < 0.5] = i.max
    return c


def layers():
    """[(name, model, x)]: convolutions (channels, filters, window, groups, pad, stride, weights' zero) and products."""
    rng, out = np.random.default_rng(11), []
    windows = [(3, 8, 3, 1, 1, 1, 0), (4, 8, 3, 1, 1, 1, 3), (16, 16, 1, 1, 0, 1, 0), (5, 4, 1, 1, 0, 1, 0), (8, 8, 3, 8, 1, 1, 0),
               (8, 16, 3, 8, 1, 1, 0), (8, 8, 3, 2, 1, 2, 0), (16, 32, 3, 1, 1, 1, 0)]
    for xt, wt in ((np.uint8, np.int8), (np.int8, np.int8), (np.uint8, np.uint8)):
        zero = xt(7 if xt == np.int8 else 130)
        for c, o, k, g, pad, stride, wz in windows:
            x, w = codes(rng, (1, c, 7, 6), xt), codes(rng, (o, c // g, k, k), wt)
            node = dict(op="QLinearConv", pads=[pad] * 4, strides=[stride] * 2, group=g)
            out.append((f"conv {c}>{o} {k}x{k}/{g} {x.dtype}*{w.dtype}", model(node, x, w, zero, wt(wz)), x))
        for m, k, n in ((5, 17, 9), (1, 32, 16), (4, 6, 3)):
            x, w = codes(rng, (m, k), xt), codes(rng, (k, n), wt)
            out.append((f"product {m}x{k}x{n} {x.dtype}*{w.dtype}", model(dict(op="QLinearMatMul"), x, w, zero, wt(0)), x))
    return out


def model(node, x, w, zero, w_zero):
    one = np.float32(1)
    given = {"xs": one, "xz": zero, "w": w, "ws": one, "wz": w_zero, "ys": np.float32(3000), "yz": zero}
    constants = [numpy_helper.from_array(np.asarray(v), n) for n, v in given.items()]
    n = helper.make_node(node.pop("op"), ["x", *given], ["y"], **node)
    t = TYPES[x.dtype]
    graph = helper.make_graph([n], "g", [helper.make_tensor_value_info("x", t, x.shape)],
                              [helper.make_tensor_value_info("y", t, None)], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    return made


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true", help="accepted; there is one length")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    made, qemu = layers(), shutil.which("qemu-x86_64")
    if not qemu:
        print(f"no qemu-x86_64: 0 passed, 0 failed, {len(made)} skipped")
        return 0
    passed = failed = count = saturated = 0
    with tempfile.TemporaryDirectory() as root:
        folders = []
        for i, (_, m, x) in enumerate(made):
            folder = pathlib.Path(root) / str(i)
            folder.mkdir()
            onnx.save(m, folder / "m.onnx")
            np.savez(folder / "x.npz", x=x)
            folders.append(str(folder))
        subprocess.run([qemu, "-cpu", "Haswell", sys.executable, "-c", WORKER, *folders], check=True, stderr=subprocess.DEVNULL)
        for (name, _, _), folder in zip(made, folders):
            answers = {}
            for arith in ("ort-u8s8-saturating", "ort"):
                subprocess.run([args.binary, "run", folder + "/m.onnx", "--input", folder + "/x.npz", "--arith", arith, "-o",
                                folder + "/mine.npz"], check=True, stdout=subprocess.DEVNULL)
                answers[arith] = np.load(folder + "/mine.npz")["y"]
            theirs = np.load(folder + "/theirs.npz")["y"]
            differ = int((answers["ort-u8s8-saturating"] != theirs).sum())
            saturated += int((answers["ort"] != theirs).sum())
            count += theirs.size
            passed, failed = passed + (differ == 0), failed + (differ > 0)
            if differ:
                print(f"FAILED  {name}: {differ} of {theirs.size} codes differ")
    print(f"{count} codes compared; {saturated} differ from ort, so saturation shows")
    print(f"{passed} passed, {failed + (saturated == 0)} failed, 0 skipped")
    return 1 if failed or not saturated else 0


if __name__ == "__main__":
    sys.exit(main())
