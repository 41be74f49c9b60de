#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "measure/metrics.h"
#include "measure/st_metrics.h"
#include "run/executor.h"

namespace lockstep {

// How much an operation may differ from its own recomputation. Codes: `lsb` steps; `structure` also
// asks that the differing codes show none. Floats without a scale: `real` times the greatest
// magnitude of the recomputed tensor.
struct Tolerance {
  enum class Kind : std::uint8_t { standard, exact, lsb, envelope, cosine } kind = Kind::standard;
  double lsb = 1;
  double real = 1e-4;
  bool structure = true;
  double cosine =
      0;  // Kind::cosine: the least of any network output, end to end; operations are not judged
};
// "exact", "lsb:N", "envelope", "cosine:N".
Result<Tolerance> parse_tolerance(const std::string& text);

// What the local test says of one tensor: the operation recomputed from the device's own inputs.
enum class Judgement : std::uint8_t {
  exact,     // the very same values
  rounding,  // within the tolerance, without structure
  wrong,
  unknown,  // the device's tensor, or what it is made from, was not captured
};

// A pattern in where or in which direction codes differ: "" when there is none.
struct Structure {
  std::string kind;  // "one-sided", "one channel", "border"
  std::string text;  // one sentence with its figures
};

// One tensor of the reference that the device yields too.
struct Row {
  ValueId value = no_id;
  NodeId node = no_id;           // its producer; no_id for a network input
  std::string tensor, name, op;  // value name, node name, operator
  std::vector<NodeId>
      segment;    // nodes recomputed from captured tensors; more than one where some are missing
  Metrics whole;  // device against the reference, end to end
  StMetrics st;   // the same pair in ST's figures; nothing when `whole` has no values
  Metrics local;  // device against its own recomputation
  Judgement state = Judgement::unknown;
  bool inherited = false;  // an operation before it is wrong: its input is not the reference's
  Structure structure;
  bool in_spread =
      false;             // right only because several operations may drift this far (see spread.h)
  double drift_lsb = 0;  // then: the root mean square of that drift, in LSB
  std::string like;  // the other arithmetic that yields these values from the same inputs, or ""
  std::string note;
};

// Device against reference, tensor by tensor in execution order.
struct Comparison {
  std::vector<Row> rows;
  std::int64_t samples = 0;
  std::int64_t tensors = 0;  // of the lowered reference: activations that a device could yield
  std::vector<std::string> left_device, left_reference;  // unpaired names
  std::vector<std::string> notes;
  // Index of the first row in state wrong; -1 when there is none.
  int first_wrong() const;
  bool identical() const;  // no value of any row differs from the reference
};

// What both sides were given and yielded, under the reference's names, one entry per sample.
struct Recorded {
  std::span<const Sample> sent;      // network inputs as sent to the device
  std::span<const Sample> expected;  // the reference's tensors, end to end
  std::span<const Sample> device;    // the device's, paired
  StateMode state = StateMode::reset;
};

// Executors of the same model in other arithmetics, made when first asked for.
using Others = std::function<std::span<const Executor>()>;

// Compares and runs the local test on every tensor of `device`. A tensor outside the tolerance that
// equals what one of the `others` makes of the device's own inputs is right, and its row names that
// arithmetic; one that was recomputed over several rounding operations is right inside their
// spread.
Result<Comparison> compare(const Executor& reference, const Recorded& recorded,
                           const Tolerance& tolerance, const Others& others = {});

// The quantization that says what one LSB of a tensor is: its own, or for a float tensor made by
// DequantizeLinear (or only moved since) that of the codes it came from.
QuantParams step_of(const Graph& graph, ValueId id);

// Values that a node moves without computing: reshape, slice, concatenation and their like.
bool only_moves(const Node& node);

}  // namespace lockstep
