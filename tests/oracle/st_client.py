#!/usr/bin/env python3
"""ST's own Python client against Lockstep's agent: generates C for each MODEL, compiles it with the agent for this PC,
serves it on a pty, lets the client run every mode, and compares the outputs and every node's tensors, bit by bit, with
`lockstep run --all`. RUNNER is a folder with the package `stm_ai_runner` (BSD 3-Clause, part of ST's tools and of
public validation projects); nothing of it is kept here. It wants an interpreter of its own:
    python3 -m venv st && st/bin/pip install 'numpy<2' 'protobuf<3.21' pyserial tqdm
    st/bin/python tests/oracle/st_client.py RUNNER [MODEL...]
Ends with a line of counts; exit code 1 when an element differs or the client fails."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
SHARED = ROOT.parent / "shared" / "models"
MODELS = [ROOT / "examples/s1/tcn_int8.onnx", SHARED / "mlperf/ad01_int8.tflite", SHARED / "mlperf/kws_ref_model_int8.tflite"]


def compiled(model, folder, payload):
    net = folder / "net"
    # Tensors as the model has them: `run` answers them so.
    subprocess.run([BUILD / "bin/lockstep", "generate", model, "--agent", "--layout", "model", "-o", net], check=True,
                   stdout=subprocess.DEVNULL)
    sources = [*(ROOT / "rt/agent").glob("*.c"), *(ROOT / "rt/agent/posix").glob("*.c"), *(BUILD / "nanopb").glob("pb_*.c"),
               BUILD / "gen/agent/wire.nanopb.c", net / "agent/network_agent.c", *net.glob("*.c")]
    includes = [f"-I{f}" for f in (ROOT / "rt/agent", BUILD / "nanopb", BUILD / "gen/agent", net)]
    subprocess.run(["gcc", "-std=gnu99", "-O2", "-ffp-contract=off", f"-DLOCKSTEP_AGENT_PAYLOAD={payload}", *includes, *sources, "-lm",
                    "-o", folder / "board"], check=True)
    return folder / "board"


def reference(model, feed, folder):
    np.savez(folder / "x.npz", **feed)
    subprocess.run([BUILD / "bin/lockstep", "run", model, "--input", folder / "x.npz", "--all", "-o", folder / "y.npz"],
                   check=True, stdout=subprocess.DEVNULL)
    tensors = {}  # by what the protocol carries of the name; tensors that begin alike in the file's order
    with np.load(folder / "y.npz") as z:
        for name in z.files:
            if name != "lockstep.json":
                tensors.setdefault(name[:63], []).append(z[name])
    return tensors


def unequal(device, expected):
    if device.size != expected.size or device.dtype.itemsize != expected.dtype.itemsize:
        return max(device.size, expected.size)
    device, expected = np.ascontiguousarray(device), np.ascontiguousarray(expected)
    raw = np.uint8 if device.dtype.itemsize == 1 else f"u{device.dtype.itemsize}"
    return int(np.count_nonzero(device.view(raw).ravel() != expected.view(raw).ravel()))


def talk(client, where, batch, model, folder):
    """(elements compared, elements that differ, tensors, tensors without a counterpart)"""
    runner = client()
    if not runner.connect(f"serial:{where}:115200"):
        raise RuntimeError(f"{model.name}: {runner.get_error()}")
    mode = client.Mode
    inputs = runner.generate_rnd_inputs(batch_size=batch)
    feed = {info["name"]: x for info, x in zip(runner.get_input_infos(), inputs)}
    expected = reference(model, feed, folder)
    total = differ = tensors = without = 0
    for one in (mode.IO_ONLY, mode.PER_LAYER, mode.PER_LAYER_WITH_DATA):
        outputs, profile = runner.invoke(inputs, mode=one)
        seen = [(info["name"], o) for info, o in zip(runner.get_output_infos(), outputs)]
        for node in profile["c_nodes"] if one == mode.PER_LAYER_WITH_DATA else []:
            seen += [(t.name, d) for t, d in zip(node["io_tensors"], node["data"])]
        taken = {}
        for name, data in seen:
            alike = [e for e in expected.get(name, []) if e.dtype == data.dtype and e.size == data.size]
            among = [d for n, d in seen if n == name and d.dtype == data.dtype and d.size == data.size]
            nth = taken[name, data.dtype] = taken.get((name, data.dtype), -1) + 1
            if not alike or (len(alike) > 1 and len(alike) != len(among)):
                without += 1
                continue
            tensors += 1
            total += data.size
            differ += unequal(data, alike[nth if len(alike) > 1 else 0])
    runner.disconnect()
    return total, differ, tensors, without


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runner", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path, nargs="*")
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--payload", type=int, nargs="*", default=[32, 510, 4094], help="packet sizes of the agent")
    given = parser.parse_args()
    sys.path.insert(0, str(given.runner.absolute()))
    from stm_ai_runner import AiRunner
    subprocess.run([ROOT / "scripts/nanopb", BUILD / "nanopb"], check=True)
    failed = total = differ = 0
    models = [m.absolute() for m in given.models or MODELS]
    os.chdir(tempfile.gettempdir())  # the client leaves a log where it runs
    for model in models:
        for payload in given.payload:
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                board = subprocess.Popen([compiled(model, folder, payload)], stdout=subprocess.PIPE, text=True)
                try:
                    where = board.stdout.readline().strip().removeprefix("serial:")
                    elements, wrong, tensors, without = talk(AiRunner, where, given.batch, model, folder)
                finally:
                    board.kill()
            total, differ = total + elements, differ + wrong
            failed += wrong > 0 or tensors == 0
            print(f"{model.name:40} packets of {payload:4}: {tensors:4} tensors, {without} without counterpart, {elements:8} elements, {wrong} differ", flush=True)
    print(json.dumps({"elements": total, "differ": differ, "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
