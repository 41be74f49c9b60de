// Elements in order of size and running sums to C.
#include "emit/any.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

// x as [outer][count][inner] around an axis.
struct Around {
  std::int64_t outer = 1, count = 1, inner = 1;
};
Around around(const Shape& x, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(x.size());
  if (axis < 0) axis += rank;
  Around a;
  for (std::int64_t d = 0; d < rank; ++d)
    (d < axis ? a.outer : d == axis ? a.count : a.inner) *= x[static_cast<std::size_t>(d)];
  return a;
}

bool has_kernel(DType t) {
  return t != DType::f16 && t != DType::u32 && t != DType::u64;
}

Result<void> emit_top_k(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& x = v.input(0);
  if (!has_kernel(x.dtype)) return w.unsupported("TopK of " + std::string(name_of(x.dtype)));
  const Around a = around(x.shape, v.attrs().integer("axis", -1));
  const auto wanted = [&](std::size_t o) {
    return o < v.node.outputs.size() && v.node.outputs[o] != no_id;
  };
  w.uses("ls_order.c");
  w.line("ls_top_k(" + w.in(0) + ", " + element_of(x.dtype) + ", " +
         (wanted(0) ? w.out(0) : "NULL") + ", " + (wanted(1) ? w.out(1) : "NULL") + ", " +
         (wanted(1) ? element_of(v.output(1).dtype) : "LS_S64") + ", " + std::to_string(a.outer) +
         ", " + std::to_string(a.count) + ", " + std::to_string(a.inner) + ", " +
         std::to_string(v.attrs().integer("k", 0)) + ", " +
         std::to_string(v.attrs().integer("largest", 1)) + ");");
  return {};
}

Result<void> emit_cum_sum(NodeWriter& w) {
  const NodeView& v = w.view();
  const DType t = v.input(0).dtype;
  if ((t != DType::f32 && t != DType::i32 && t != DType::i64) || !v.constant(1))
    return w.unsupported("CumSum of " + std::string(name_of(t)));
  const Around a = around(v.input(0).shape, v.constant(1)->code(0));
  w.uses("ls_order.c");
  w.line("ls_cum_sum(" + w.in(0) + ", " + element_of(t) + ", " + w.out(0) + ", " +
         std::to_string(a.outer) + ", " + std::to_string(a.count) + ", " + std::to_string(a.inner) +
         ", " + std::to_string(v.attrs().integer("exclusive", 0)) + ", " +
         std::to_string(v.attrs().integer("reverse", 0)) + ");");
  return {};
}

constexpr NodeEmitter table[] = {
    {"TopK", nullptr, emit_top_k},
    {"CumSum", nullptr, emit_cum_sum},
};

}  // namespace

std::span<const NodeEmitter> order_emitters() {
  return table;
}

}  // namespace lockstep
