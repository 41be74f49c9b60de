#pragma once

#include <string>
#include <vector>

#include "npu/audit.h"
#include "num/numerics.h"

namespace lockstep {

// What a layer's constants and 16-bit data path cost, by output channel and in codes (LSB) of its
// output: docs/neural-art.md, "Predicted drift".
struct NpuDrift {
  std::string node, tensor;  // of the model; the tensor is the layer's coded output
  std::string input;         // of the model's layer
  std::vector<int> epochs;   // in which sums of it are made
  int epoch = 0, codes_epoch = 0, passes = 1;
  bool in_parts = false;                 // of the kernel, whose sums are added up
  std::vector<double> step;              // one step of the 16-bit sum
  std::vector<double> multiplier;        // of the model: sums to codes
  std::vector<double> multiplier_error;  // got / wanted - 1
  std::vector<double> constant_error;    // of bias and zero point
  std::vector<double> offset;            // codes at sum 0, as the model wants
  // What one code of difference in every feature, and in each by itself, makes of an output code.
  std::vector<double> gain, gain_squared;
  double inner_step = 0;  // one step of the 16-bit product
  // The codes at which the units of 16 bits stop, before they are held in 8.
  std::vector<double> lowest, highest;
  std::vector<double>
      reference_rounding;  // the most that the reference's own rounding moves a code

  std::size_t channels() const { return step.size(); }
  double data_path(std::size_t k)
      const;  // the most that rounding on the way can move a code, final rounding apart
  // The expected square of the difference to a code that was rounded once.
  double square(std::size_t k, double code) const;
};

// Every layer with a counterpart in the model and a whole chain of constants. `reference` is how
// the codes that it is compared with are rounded; null: once, to nearest.
Result<std::vector<NpuDrift>> predict_drift(const NpuSimulator& simulator, const Graph& model,
                                            const RequantPolicy* reference = nullptr);

// The most by which a policy's codes lie from the products that they round, over sums spread
// through the range of codes: half a code where it rounds once.
double rounding_of(const RequantPolicy& policy, double x_scale, double w_scale, double y_scale);

// Why a code differs from the reference's.
enum class NpuCause : std::uint8_t {
  none,
  rounding,
  sums,
  multiplier,
  tables,
  saturation,  // a unit of 16 bits stopped at the end of its range
  arriving,    // it was computed from codes that the program had made itself
  unexplained
};
std::string_view name_of(NpuCause cause);

// reference: the model's code; exact: the program's with its intermediates unrounded; simulated:
// the program's. Codes of channel k before the model's zero point is taken off; low and high
// saturate.
NpuCause cause_of(const NpuDrift& drift, std::size_t k, std::int64_t reference, std::int64_t exact,
                  std::int64_t simulated);

}  // namespace lockstep
