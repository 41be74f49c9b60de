#include "fault/fault_elements.h"

#include <algorithm>
#include <cmath>

#include "fault/fault_work.h"

namespace lockstep {

Broadcast::Broadcast(const Shape& operand, const Shape& result)
    : same_(operand == result), extent_(result) {
  stride_.assign(result.size(), 0);
  std::int64_t step = 1;
  for (std::size_t k = 0; k < operand.size() && k < result.size(); ++k) {
    const std::int64_t extent = operand[operand.size() - 1 - k];
    if (extent != 1) stride_[result.size() - 1 - k] = step;
    step *= extent;
  }
}

std::int64_t Broadcast::at(std::int64_t i) const {
  if (same_) return i;
  std::int64_t at = 0;
  for (std::size_t a = extent_.size(); a-- > 0;) {
    at += i % extent_[a] * stride_[a];
    i /= extent_[a];
  }
  return at;
}

void for_elements(const Evidence& evidence, std::int64_t limit,
                  const std::function<void(const Evidence::Item&, std::int64_t)>& f) {
  std::int64_t total = 0;
  for (const Evidence::Item& item : evidence.items)
    if (item.expected && item.observed) total += item.expected->count();
  const std::int64_t step = total / std::max<std::int64_t>(limit, 1) + 1;
  if (!spend(2 * work_of_element * static_cast<double>(total / step))) return;
  std::int64_t next = 0;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.expected || !item.observed || item.observed->count() != item.expected->count())
      continue;
    for (; next < item.expected->count(); next += step) f(item, next);
    next -= item.expected->count();
  }
}

std::optional<CodeScale> code_scale(const Value& value) {
  if (!value.quant.quantized() || value.quant.per_channel() || is_float(value.dtype))
    return std::nullopt;
  const CodeRange range = code_range(value.dtype);
  return CodeScale{value.quant.scale_at(0), value.quant.zero_at(0), range.low, range.high};
}

std::optional<CodeScale> operand_scale(const NodeView& node, std::size_t operand) {
  if (!node.has_input(operand)) return std::nullopt;
  if (auto own = code_scale(node.input(operand))) return own;
  const NodeId from = node.input(operand).producer;
  if (from == no_id || node.graph.node(from).op != "DequantizeLinear") return std::nullopt;
  return code_scale(node.graph.value(node.graph.node(from).inputs[0]));
}

std::optional<CodeScale> result_scale(const NodeView& node) {
  if (auto own = code_scale(node.output(0))) return own;
  const auto readers = node.graph.consumers(node.node.outputs[0]);
  if (readers.size() != 1 || node.graph.node(readers[0]).op != "QuantizeLinear")
    return std::nullopt;
  return code_scale(node.graph.value(node.graph.node(readers[0]).outputs[0]));
}

std::optional<CodeScale> output_scale(const NodeView& node) {
  auto scale = code_scale(node.output(0));
  if (!scale) return scale;
  const std::string activation = node.attrs().text("activation", "none");
  const auto code = [&](double real) {
    return std::clamp<std::int64_t>(std::llround(real / scale->scale) + scale->zero, scale->low,
                                    scale->high);
  };
  const std::int64_t low = code(activation == "relu_n1_to_1" ? -1 : 0);
  const std::int64_t high = activation == "relu6"          ? code(6)
                            : activation == "relu_n1_to_1" ? code(1)
                                                           : scale->high;
  if (activation == "relu" || activation == "relu6" || activation == "relu_n1_to_1") {
    scale->low = low;
    scale->high = high;
  }
  return scale;
}

}  // namespace lockstep
