// Means and maxima over axes to C.
#include "emit/finish.h"
#include "num/device_tables.h"
#include "op/op_codes.h"
#include "op/op_reduce.h"

namespace lockstep {
namespace {

// x seen as [outer][reduced][inner]; reduced axes must be neighbours.
struct Rows {
  std::int64_t outer = 1, reduced = 1, inner = 1;
};

Result<Rows> rows_of(const NodeWriter& w, const std::vector<bool>& reduced) {
  Rows r;
  int stage = 0;
  const Shape& x = w.view().input(0).shape;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (x[d] == 1) continue;
    if (reduced[d] && stage == 0) stage = 1;
    if (!reduced[d] && stage == 1) stage = 2;
    if (reduced[d] && stage == 2) return w.unsupported("reduced axes that are not neighbours");
    (stage == 0 ? r.outer : stage == 1 ? r.reduced : r.inner) *= x[d];
  }
  return r;
}

Result<std::vector<bool>> reduced_axes(const NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.node.op == "GlobalAveragePool") {
    std::vector<bool> axes(v.input(0).shape.size(), true);
    axes[0] = false;
    axes[v.attrs().text("layout", "NCHW") == "NHWC" ? axes.size() - 1 : 1] = false;
    return axes;
  }
  LOCKSTEP_TRY(const Reduction r, reduction_of(v));
  return r.reduced;
}

Rescale mean_rescale(const NodeWriter& w, std::int64_t n) {
  const double x = w.view().input(0).quant.scale_at(0), y = w.view().output(0).quant.scale_at(0);
  const auto count = static_cast<std::int32_t>(n);
  return w.num().global_average->name == "tflite-mean" ? tflite_mean_rescale(x, y, count)
                                                       : ort_mean_rescale(x, y, count);
}

Result<void> emit_mean(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  if (!is_code(x) || !is_code(y) || !is_narrow(x) || !is_narrow(y) || !w.num().global_average)
    return w.unsupported(v.node.op + " of " + std::string(name_of(x.dtype)));
  LOCKSTEP_TRY(const auto axes, reduced_axes(w));
  LOCKSTEP_TRY(const Rows r, rows_of(w, axes));
  w.field("outer", r.outer), w.field("reduced", r.reduced), w.field("inner", r.inner);
  w.field("start", -r.reduced * x.quant.zero_at(0));
  w.field("is_unsigned", x.dtype == DType::u8 ? 1 : 0);
  const Rescale rescale = mean_rescale(w, r.reduced);
  const CodeClamp clamp = clamp_of(v);
  LOCKSTEP_CHECK(write_finish(w, w.num().global_average->name, std::span(&rescale, 1),
                              y.quant.zero_at(0), clamp.low, clamp.high));
  w.uses("ls_pool.c");
  w.line("ls_reduce_sum_8(" + w.params("ls_reduce") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> emit_max(NodeWriter& w) {
  const NodeView& v = w.view();
  if (!is_narrow(v.input(0)) || v.input(0).quant != v.output(0).quant)
    return w.unsupported("ReduceMax of " + std::string(name_of(v.input(0).dtype)));
  LOCKSTEP_TRY(const auto axes, reduced_axes(w));
  LOCKSTEP_TRY(const Rows r, rows_of(w, axes));
  w.field("outer", r.outer), w.field("reduced", r.reduced), w.field("inner", r.inner);
  w.field("is_unsigned", v.input(0).dtype == DType::u8 ? 1 : 0);
  w.uses("ls_pool.c");
  w.uses("ls_finish.c");
  w.line("ls_reduce_max_8(" + w.params("ls_reduce") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

constexpr NodeEmitter table[] = {
    {"ReduceMean", nullptr, emit_mean},
    {"GlobalAveragePool", nullptr, emit_mean},
    {"ReduceMax", nullptr, emit_max},
};

}  // namespace

std::span<const NodeEmitter> reduce_emitters() {
  return table;
}

}  // namespace lockstep
