#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "fault/fault.h"

namespace lockstep {

// Reads operand elements of an elementwise node under broadcasting: at(i) is the flat index in the
// operand of what meets element i of the result.
class Broadcast {
 public:
  Broadcast(const Shape& operand, const Shape& result);
  std::int64_t at(std::int64_t i) const;

 private:
  bool same_ = false;
  Shape extent_, stride_;
};

// Calls f(item, i) for elements of the output that are both expected and observed, at most about
// `limit` of them, spread evenly and always the same ones.
void for_elements(const Evidence& evidence, std::int64_t limit,
                  const std::function<void(const Evidence::Item&, std::int64_t)>& f);

// Scale, zero point and clamp of a quantized tensor, activation included; nothing for others.
struct CodeScale {
  double scale;
  std::int64_t zero, low, high;
};
std::optional<CodeScale> code_scale(const Value& value);
std::optional<CodeScale> output_scale(const NodeView& node);  // with the node's fused activation
// Of an operand in codes or the codes that a real one was dequantized from; of a result likewise,
// or of the codes that its only reader quantizes it to.
std::optional<CodeScale> operand_scale(const NodeView& node, std::size_t operand);
std::optional<CodeScale> result_scale(const NodeView& node);

}  // namespace lockstep
