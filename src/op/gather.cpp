// y[o.., i.., r..] = x[o.., indices[i..], r..]: `o` the axes before `axis`, `r` those after
#include <cstring>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"indices"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "0", "-rank .. rank-1"},
    {"batch_dims", "0", "outer axes that x and indices share"},
};

// The rows of the second operand that the first names.
Result<void> from_embedding(const ForeignNode& f, GraphBuilder& graph) {
  if (f.inputs.size() != 2 || f.inputs[0] == no_id || f.inputs[1] == no_id)
    return Error{f.where, std::to_string(f.inputs.size()) + " operands", "indices and a table",
                 "the file is damaged"};
  if (graph.value(f.outputs[0]).dtype != graph.value(f.inputs[1]).dtype)
    return Error{f.where, "a table of another type than the result", "a table of the result's type",
                 "hybrid tables are not read"};
  return add_like(f, graph, "Gather", {f.inputs[1], f.inputs[0]}, {});
}

constexpr Foreign from[] = {{Format::onnx, "Gather"},
                            {Format::tflite, "GATHER"},
                            {Format::tflite, "EMBEDDING_LOOKUP", from_embedding}};
constexpr Rule rules[] = {
    {"indices are int32 or int64",
     [](const NodeView& n) {
       return n.input(1).dtype == DType::i32 || n.input(1).dtype == DType::i64;
     }},
    {codes_rule, first_keeps_codes},
};

struct Plan {
  std::size_t axis = 0, batch_dims = 0;
  std::int64_t batch = 1, outer = 1, picks = 1, extent = 0, inner = 1;
  Shape y;
};

Result<Plan> plan_of(const NodeView& n) {
  const Shape &x = n.input(0).shape, &indices = n.input(1).shape;
  Plan p;
  LOCKSTEP_TRY(p.axis, normal_axis(n, n.attrs().integer("axis", 0), x.size()));
  std::int64_t shared = n.attrs().integer("batch_dims", 0);
  if (shared < 0) shared += static_cast<std::int64_t>(indices.size());
  p.batch_dims = static_cast<std::size_t>(shared);
  if (shared < 0 || p.batch_dims > p.axis || p.batch_dims > indices.size())
    return Error{n.where(), "batch_dims " + std::to_string(shared),
                 "at most axis and the rank of indices", ""};
  p.extent = x[p.axis];
  for (std::size_t d = 0; d < p.axis; ++d) {
    p.y.push_back(x[d]);
    (d < p.batch_dims ? p.batch : p.outer) *= x[d];
    if (d < p.batch_dims && indices[d] != x[d])
      return Error{
          n.where(),
          "indices of extent " + std::to_string(indices[d]) + " on axis " + std::to_string(d),
          std::to_string(x[d]) + " as x has", ""};
  }
  for (std::size_t d = p.batch_dims; d < indices.size(); ++d)
    p.y.push_back(indices[d]), p.picks *= indices[d];
  for (std::size_t d = p.axis + 1; d < x.size(); ++d) p.y.push_back(x[d]), p.inner *= x[d];
  return p;
}

// A per-channel axis keeps its channels unless it is the one picked from.
QuantParams quant_of(const NodeView& n, const Plan& p) {
  const QuantParams& quant = n.input(0).quant;
  if (!quant.per_channel()) return quant;
  const int axis = quant.axis, picked = static_cast<int>(p.axis);
  if (axis == picked) return {};
  return quant_on_axis(quant, axis < picked ? axis
                                            : axis + static_cast<int>(p.y.size()) -
                                                  static_cast<int>(n.input(0).shape.size()));
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(Plan p, plan_of(n));
  const QuantParams quant = quant_of(n, p);
  return std::vector<Facts>{{n.input(0).dtype, std::move(p.y), quant}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Plan p, plan_of(c.view));
  const std::size_t block = static_cast<std::size_t>(p.inner) * size_of(c.in[0]->dtype());
  const std::byte* x = c.in[0]->bytes().data();
  std::byte* y = c.out[0].bytes().data();
  if (c.out[0].count() == 0) return {};
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (std::int64_t o = 0; o < p.outer; ++o)
      for (std::int64_t i = 0; i < p.picks; ++i, y += block) {
        std::int64_t index = c.in[1]->code(b * p.picks + i);
        if (index < -p.extent || index >= p.extent)
          return Error{c.view.where(), "index " + std::to_string(index),
                       std::to_string(-p.extent) + " .. " + std::to_string(p.extent - 1), ""};
        if (index < 0) index += p.extent;
        std::memcpy(y, x + static_cast<std::size_t>((b * p.outer + o) * p.extent + index) * block,
                    block);
      }
  return {};
}

}  // namespace

extern constinit const OpDef op_gather = {
    .name = "Gather",
    .meaning =
        "y[o.., i.., r..] = x[o.., indices[i..], r..]: `o` the axes before `axis`, `r` those after",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
