"""Answers of the imitated runtimes, kept by (model, input, version, CPU class, format)."""
import hashlib
import json
import os
import pathlib

import numpy as np

FORMAT = 3
ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("LOCKSTEP_ORACLE_CACHE", ROOT / "build" / "oracle-cache"))


def cpu_class():
    """The class of CPU that decides which kernels a runtime picks."""
    try:
        flags = set()
        for line in open("/proc/cpuinfo", encoding="ascii", errors="replace"):
            if line.startswith("flags"):
                flags = set(line.split(":", 1)[1].split())
                break
    except OSError:
        return "unknown"
    for flag, name in [("avx512_vnni", "x86-64 avx512-vnni"), ("avx512bw", "x86-64 avx512"),
                       ("avx_vnni", "x86-64 avx2-vnni"), ("avx2", "x86-64 avx2")]:
        if flag in flags:
            return name
    return "other"


def shared_folder():
    """The folder of shared models and inputs: $LOCKSTEP_SHARED, else ../shared beside the checkout."""
    return pathlib.Path(os.environ.get("LOCKSTEP_SHARED", ROOT.parent / "shared"))


def sha_of_file(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def sha_of_inputs(inputs):
    h = hashlib.sha256()
    for name in sorted(inputs):
        a = np.ascontiguousarray(inputs[name])
        h.update(f"{name}|{a.dtype}|{a.shape}|".encode())
        h.update(a.tobytes())
    return h.hexdigest()


def key_of(*parts):
    return hashlib.sha256("|".join(map(str, (FORMAT, cpu_class()) + parts)).encode()).hexdigest()[:16]


def load(stem):
    """(tensors, meta) kept under this stem, or None."""
    npz, meta = FOLDER / f"{stem}.npz", FOLDER / f"{stem}.json"
    if not (npz.exists() and meta.exists()):
        return None
    with np.load(npz, allow_pickle=False) as z:
        tensors = {n: z[n] for n in z.files}
    return tensors, json.loads(meta.read_text())


def store(stem, tensors, meta):
    """Writes both files through temporary names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    npz, js = FOLDER / f"{stem}.npz", FOLDER / f"{stem}.json"
    tmp = npz.with_suffix(f".tmp{os.getpid()}")
    with open(tmp, "wb") as f:
        np.savez(f, **tensors)
    os.replace(tmp, npz)
    tmp = js.with_suffix(f".tmp{os.getpid()}")
    tmp.write_text(json.dumps(meta))
    os.replace(tmp, js)


def load_json(stem):
    p = FOLDER / f"{stem}.json"
    return json.loads(p.read_text()) if p.exists() else None


def store_json(stem, value):
    FOLDER.mkdir(parents=True, exist_ok=True)
    tmp = FOLDER / f"{stem}.tmp{os.getpid()}"
    tmp.write_text(json.dumps(value))
    os.replace(tmp, FOLDER / f"{stem}.json")
