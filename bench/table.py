"""Prints the tables of docs/measured from what `lockstep bench --json` wrote: bench/table.py speed.json [--short].

--short: one line for each model, of its ratios alone.
"""
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


def print_table(columns, lines):
    for line in [columns, ["---"] * len(columns), *lines]:
        print("| " + " | ".join(str(c) for c in line) + " |")
    print()


def short_lines(rows, threads):
    models = {(r["model"], r["against"]): {} for r in rows}
    for r in rows:
        models[r["model"], r["against"]][r["threads"]] = f"{r['ratio_median']:.2f} [{r['ratio_min']:.2f}, {r['ratio_max']:.2f}]"
    return [[pathlib.Path(m).name, against, *(ratios.get(t, "") for t in threads)] for (m, against), ratios in models.items()]


def main():
    rows = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if "--short" in sys.argv:
        threads = sorted({r["threads"] for r in rows})
        print_table(["model", "against", *(f"ratio, {t} thread{'s' * (t > 1)}" for t in threads)], short_lines(rows, threads))
    else:
        print_table(COLUMNS, [cells(r) for r in rows])
    for against in sorted({r["against"] for r in rows}):
        for threads in sorted({r["threads"] for r in rows}):
            ratios = [r["ratio_median"] for r in rows if r["against"] == against and r["threads"] == threads and r["macs"] > 1e6]
            if ratios:
                mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
                print(f"- against {against}, {threads} thread{'s' * (threads > 1)}, models of more than 1 M MAC: {len(ratios)}, "
                      f"geometric mean {mean:.2f}, greatest {max(ratios):.2f}")


if __name__ == "__main__":
    main()
