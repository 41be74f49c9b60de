#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "fault/fault.h"

namespace lockstep::test {

// An arithmetic for tests of faults: exact reals, rounded once, ties to even.
const Arithmetic& plain_arithmetic();

// Small graphs. Tensors are made as they are named; `finish` ends with an executor in plain
// arithmetic.
class FaultProblem {
 public:
  explicit FaultProblem(std::string format = "onnx");
  ValueId input(std::string name, DType dtype, Shape shape, QuantParams quant = {});
  ValueId constant(std::string name, Tensor tensor, QuantParams quant = {});
  // One node with one output; facts of the output as the shape rule says, `quant` where given.
  ValueId node(std::string name, std::string op, std::vector<ValueId> inputs, Attrs attrs = {},
               QuantParams quant = {}, DType dtype = DType::i8);
  Executor finish();

  GraphBuilder builder;

 private:
  ValueId last_ = no_id;
};

QuantParams per_tensor(double scale, std::int32_t zero);
// Seeded contents: codes over the whole range, reals over -4..4.
Tensor random_tensor(DType dtype, Shape shape, std::uint64_t seed, std::int64_t low = 0,
                     std::int64_t high = 0);
// Inputs for every network input, `runs` of them.
std::vector<Sample> random_samples(const Executor& executor, std::size_t runs,
                                   std::uint64_t seed = 1);

// What a device with these faults yields, and the reference itself, all tensors. An error fails the
// test.
Capture device(const Executor& executor, std::string_view faults,
               const std::vector<Sample>& inputs);
Capture reference(const Executor& executor, const std::vector<Sample>& inputs);

// Evidence as the local test gathers it, from a device's capture: node by node from its own inputs.
struct Gathered {
  Evidence evidence;
  std::shared_ptr<const Capture> captured;  // keeps, as do the others, what `evidence` points to
  std::vector<Tensor> expected;
  std::vector<std::vector<Tensor>> all_outputs;
};
Gathered gather_evidence(const Site& site, Capture captured, const std::vector<Sample>& inputs);

// Elements that differ between observed and expected, and between observed and the fault's replay.
struct Counts {
  std::int64_t differing = 0, left = 0;
};
Counts explain(const FaultDef& fault, const Site& site, const Params& params,
               const Gathered& gathered);
// The best of the fault's own candidates; differing == left when there is none.
struct Best {
  Params params;
  Counts counts;
  bool found = false;
};
Best best_explanation(const FaultDef& fault, const Site& site, const Gathered& gathered);

Site site_at(const Executor& executor, std::string_view node_or_input);

}  // namespace lockstep::test
