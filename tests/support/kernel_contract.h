#pragma once

#include <string_view>

namespace lockstep::test {

// Runs kernel `name` against the operators' own `eval` on seeded problems: odd sizes, extreme
// codes, both layouts, every arithmetic that computes the node. A failure prints the problem's
// seed, which LOCKSTEP_PROBLEM=seed runs alone. Skipped, and counted, where the processor lacks the
// ISA.
void expect_equal_to_eval(std::string_view name, int problems = 600);

// The same for a kernel that calls a library: within N6 of `eval`, the same bytes for any number of
// threads, and in no arithmetic but `float`.
void expect_within_any_order(std::string_view name, int problems = 200);

}  // namespace lockstep::test
