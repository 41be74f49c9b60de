"""Generated int8 networks in ort-noopt and ort against onnxruntime: every observable tensor, end to end.

Without --long a few seeds with one variant each; with it, every seed with every variant and every block alone.
`--only SEED-VARIANT` (repeatable) replays. Ends with `N passed, M failed, K skipped`; one test is one network in one
arithmetic.
"""
import argparse
import collections
import os
import sys
import tempfile

import cache
import compare_models
import generated
import ort_oracle

QUICK_SEEDS, LONG_SEEDS = 14, 60
ARITHS = ("ort-noopt", "ort")


def jobs(args):
    """[(seed, variant, stages, head, opset)]"""
    opsets = args.opset or [None]
    names = [n for n in generated.VARIANTS if not args.variant or n in args.variant]
    if args.only:
        found = []
        for text in args.only:
            seed, name, *blocks = text.split("-")
            stages = blocks[0].split("+") if blocks else None
            seed, _, opset = seed.partition("o")
            found.append((int(seed), name, stages, blocks[1] if len(blocks) > 1 else None, int(opset) if opset else None))
        return found
    if args.models:
        whole = list(generated.MODELS)
        return [(args.seed + i, names[(i // len(whole) + i) % len(names)], ["whole"], whole[i % len(whole)], opsets[i % len(opsets)])
                for i in range(args.models)]
    if args.blocks:
        stages, heads = list(generated.STAGES), list(generated.HEADS)
        return [(args.seed + i, names[(i + args.seed) % len(names)], [stages[i % len(stages)]],
                 heads[i % len(heads)], opsets[i % len(opsets)]) for i in range(args.blocks)]
    if not args.long:
        return [(s, names[s % len(names)], None, None, opsets[s % len(opsets)]) for s in range(QUICK_SEEDS)]
    return [(s, n, None, None, opsets[s % len(opsets)]) for s in range(args.seed, args.seed + LONG_SEEDS) for n in names]


def run_job(job, args, totals, folder):
    """Rows of one network, one for each arithmetic; None when the network cannot be made."""
    seed, name, stages, head, opset = job
    try:
        path = generated.network(seed, name, stages, head, opset)
    except Exception as error:  # the quantizer or the runtime refuses its own network
        print(f"skipped  {seed}{f'o{opset}' if opset else ''}-{name}: {str(error)[:200]}")
        return None
    rows = []
    for arith in args.arith or ARITHS:
        row = compare_models.Row(path.name, arith)
        for tag, case in generated.cases(path)[:args.inputs]:
            compare_models.compare_case(row, args.binary, str(path), tag, case, ort_oracle.answer, folder, args.verbose)
        totals[name, arith].update(row.count)
        rows.append(row)
        if row.bad() or args.verbose:
            print(f"{'FAILED' if row.bad() else 'equal '}  {arith} {path}: " + ", ".join(
                f"{k} {v}" for k, v in sorted(row.count.items())), flush=True)
            for note in row.notes[:args.notes]:
                print("    " + note, flush=True)
    return rows


def only_optimizer_refuses(rows):
    """The runtime runs the network as it is written and fails on what its own optimizer makes of it."""
    plain = [r for r in rows if r.arith == "ort-noopt" and not r.count["refused"]]
    for row in rows:
        if plain and row.arith == "ort" and row.count["refused"] and row.bad() == row.count["failed"] == row.count["refused"]:
            print(f"skipped  {row.model}: the runtime's optimizer fails on it: {row.notes[0].split('runtime: ')[-1][:120]}")
            row.count["failed"] = 0
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true")
    p.add_argument("--only", action="append", help="SEED-VARIANT[-STAGE+STAGE[-HEAD]]")
    p.add_argument("--blocks", type=int, default=0, help="this many networks of one named stage and head each")
    p.add_argument("--models", type=int, default=0, help="this many whole networks of generated_models.py")
    p.add_argument("--variant", action="append")
    p.add_argument("--opset", type=int, action="append", help="in place of the seed's own; several take turns")
    p.add_argument("--seed", type=int, default=0, help="the first seed")
    p.add_argument("--arith", action="append")
    p.add_argument("--inputs", type=int, default=4)
    p.add_argument("--notes", type=int, default=3)
    p.add_argument("--verbose", action="store_true")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    args = p.parse_args()
    totals, passed, failed, skipped = collections.defaultdict(collections.Counter), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for job in jobs(args):
            rows = run_job(job, args, totals, folder)
            skipped += rows is None
            for row in only_optimizer_refuses(rows or []):
                refused = row.count["refused"] > 0 and not row.bad()
                failed, skipped = failed + (row.bad() > 0), skipped + refused
                passed += row.bad() == 0 and not refused
    print("variant | arithmetic | inputs | tensors | codes | differ | floats | out of bound | missing | failed")
    for (name, arith), c in sorted(totals.items()):
        print(" | ".join(map(str, (name, arith, c["inputs"], c["tensors"], c["codes"], c["differ"], c["floats"],
                                   c["float_out"], c["missing"], c["failed"]))))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    os.environ.setdefault("ORT_LOGGING_LEVEL", "4")
    sys.exit(main())
