"""Shared models in the imitated arithmetics against the runtimes, every observable tensor, end to end.

Without --long the smaller models on three inputs each, with it all of them. Ends with `N passed, M failed, K skipped`;
one test is one model in one arithmetic.
"""
import argparse
import os
import sys
import tempfile

import cache
import compare_models


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--long", action="store_true")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    p.add_argument("--notes", type=int, default=4)
    args = p.parse_args()
    if not (cache.shared_folder() / "models").is_dir():
        print(f"no models in {cache.shared_folder()}: set LOCKSTEP_SHARED")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    wanted = argparse.Namespace(model=[], arith=[], quick=not args.long)
    failed = passed = codes = 0
    with tempfile.TemporaryDirectory() as folder:
        for relative, arith, oracle, make_inputs in compare_models.plan(wanted):
            row = compare_models.Row(relative, arith)
            path = os.path.join(cache.shared_folder(), "models", relative)
            for tag, case in make_inputs(relative)[:None if args.long else 3]:
                compare_models.compare_case(row, args.binary, path, tag, case, oracle, folder, False)
            codes += row.count["codes"]
            failed, passed = failed + (row.bad() > 0), passed + (row.bad() == 0)
            if row.bad():
                print(f"FAILED  {relative} {arith}: {row.verdict()}")
                for note in row.notes[:args.notes]:
                    print("    " + note, flush=True)
    print(f"{codes} codes compared with the runtimes")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
