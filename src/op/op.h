#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ir/foreign.h"
#include "ir/graph.h"
#include "num/numerics.h"

namespace lockstep {

// How exactly an operator's result may be judged against another runtime.
enum class Exactness : std::uint8_t { bit, rounding };

struct Slot {
  std::string_view name = {};
  enum Kind : std::uint8_t { required, optional, variadic } kind = required;
};

struct AttrSpec {
  std::string_view name = {};
  std::string_view fallback = {};  // as text, "" when required
  std::string_view meaning = {};
};

// One sentence and its predicate: the sentence is the error, the line of the page and the test's
// name.
struct Rule {
  std::string_view text = {};
  bool (*holds)(const NodeView& node);
};

// What a shape rule says of one output. An empty quant leaves what the importer set.
struct Facts {
  DType dtype = DType::f32;
  Shape shape;
  QuantParams quant;
};

struct Cost {
  std::int64_t macs = 0;
};

// One evaluation: constant and computed inputs alike are in `in` (null where absent); `out` is
// allocated with the declared type and shape.
struct EvalContext {
  NodeView view;
  const Numerics& num;
  std::span<const Tensor* const> in;
  std::span<Tensor> out;
};

// Everything about one operator.
struct OpDef {
  std::string_view name = {};
  std::string_view meaning = {};  // the formula
  Exactness exact = Exactness::bit;
  std::span<const Slot> inputs = {};
  std::span<const Slot> outputs = {};
  std::span<const AttrSpec> attrs = {};
  std::span<const Rule> rules = {};
  Result<std::vector<Facts>> (*infer)(const NodeView& node) = nullptr;
  Result<void> (*eval)(EvalContext& c) = nullptr;  // the meaning, scalar
  Cost (*cost)(const NodeView& node) = nullptr;    // null: no multiply-accumulates
  std::span<const Foreign> from = {};
  bool of_shapes = false;  // the result follows from the inputs' shapes alone: folded at import
};

std::span<const OpDef* const> op_table();  // generated, sorted by file name
const OpDef* find_op(std::string_view name);
// The operator that a foreign one is read as, and how; null when none is.
struct ForeignMatch {
  const OpDef* op = nullptr;
  const Foreign* foreign = nullptr;
};
ForeignMatch find_foreign(Format format, std::string_view op);

// Slots, attributes and rules of `node` against its OpDef; the error names what does not hold.
Result<void> check_node(const NodeView& node);

}  // namespace lockstep
