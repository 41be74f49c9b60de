"""Single-operator TFLite models, made at random, through LiteRT and through Lockstep.

In each arithmetic: `tflite-ref` against the reference kernels, `tflite` against LiteRT as it runs by default (XNNPACK),
`cmsis-nn` against TFLite Micro where its package is installed.

Weights of hybrid operators keep to -127..127, as converters write them: the runtime's SSE product negates -128 wrongly.
Integer outputs must be equal to the code, float outputs within FLOAT_STEPS * 2^-23 of the largest magnitude. Covers
operators and types that the shared models do not use. One test is one operator in one type: two models of it, with
--long twenty. Ends with `N passed, M failed, K skipped`; skipped is what the runtime refuses.
"""
import argparse
import collections
import os
import pathlib
import pickle
import sys
import tempfile
import traceback

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

import cache
import compare_models
import litert_oracle
import tflite_oracle
import tflm_oracle
from tflite_cases import CASES, define_cases
from tflite_operands import ExtremeMaker, Maker, build

FLOAT_STEPS = 16


def inputs_for(m, operands, op):
    fed = {}
    for k, o in enumerate(operands):
        if o is None or o.contents is not None or getattr(o, "variable", False):
            continue
        if o.dtype.kind == "f":
            v = m.r.standard_normal(o.shape) * float(m.r.choice([0.5, 3, 20]))
            fed[f"x{k}"] = (np.abs(v) if op in ("RSQRT", "SQRT", "LOG") else v).astype(o.dtype)
        else:
            fed[f"x{k}"] = m.codes(o.shape, o.dtype, 0 if o.dtype == np.int16 and op in ("RSQRT", "SQRT") else None)
            if m.r.random() < 0.15:
                fed[f"x{k}"][...] = m.r.choice([fed[f"x{k}"].min(), np.iinfo(o.dtype).max])
    return fed


def mark_variables(data, operands):
    """Sets is_variable where an operand keeps state."""
    if not any(getattr(o, "variable", False) for o in operands if o is not None):
        return data
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(data), 0))
    for t in model.subgraphs[0].tensors:
        k = t.name.decode()[1:]
        if t.name.startswith(b"x") and getattr(operands[int(k)], "variable", False):
            t.isVariable = True
            model.subgraphs[0].inputs = [i for i in model.subgraphs[0].inputs if model.subgraphs[0].tensors[i] is not t]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


CHECK_FAILED = 70  # an exit code that no runtime uses


