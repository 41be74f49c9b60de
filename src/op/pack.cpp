// y[.., k, ..] = x_k[..]: inputs of one shape along a new axis
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x", Slot::variadic}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axis", "0", "the new axis, counted in y"}};
constexpr Rule rules[] = {
    {"there is an x", [](const NodeView& n) { return n.input_count() > 0; }},
    {"all x have one shape and one type",
     [](const NodeView& n) {
       for (std::size_t i = 0; i < n.input_count(); ++i)
         if (!n.has_input(i) || n.input(i).shape != n.input(0).shape ||
             n.input(i).dtype != n.input(0).dtype)
           return false;
       return true;
     }},
    {codes_rule,
     [](const NodeView& n) {
       for (std::size_t i = 0; i < n.input_count(); ++i)
         if (!same_codes(n.input(i), n.output(0))) return false;
       return true;
     }},
};

Result<std::size_t> new_axis(const NodeView& n) {
  return normal_axis(n, n.attrs().integer("axis", 0), n.input(0).shape.size() + 1);
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const std::size_t axis, new_axis(n));
  const Value& x = n.input(0);
  Shape y = x.shape;
  y.insert(y.begin() + static_cast<std::ptrdiff_t>(axis),
           static_cast<std::int64_t>(n.input_count()));
  bool one_quant = !x.quant.per_channel();
  for (std::size_t i = 1; i < n.input_count(); ++i)
    one_quant = one_quant && n.input(i).quant == x.quant;
  return std::vector<Facts>{{x.dtype, std::move(y), one_quant ? x.quant : QuantParams{}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const std::size_t axis, new_axis(c.view));
  const Shape& x = c.in[0]->shape();
  if (c.in[0]->count() == 0) return {};
  std::size_t outer = 1;
  for (std::size_t d = 0; d < axis; ++d) outer *= static_cast<std::size_t>(x[d]);
  const std::size_t block = c.in[0]->bytes().size() / outer;
  std::byte* y = c.out[0].bytes().data();
  for (std::size_t o = 0; o < outer; ++o)
    for (const Tensor* part : c.in) {
      std::memcpy(y, part->bytes().data() + o * block, block);
      y += block;
    }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("axis", f.attrs.integer("axis", 0));
  return add_like(f, graph, "Pack", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::tflite, "PACK", from_tflite}};

}  // namespace

extern constinit const OpDef op_pack = {
    .name = "Pack",
    .meaning = "y[.., k, ..] = x_k[..]: inputs of one shape along a new axis",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
