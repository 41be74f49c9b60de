// y = the slices of x along the axis (without one: the elements of x) whose condition holds
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"condition"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axis", "none", "the axis of the slices; none: x as one row"}};
constexpr Rule rules[] = {
    {"the condition is a constant of one axis, of bool: it decides the shape",
     [](const NodeView& n) {
       const Tensor* t = n.constant(1);
       return t && t->dtype() == DType::boolean && t->shape().size() == 1;
     }},
    {codes_rule, first_keeps_codes},
};
constexpr Foreign from[] = {{Format::onnx, "Compress"}};

// Where x is taken from, seen with the shape in which it is cut.
struct Cut {
  Shape seen;
  Sources sources;
};

Result<Cut> cut_of(const NodeView& n) {
  const Tensor& condition = *n.constant(1);
  Cut cut{n.input(0).shape, {}};
  std::size_t axis = 0;
  if (n.attrs().has("axis")) {
    LOCKSTEP_TRY(axis, normal_axis(n, n.attrs().integer("axis", 0), cut.seen.size()));
  } else {
    cut.seen = {count_of(n.input(0).shape)};
  }
  if (condition.count() > cut.seen[axis])
    return Error{n.where(),
                 std::to_string(condition.count()) + " conditions for " +
                     std::to_string(cut.seen[axis]) + " slices",
                 "at most one for each", ""};
  cut.sources = all_of(cut.seen);
  cut.sources[axis].clear();
  for (std::int64_t i = 0; i < condition.count(); ++i)
    if (condition.code(i) != 0) cut.sources[axis].push_back(i);
  return cut;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Cut cut, cut_of(n));
  const bool whole = cut.seen == n.input(0).shape;
  return std::vector<Facts>{{n.input(0).dtype, shape_of_sources(cut.sources),
                             whole ? quant_of_sources(n.input(0).quant, cut.sources)
                                   : quant_on_axis(n.input(0).quant, -1)}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Cut cut, cut_of(c.view));
  Shape strides = strides_of(cut.seen);
  std::vector<std::int64_t> at(cut.seen.size(), 0);
  const std::size_t size = size_of(c.out[0].dtype());
  for (std::int64_t i = 0; i < c.out[0].count(); ++i) {
    std::int64_t source = 0;
    for (std::size_t d = 0; d < at.size(); ++d)
      source += cut.sources[d][static_cast<std::size_t>(at[d])] * strides[d];
    std::copy_n(c.in[0]->bytes().data() + static_cast<std::size_t>(source) * size, size,
                c.out[0].bytes().data() + static_cast<std::size_t>(i) * size);
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < std::ssize(cut.sources[d])) break;
      at[d] = 0;
    }
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_compress = {
    .name = "Compress",
    .meaning = "y = the slices of x along the axis whose condition holds",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
