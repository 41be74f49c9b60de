#include "fault/fault_input.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace lockstep {
namespace {

constexpr std::array<std::string_view, 6> kMovesOnly = {"Reshape",   "Transpose", "Squeeze",
                                                        "Unsqueeze", "Flatten",   "Identity"};

// The value into which the input is quantized; no_id when none.
ValueId quantized_form(const Graph& g, ValueId id) {
  for (int depth = 0; depth < 8; ++depth) {
    ValueId moved = no_id;
    for (const NodeId n : g.consumers(id)) {
      const Node& node = g.node(n);
      const bool is_first = !node.inputs.empty() && node.inputs[0] == id;
      if (is_first && node.op == "QuantizeLinear") return node.outputs[0];
      if (is_first && std::ranges::find(kMovesOnly, node.op) != kMovesOnly.end())
        moved = node.outputs[0];
    }
    if (moved == no_id) return no_id;
    id = moved;
  }
  return no_id;
}

bool made_last_by_transpose(const Graph& g, ValueId id) {
  for (const NodeId n : g.consumers(id)) {
    const Node& node = g.node(n);
    if (node.op == "Transpose" &&
        node.attrs.integers("perm") == std::vector<std::int64_t>{0, 3, 1, 2})
      return true;
    if (node.op == "QuantizeLinear" && made_last_by_transpose(g, node.outputs[0])) return true;
  }
  return false;
}

}  // namespace

std::int64_t InputCoding::saturate(double code) const {
  if (code != code) return zero;
  return static_cast<std::int64_t>(
      std::clamp(std::nearbyint(code), static_cast<double>(low()), static_cast<double>(high())));
}

std::int64_t InputCoding::wrap(std::int64_t code) const {
  const std::int64_t span = high() - low() + 1;
  return ((code - low()) % span + span) % span + low();
}

std::int64_t InputCoding::quantize(double real) const {
  if (policy && policy->quantize)
    return policy->quantize(static_cast<float>(real), static_cast<float>(scale), zero,
                            static_cast<std::int32_t>(low()), static_cast<std::int32_t>(high()));
  return saturate(
      std::nearbyint(static_cast<double>(static_cast<float>(real) / static_cast<float>(scale))) +
      zero);
}

std::int64_t InputCoding::code_of(const Tensor& input, std::int64_t i) const {
  return is_float ? quantize(input.number(i)) : input.code(i);
}

void InputCoding::set_code(Tensor& input, std::int64_t i, std::int64_t code) const {
  if (is_float)
    input.set_number(i, real(code));
  else
    input.set_code(i, code);
}

std::optional<InputCoding> input_coding(const Site& site) {
  const Graph& g = site.graph();
  const Value& input = g.value(site.input);
  InputCoding coding;
  coding.is_float = is_float(input.dtype);
  const ValueId id = coding.is_float ? quantized_form(g, site.input) : site.input;
  if (id == no_id || !g.value(id).quant.quantized() || g.value(id).quant.per_channel())
    return std::nullopt;
  coding.scale = g.value(id).quant.scale_at(0);
  coding.zero = g.value(id).quant.zero_at(0);
  coding.dtype = g.value(id).dtype;
  coding.policy = site.reference.arithmetic().numerics->quantize;
  return coding;
}

const Value& site_value(const Site& site) {
  return site.node == no_id ? site.graph().value(site.input)
                            : site.graph().value(site.graph().node(site.node).outputs[0]);
}

bool channels_last(const Site& site) {
  const Value& value = site_value(site);
  const std::string& layout = value.origin.layout;
  if (layout == "NHWC" || layout == "NWC") return true;
  if (layout == "NCHW" || layout == "NCW") return false;
  if (site.graph().format() == "tflite") return true;
  return site.node == no_id && made_last_by_transpose(site.graph(), site.input);
}

std::vector<std::int64_t> read_with_order(const Shape& shape,
                                          const std::vector<std::size_t>& order) {
  Shape stride(shape.size(), 0);
  std::int64_t step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    stride[order[i]] = step;
    step *= shape[order[i]];
  }
  const std::int64_t count = count_of(shape);
  std::vector<std::int64_t> source(static_cast<std::size_t>(count));
  std::vector<std::int64_t> at(shape.size(), 0);
  bool moves = false;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t from = 0;
    for (std::size_t a = 0; a < shape.size(); ++a) from += at[a] * stride[a];
    source[static_cast<std::size_t>(i)] = from;
    moves = moves || from != i;
    for (std::size_t a = shape.size(); a-- > 0;) {
      if (++at[a] < shape[a]) break;
      at[a] = 0;
    }
  }
  return moves ? source : std::vector<std::int64_t>{};
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& source) {
  std::vector<std::int64_t> out(source.size());
  for (std::size_t i = 0; i < source.size(); ++i)
    out[static_cast<std::size_t>(source[i])] = static_cast<std::int64_t>(i);
  return out;
}

void gather(Tensor& x, const std::vector<std::int64_t>& source) {
  const Tensor old = x;
  const std::size_t width = size_of(x.dtype());
  for (std::size_t i = 0; i < source.size(); ++i)
    std::memcpy(x.bytes().data() + i * width,
                old.bytes().data() + static_cast<std::size_t>(source[i]) * width, width);
}

}  // namespace lockstep
