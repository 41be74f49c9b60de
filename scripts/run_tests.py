#!/usr/bin/env python3
"""Runs the test binaries and Python tests, one a core; ends with one plain line of counts."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# First, so that none is left to run alone at the end.
LONG = ["test_emit", "test_rt", "test_tflite_ops.py", "test_tool", "test_diagnose"]
GIB_EACH = 4  # memory that a suite may want


class Outcome:
    """What one suite says: its text, its counts and the names of what failed."""

    def __init__(self):
        self.text = ""
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failures = []

    def fail(self, what):
        self.counts["failed"] += 1
        self.failures.append(what)


def run(command, scratch, log, errors):
    """Its exit code; what it prints goes to `log` and `errors`, what it keeps for a while to `scratch`."""
    environment = dict(os.environ, TEST_TMPDIR=scratch)  # two builds of a suite use the same names
    return subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=log, stderr=errors, env=environment).returncode


def read_gtest(result, name, code, outcome):
    if not result.exists():
        outcome.fail(f"{name}: ended with {code} and no result")
        return
    for suite in json.loads(result.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            full = f"{name} {suite['name']}.{case['name']}"
            if case.get("failures"):
                outcome.fail(full)
            elif case.get("result") == "SKIPPED" or case.get("status") == "NOTRUN":
                outcome.counts["skipped"] += 1
                outcome.text += f"skipped  {full}\n"
            else:
                outcome.counts["passed"] += 1
    if code != 0 and not outcome.failures:  # what a suite's end asserts is no case's
        outcome.fail(f"{name}: ended with {code} outside of its tests")


def read_script(name, code, outcome):
    """A Python test prints its findings and ends with a line `N passed, M failed, K skipped`."""
    lines = outcome.text.strip().splitlines()
    last = lines[-1] if lines else ""
    numbers = [int(word) for word in last.replace(",", " ").split() if word.isdigit()]
    if len(numbers) != 3 or (code != 0 and numbers[1] == 0):
        outcome.fail(f"{name}: ended with {code}")
        return
    outcome.counts = dict(zip(("passed", "failed", "skipped"), numbers))
    if numbers[1]:
        outcome.failures.append(f"{name}: {numbers[1]} failed")


def run_suite(suite, extra):
    outcome = Outcome()
    script = suite.suffix == ".py"
    name = suite.name if script else f"{suite.parent.parent.name}/{suite.name}"
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        scratch, result, log = folder / "scratch", folder / "result.json", folder / "log"
        scratch.mkdir()
        command = ([ROOT / ".venv/bin/python", suite, *extra] if script else
                   [suite, "--gtest_brief=1", f"--gtest_output=json:{result}"])
        errors = folder / "errors"
        with open(log, "wb") as out, open(errors, "wb") as err:
            code = run(command, f"{scratch}/", out, err)
        outcome.text = log.read_text(errors="replace")
        if script:  # by its last line, which nothing logged at its end may follow
            read_script(name, code, outcome)
        else:
            read_gtest(result, name, code, outcome)
        outcome.text += errors.read_text(errors="replace")
    outcome.text += f"{name}: {time.monotonic() - started:.1f} s\n"
    return outcome


def lanes():
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return max(1, min(len(os.sched_getaffinity(0)), int(gib / GIB_EACH)))


def suites_of(build):
    """Test binaries of both builds and Python tests, the long ones first."""
    folders = [ROOT / build / "tests", ROOT / "build/asan/tests"]
    suites = [binary for folder in folders for binary in sorted(folder.glob("test_*"))
              if binary.is_file()]
    suites += sorted((ROOT / "tests").glob("*/test_*.py"))
    return sorted(suites, key=lambda s: LONG.index(s.name) if s.name in LONG else len(LONG))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="also the sweeps that take long")
    parser.add_argument("--build", default="build", help="the build folder")
    parser.add_argument("--at-once", type=int, default=lanes(), help="suites that run at a time")
    options = parser.parse_args()
    extra = ["--long"] if options.long else []
    total = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    with concurrent.futures.ThreadPoolExecutor(max(1, options.at_once)) as pool:
        running = [pool.submit(run_suite, suite, extra) for suite in suites_of(options.build)]
        for done in concurrent.futures.as_completed(running):
            outcome = done.result()
            print(outcome.text, end="", flush=True)
            failures += outcome.failures
            for key, number in outcome.counts.items():
                total[key] += number
    for failure in failures:
        print("FAILED ", failure)
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    sys.exit(1 if total["failed"] or not total["passed"] else 0)


main()
