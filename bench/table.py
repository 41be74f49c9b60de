"""Prints the table of docs/measured from what `lockstep bench --json` wrote: bench/table.py speed.json."""
import json
import math
import pathlib
import sys

COLUMNS = ["model", "M MAC", "arithmetic", "against", "threads", "ms", "its ms", "ratio", "min", "max", "all observed / none", "all read / none", "replay / whole run",
           "MAC/s of the largest layer / peak", "load + first, ms", "its", "peak memory, MB", "its"]


def cells(r):
    share = r["largest_layer_macs_per_second"] / r["peak_macs_per_second"] if r["threads"] == 1 else None
    return [pathlib.Path(r["model"]).name, f"{r['macs'] / 1e6:.1f}", r["arith"], r["against"], r["threads"], f"{r['ms']:.3f}",
            f"{r['against_ms']:.3f}", f"{r['ratio_median']:.2f}", f"{r['ratio_min']:.2f}", f"{r['ratio_max']:.2f}",
            f"{r['observed_ratio']:.2f}", f"{r['read_ratio']:.2f}", f"{r['replay_ratio']:.2f}", f"{share:.0%}" if share else "", f"{r['load_ms'] + r['first_ms']:.1f}",
            f"{r['against_load_ms'] + r['against_first_ms']:.1f}", f"{r['peak_kb'] / 1024:.1f}", f"{r['against_peak_kb'] / 1024:.1f}"]


def main():
    rows = json.loads(pathlib.Path(sys.argv[1]).read_text())
    print("| " + " | ".join(COLUMNS) + " |")
    print("| " + " | ".join("---" for _ in COLUMNS) + " |")
    for r in rows:
        print("| " + " | ".join(str(c) for c in cells(r)) + " |")
    print()
    for against in sorted({r["against"] for r in rows}):
        for threads in sorted({r["threads"] for r in rows}):
            ratios = [r["ratio_median"] for r in rows if r["against"] == against and r["threads"] == threads and r["macs"] > 1e6]
            if ratios:
                mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
                print(f"- against {against}, {threads} thread{'s' * (threads > 1)}, models of more than 1 M MAC: {len(ratios)}, "
                      f"geometric mean {mean:.2f}, greatest {max(ratios):.2f}")


if __name__ == "__main__":
    main()
