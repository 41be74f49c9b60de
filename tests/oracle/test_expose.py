"""Exposed variants of a model in the real onnxruntime and LiteRT: they load, their common outputs equal those of the
shipped model, their further outputs are what Lockstep computes there, and `validate` merges their captures.

Ends with `N passed, M failed, K skipped`; one test is one model.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import cache

S1 = cache.ROOT / "examples" / "s1"
SHARED = pathlib.Path(os.environ.get("LOCKSTEP_SHARED", cache.ROOT.parent / "shared"))


def tool(*arguments):
    return subprocess.run([str(cache.ROOT / "build/bin/lockstep"), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)


def run_onnx(path, feeds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    rows = [session.run(names, feed) for feed in feeds]
    return {name: np.concatenate([row[i] for row in rows]) for i, name in enumerate(names)}


def codes_of(path, count):
    """Tensors that quantizers make of computed values, evenly spread."""
    model = onnx.load(path)
    made = {name for n in model.graph.node for name in n.output}
    found = [n.output[0] for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] in made]
    return found[::max(1, len(found) // count)][:count]


def check_onnx(folder):
    model, golden = S1 / "tcn_int8.onnx", np.load(S1 / "golden.npz")["window"]
    feeds = [{"window": row[None]} for row in golden]
    np.savez(folder / "inputs.npz", window=golden)
    tensors = codes_of(model, 7)
    done = tool("expose", model, *sum((["--tensor", t] for t in tensors), []), "--max-outputs", 4, "-o", folder / "variants")
    if done.returncode:
        return [done.stderr]
    manifest = json.loads((folder / "variants" / "exposed.json").read_text())
    wrong = []
    if [len(v["tensors"]) for v in manifest["variants"]] != [3, 3, 1]:
        wrong.append(f"variants hold {manifest}")
    shipped = run_onnx(model, feeds)
    captures = []
    for i, variant in enumerate(manifest["variants"]):
        got = run_onnx(folder / "variants" / variant["file"], feeds)
        if list(got) != ["ppm", *variant["tensors"]]:
            wrong.append(f"{variant['file']} has outputs {list(got)}")
        if not np.array_equal(got["ppm"], shipped["ppm"]):
            wrong.append(f"{variant['file']}: ppm differs from the shipped model's")
        captures.append(folder / f"capture{i}.npz")
        np.savez(captures[-1], **got)
    healthy = tool("validate", model, "--input", folder / "inputs.npz", "--target", "+".join(map(str, captures)),
                   "--json", folder / "r.json")
    report = json.loads((folder / "r.json").read_text())
    if healthy.returncode or report["compared"] != 1 + len(tensors):
        wrong.append(healthy.stdout + healthy.stderr)
    if any(r["end_to_end"]["differing"] for r in report["rows"]):
        wrong.append("the merged captures differ from the reference")
    changed = dict(np.load(captures[1]))
    changed["ppm"] = changed["ppm"] + np.float32(0.5)
    np.savez(captures[1], **changed)
    warned = tool("validate", model, "--input", folder / "inputs.npz", "--target", "+".join(map(str, captures)))
    if "'ppm' differs between" not in warned.stdout:
        wrong.append("no warning: " + warned.stdout)
    return wrong


def check_tflite(folder):
    path = SHARED / "models" / "mlperf" / "kws_ref_model_int8.tflite"
    if not path.exists():
        return None
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    x = np.random.Generator(np.random.PCG64(5)).integers(-128, 128, (1, 49, 10, 1)).astype(np.int8)

    def run(file):
        i = Interpreter(str(file), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
        i.allocate_tensors()
        i.set_tensor(i.get_input_details()[0]["index"], x)
        i.invoke()
        return {o["name"]: i.get_tensor(o["index"]) for o in i.get_output_details()}

    i = Interpreter(str(path))
    name, output = i.get_input_details()[0]["name"], i.get_output_details()[0]["name"]
    np.savez(folder / "x.npz", **{name: x})
    done = tool("run", path, "--input", folder / "x.npz", "--all", "-o", folder / "all.npz")
    if done.returncode:
        return [done.stderr]
    computed = dict(np.load(folder / "all.npz"))
    inner = [k for k in computed if k not in (name, output) and k != "lockstep.json"][:9:2]
    done = tool("expose", path, *sum((["--tensor", t] for t in inner), []), "-o", folder / "tfl")
    if done.returncode:
        return [done.stderr]
    got, shipped = run(next((folder / "tfl").glob("*.tflite"))), run(path)
    wrong = [] if len(got) == len(inner) + 1 else [f"outputs {list(got)}"]
    if not np.array_equal(got[output], shipped[output]):
        wrong.append("the output differs from the shipped model's")
    for t in inner:
        if not np.array_equal(got[t], computed[t].reshape(got[t].shape)):
            wrong.append(f"{t} differs from tflite-ref")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="taken for the runner's sake; changes nothing")
    parser.parse_args()
    passed = failed = skipped = 0
    for name, check in (("onnx", check_onnx), ("tflite", check_tflite)):
        with tempfile.TemporaryDirectory() as folder:
            wrong = check(pathlib.Path(folder))
        if wrong is None:
            print(f"skipped  {name}: needs the shared models")
            skipped += 1
        elif wrong:
            print(f"FAILED  {name}: " + "\n    ".join(wrong))
            failed += 1
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