def apart(function, *args):
    """function(*args) in a process of its own: some checks of the runtimes end the process that fails them."""
    answer, ask = os.pipe()
    child = os.fork()
    if child == 0:
        status = CHECK_FAILED
        try:  # whatever happens, the child must not go on as a second parent
            os.close(answer)
            try:
                told = (True, function(*args)[0])
            except (RuntimeError, ValueError) as error:
                told = (False, str(error))
            with os.fdopen(ask, "wb") as pipe:
                pickle.dump(told, pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(ask)
    with os.fdopen(answer, "rb") as pipe:
        told = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == CHECK_FAILED:
        raise AssertionError(f"the check itself failed in {function.__module__}")
    if not told:
        raise RuntimeError("the process ends")
    good, value = pickle.loads(told)
    if not good:
        raise RuntimeError(value)
    return value


ORACLES = {"tflite-ref": tflite_oracle.run, "tflite": litert_oracle.run, "cmsis-nn": tflm_oracle.run}
# In `tflite` XNNPACK's float kernels sum and approximate in their own ways; hybrid layers code rows alike.
FLOATS_WITHIN = {"tflite-ref": FLOAT_STEPS, "tflite": 256, "cmsis-nn": 64}
EXACT = {"tflite": ("conv float", "depthwise conv float", "fully connected float", "batch matmul float", "BATCH_MATMUL float",  # N107 to N109
                    "conv hybrid", "conv hybrid, scales by channel", "fully connected hybrid",
                    "fully connected hybrid, scales by channel", "fully connected hybrid, asymmetric", "conv hybrid, weights called uint8",
                    "fully connected hybrid, weights called uint8", "HARD_SWISH float", "TANH float", "LOGISTIC float", "ELU float", "MEAN float", "SUM float", "average pool float",
                    "resize bilinear float", "RESIZE_BILINEAR float")}
RECURRENT_WITHIN = 64  # LiteRT sums recurrent layers of floats by vectors, and each step carries the last bits on


# What Lockstep refuses and says why; a row here is named in docs/numerics.md.
REFUSED_BY_NAME = {"cmsis-nn": ["not computed in cmsis-nn"], "tflite": ["not computed in tflite;"], "tflite-ref": ["not computed in tflite-ref"]}


def run_case(name, seed, binary_path, folder, count, notes, arith="tflite-ref", maker=Maker):
    m = maker([seed, sum(name.encode())])
    op, operands, results, kind, *_ = CASES[name](m)
    path = os.path.join(folder, "m.tflite")
    fed = inputs_for(m, operands, op)
    for version in range(7, 0, -1):  # the newest that the runtime knows
        data = mark_variables(build(op, operands, results, kind, version), operands)
        try:
            theirs = apart(ORACLES[arith], data, fed, tflite_oracle.file_tensors(data))
            break
        except (RuntimeError, ValueError) as error:
            if "Didn't find op" in str(error) and version > 1:
                continue
            count["refused by the runtime"] += 1
            notes.append(f"{name} #{seed}: the runtime refuses: {str(error).strip()[:160]}")
            return
    pathlib.Path(path).write_bytes(data)
    mine, words = compare_models.ask_lockstep(binary_path, path, fed, arith, folder)
    if mine is None and any(reason in words for reason in REFUSED_BY_NAME.get(arith, [])):  # named in docs/numerics.md
        count["refused by name"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    if mine is None:
        count["failed"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    count["models"] += 1
    for tensor, b in theirs.items():
        a = mine.get(tensor)
        if tensor.startswith("i"):  # an intermediate: its scale is all that it says
            continue
        if a is None or a.shape != b.shape or a.dtype != b.dtype:
            count["failed"] += 1
            notes.append(f"{name} #{seed}: {tensor} {None if a is None else (a.shape, a.dtype)} against {(b.shape, b.dtype)}")
        elif b.dtype.kind in "iu":
            differ = a.astype(np.int64) != b.astype(np.int64)
            count["codes"] += b.size
            count["differ"] += int(differ.sum())
            if differ.any():
                i = tuple(np.argwhere(differ)[0])
                notes.append(f"{name} #{seed}: {tensor} {int(differ.sum())} of {b.size} codes, first {a[i]} against {b[i]}")
        else:
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            top = max(float(np.abs(b[np.isfinite(b)]).max(initial=0)), 1e-30)
            with np.errstate(all="ignore"):
                steps = np.where(same, 0, np.abs(a.astype(np.float64) - b) / (top * 2.0 ** -23))
            count["floats"] += b.size
            count["float steps"] = max(count["float steps"], float(steps.max(initial=0)))
            exact = name.removeprefix("odd ") in EXACT.get(arith, ())
            bound = 0 if exact else max(FLOATS_WITHIN[arith], RECURRENT_WITHIN if name.endswith("RNN") else 0)
            if not (steps <= bound).all():
                count["differ"] += int((~(steps <= bound)).sum())
                notes.append(f"{name} #{seed}: {tensor} floats off by {steps.max():.3g} steps")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("case", nargs="*", help="only cases whose name contains one of these")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    p.add_argument("--seeds", type=int, default=0, help="models of each case")
    p.add_argument("--first", type=int, default=0, help="the first seed")
    p.add_argument("--long", action="store_true")
    p.add_argument("--extreme", action="store_true", help="scales from 1e-6 to 1e3, zero points at the borders, every activation")
    p.add_argument("--notes", type=int, default=2, help="notes printed for each case")
    p.add_argument("--arith", action="append", choices=list(ORACLES), help="only these")
    args = p.parse_args()
    args.seeds = args.seeds or (20 if args.long else 2)
    define_cases()
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name, arith in [(name, arith) for arith in args.arith or ORACLES for name in CASES]:
            if args.case and not any(c in name for c in args.case):
                continue
            count, notes = collections.Counter(), []
            for seed in range(args.first, args.first + (args.seeds if arith != "cmsis-nn" or tflm_oracle.available() else 0)):
                run_case(name, seed, args.binary, folder, count, notes, arith, ExtremeMaker if args.extreme else Maker)
            bad = count["differ"] + count["failed"]
            verdict = "failed" if bad else "passed" if count["models"] else "skipped"
            total[verdict] += 1
            total["codes"] += count["codes"]
            total["differ"] += count["differ"]
            if args.case or verdict != "passed":
                print(f"{verdict} {arith} {name}: {dict(count)}", flush=True)
                for note in notes[:args.notes]:
                    print("    " + note, flush=True)
    print(f"{total['codes']} codes compared, {total['differ']} elements differ")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
