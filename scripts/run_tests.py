#!/usr/bin/env python3
"""Runs the test binaries and Python tests, counts what they say, ends with one plain line."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_gtest(binary, counts, failures):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "result.json"
        started = time.monotonic()
        done = subprocess.run([str(binary), "--gtest_brief=1", f"--gtest_output=json:{out}"],
                              cwd=ROOT, stdin=subprocess.DEVNULL)
        name = f"{binary.parent.parent.name}/{binary.name}"
        if not out.exists():
            counts["failed"] += 1
            failures.append(f"{name}: ended with {done.returncode} and no result")
            return
        wrong = counts["failed"]
        for suite in json.loads(out.read_text())["testsuites"]:
            for case in suite["testsuite"]:
                full = f"{name} {suite['name']}.{case['name']}"
                if case.get("failures"):
                    counts["failed"] += 1
                    failures.append(full)
                elif case.get("result") == "SKIPPED" or case.get("status") == "NOTRUN":
                    counts["skipped"] += 1
                    print(f"skipped  {full}")
                else:
                    counts["passed"] += 1
        if done.returncode != 0 and counts["failed"] == wrong:  # what a suite's end asserts is no case's
            counts["failed"] += 1
            failures.append(f"{name}: ended with {done.returncode} outside of its tests")
        print(f"{name}: {time.monotonic() - started:.1f} s")


def run_script(script, extra, counts, failures):
    """A Python test prints its findings and ends with a line `N passed, M failed, K skipped`."""
    started = time.monotonic()
    done = subprocess.run([str(ROOT / ".venv/bin/python"), str(script), *extra], cwd=ROOT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    numbers = [int(word) for word in last.replace(",", " ").split() if word.isdigit()]
    if len(numbers) != 3 or (done.returncode != 0 and numbers[1] == 0):
        counts["failed"] += 1
        failures.append(f"{script.name}: ended with {done.returncode}")
        return
    for key, number in zip(("passed", "failed", "skipped"), numbers):
        counts[key] += number
    if numbers[1]:
        failures.append(f"{script.name}: {numbers[1]} failed")
    print(f"{script.name}: {time.monotonic() - started:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="also the sweeps that take long")
    parser.add_argument("--build", default="build", help="the build folder")
    options = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    folders = [ROOT / options.build / "tests"]
    if (ROOT / "build/asan/tests").is_dir():
        folders.append(ROOT / "build/asan/tests")
    for folder in folders:
        for binary in sorted(folder.glob("test_*")):
            if binary.is_file():
                run_gtest(binary, counts, failures)
    for script in sorted((ROOT / "tests").glob("*/test_*.py")):
        run_script(script, ["--long"] if options.long else [], counts, failures)
    for failure in failures:
        print("FAILED ", failure)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


main()
