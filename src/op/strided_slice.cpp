// y[..., i, ...] = x[..., begin + i * stride, ...] with bit i of a mask about entry i of begin,
// end, strides
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"begin"}, {"end"}, {"strides"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"begin_mask", "0", "from the first element (the last when walking backward)"},
    {"end_mask", "0", "to the last element (the first when walking backward)"},
    {"ellipsis_mask", "0", "all axes that no other entry names"},
    {"new_axis_mask", "0", "an axis of extent 1 that x has not"},
    {"shrink_axis_mask", "0", "one index; y has no such axis"},
    {"offset", "0", "1: end counts from begin"},
};
constexpr Foreign from[] = {{Format::tflite, "STRIDED_SLICE"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1, 2, 3>},
    {"there are as many begins as ends and strides, at most 32",
     [](const NodeView& n) {
       const std::int64_t count = n.constant(1)->count();
       return count <= 32 && n.constant(2)->count() == count && n.constant(3)->count() == count;
     }},
    {codes_rule, first_keeps_codes},
};

struct Plan {
  Sources sources;  // on x's axes
  Shape y;
};

bool bit(const NodeView& n, std::string_view mask, std::size_t i) {
  return (static_cast<std::uint64_t>(n.attrs().integer(mask, 0)) & std::uint64_t{1} << i) != 0;
}

Result<void> take_entry(const NodeView& n, std::size_t i, std::int64_t extent, Plan& plan) {
  std::int64_t begin = n.constant(1)->code(static_cast<std::int64_t>(i));
  std::int64_t end = n.constant(2)->code(static_cast<std::int64_t>(i));
  const std::int64_t stride = n.constant(3)->code(static_cast<std::int64_t>(i));
  if (stride == 0) return Error{n.where(), "stride 0", "a stride other than 0", ""};
  if (n.attrs().integer("offset", 0) != 0) end += begin;
  if (bit(n, "begin_mask", i)) begin = stride > 0 ? 0 : INT64_MAX;
  if (bit(n, "end_mask", i)) end = stride > 0 ? INT64_MAX : INT64_MIN;
  if (!bit(n, "shrink_axis_mask", i)) {
    plan.sources.push_back(slice_run(begin, end, stride, extent, -1));
    plan.y.push_back(static_cast<std::int64_t>(plan.sources.back().size()));
    return {};
  }
  if (begin == INT64_MAX) begin = extent - 1;
  if (begin < -extent || begin >= extent)
    return Error{n.where(), "index " + std::to_string(begin),
                 std::to_string(-extent) + " .. " + std::to_string(extent - 1), ""};
  plan.sources.push_back({begin < 0 ? begin + extent : begin});
  return {};
}

Result<Plan> plan_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto count = static_cast<std::size_t>(n.constant(1)->count());
  std::size_t named = 0;
  for (std::size_t i = 0; i < count; ++i)
    named += !bit(n, "ellipsis_mask", i) && !bit(n, "new_axis_mask", i);
  if (named > x.size())
    return Error{n.where(), std::to_string(named) + " entries",
                 "at most " + std::to_string(x.size()) + ", one per axis", ""};
  Plan plan;
  const auto take_all = [&](std::size_t until) {
    for (std::size_t d = plan.sources.size(); d < until; ++d) {
      plan.sources.push_back(index_run(0, x[d]));
      plan.y.push_back(x[d]);
    }
  };
  std::size_t rest = x.size() - named;  // axes for the ellipsis
  for (std::size_t i = 0; i < count; ++i) {
    if (bit(n, "ellipsis_mask", i))
      take_all(plan.sources.size() + std::exchange(rest, 0));
    else if (bit(n, "new_axis_mask", i))
      plan.y.push_back(1);
    else
      LOCKSTEP_CHECK(take_entry(n, i, x[plan.sources.size()], plan));
  }
  take_all(x.size());
  return plan;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(Plan plan, plan_of(n));
  const Value& x = n.input(0);
  const QuantParams quant = quant_reshaped(quant_of_sources(x.quant, plan.sources),
                                           shape_of_sources(plan.sources), plan.y);
  return std::vector<Facts>{{x.dtype, std::move(plan.y), quant}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Plan plan, plan_of(c.view));
  copy_from_sources(*c.in[0], plan.sources, c.out[0]);
  return {};
}

}  // namespace

extern constinit const OpDef op_strided_slice = {
    .name = "StridedSlice",
    .meaning = "y[..., i, ...] = x[..., begin + i * stride, ...] with masks over the entries",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
