"""One runtime under `lockstep bench`: loads a model, then times as many of its own calls as it is asked for.

Speaks lines: first `ready LOAD FIRST START_KB PEAK_KB` (seconds, resident memory before the model is loaded and at
most), then for each number N read, N calls, and the median of their seconds. The runtime's own module is loaded
before anything is timed.
"""
import argparse
import statistics
import sys
import time

import numpy as np


def memory_kb(name):
    with open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith(name)).split()[1])


def onnxruntime_call(module, model, threads, arrays, optimized):
    options = module.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    if not optimized:
        options.graph_optimization_level = module.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = module.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {i.name: arrays[i.name] for i in session.get_inputs()}
    return lambda: session.run(None, feed)


def litert_call(module, model, threads, arrays, optimized):
    resolver = module.OpResolverType.BUILTIN if optimized else module.OpResolverType.BUILTIN_REF
    interpreter = module.Interpreter(model_path=model, num_threads=threads, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    inputs = [(d["index"], a) for d, a in zip(interpreter.get_input_details(), arrays.values())]
    outputs = [d["index"] for d in interpreter.get_output_details()]

    def call():
        for index, array in inputs:
            interpreter.set_tensor(index, array)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in outputs]

    return call


def main():
    p = argparse.ArgumentParser()
    p.add_argument("runtime", choices=["ort", "ort-noopt", "litert", "litert-ref"])
    p.add_argument("model")
    p.add_argument("--threads", type=int, required=True)
    p.add_argument("--input", required=True)
    args = p.parse_args()
    if args.runtime.startswith("ort"):
        import onnxruntime as module
        open_model = onnxruntime_call
    else:
        from ai_edge_litert import interpreter as module
        open_model = litert_call
    with np.load(args.input) as file:
        arrays = {name: file[name] for name in file.files}
    start = memory_kb("VmRSS")
    began = time.perf_counter()
    call = open_model(module, args.model, args.threads, arrays, not args.runtime.endswith(("-noopt", "-ref")))
    loaded = time.perf_counter()
    call()
    print("ready", loaded - began, time.perf_counter() - loaded, start, memory_kb("VmHWM"), flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            began = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - began)
        print(statistics.median(seconds), flush=True)


if __name__ == "__main__":
    main()
