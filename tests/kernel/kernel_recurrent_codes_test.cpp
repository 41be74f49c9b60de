#include "kernel/kernel_recurrent_codes.h"

#include <gtest/gtest.h>

#include <map>

#include "arith/arith.h"
#include "support/kernel_case.h"

namespace lockstep {
namespace {

// What the contract tests of dot_* draw.
TEST(RecurrentCodes, problems_of_every_form_are_drawn_and_taken) {
  std::map<std::string, int> taken;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const auto problem = test::kernel_case(*find_kernel("dot_avx2"), seed);
    if (!problem) continue;
    const NodeView view{problem->graph, problem->graph.nodes()[0]};
    std::vector<const Tensor*> constants;
    for (std::size_t i = 0; i < view.input_count(); ++i) constants.push_back(view.constant(i));
    const KernelProblem p{view, *find_arithmetic("tflite")->numerics, constants};
    if (view.node.op == "Svdf" && svdf_codes_fits(p)) ++taken["svdf"];
    if (view.node.op != "SequenceLstm" || !lstm_codes_fits(p)) continue;
    ++taken[!view.has_input(1)   ? "coupled"
            : view.has_input(9)  ? "peepholes"
            : view.has_input(16) ? "projection"
                                 : "plain"];
  }
  for (const char* const form : {"svdf", "plain", "coupled", "peepholes", "projection"})
    EXPECT_GE(taken[form], 8) << form;
}

}  // namespace
}  // namespace lockstep
