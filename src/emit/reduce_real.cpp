// Reductions of float32 to C.
#include <algorithm>
#include <functional>

#include "emit/finish.h"
#include "emit/reduce.h"
#include "num/real_functions.h"
#include "num/xnnpack_float.h"

namespace lockstep {
namespace {

// Extents in runs that are all kept or all reduced, as num/ort_reduce sees them: how many of each
// in turn.
struct Runs {
  std::vector<std::int64_t> extent;
  std::vector<bool> reduced;
};
Runs runs_of(const Shape& x, const std::vector<bool>& reduced) {
  Runs r;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (x[d] == 1) continue;
    if (!r.extent.empty() && r.reduced.back() == reduced[d])
      r.extent.back() *= x[d];
    else
      r.extent.push_back(x[d]), r.reduced.push_back(reduced[d]);
  }
  return r;
}

// N39: which of onnxruntime's forms sums these axes.
Result<void> write_vector_reduction(NodeWriter& w, const std::vector<bool>& reduced,
                                    std::string_view kind, std::string_view term) {
  const Shape& x = w.view().input(0).shape;
  const Axes a = axes_of(x, reduced);
  const Runs r = runs_of(x, reduced);
  const bool plain = (kind == "LS_SUM" && term == "LS_AS_IT_IS") || kind == "LS_MEAN";
  const std::size_t n = r.extent.size();
  std::string form = "LS_ONE_BY_ONE";
  std::int64_t outer = a.count(0), inner = 1;
  if (plain && n == 1 && !r.reduced[0]) {
    form = "LS_FROM_FIRST";
  } else if (plain && n <= 2 && (n == 0 || r.reduced[n - 1])) {
    form = "LS_BY_ROW";
  } else if (plain && n == 2) {
    form = "LS_FROM_FIRST";
  } else if (plain && n == 3) {
    form = r.reduced[1] ? "LS_BY_FOURS" : "LS_BY_ROW_AND_BLOCK";
    outer = r.extent[0], inner = r.reduced[1] ? r.extent[2] : r.extent[1];
  } else if (!plain && term != "LS_EXPONENTIAL" && std::ranges::all_of(reduced, std::identity{})) {
    form = "LS_BY_ROW";
  }
  LOCKSTEP_TRY(const std::string axes, axes_text(w, a));
  w.field("axes", axes);
  const bool blocks = form == "LS_BY_ROW_AND_BLOCK";
  w.field("outer", outer), w.field("reduced", blocks ? r.extent[2] : a.count(1));
  w.field("inner", inner), w.field("divisor", a.count(1));
  w.field("form", form);
  w.field("kind", std::string(kind)), w.field("term", std::string(term));
  w.uses("ls_vector_real.c");
  w.line("ls_reduce_vector_f32(" + w.params("ls_reduce_vector") + ", " + w.in(0, "float") + ", " +
         w.out(0, "float") + ");");
  return {};
}

// N109 over axes that lie apart; one of a single element parts its neighbours too.
Result<void> write_sums_apart(NodeWriter& w, const std::vector<bool>& reduced, float factor) {
  const Shape& x = w.view().input(0).shape;
  const Shape strides = strides_of(x);
  Axes a;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const std::size_t k = reduced[d] ? 1 : 0;
    if (d > 0 && reduced[d] == reduced[d - 1]) {
      a.extent[k].back() *= x[d], a.stride[k].back() = strides[d];
    } else {
      a.extent[k].push_back(x[d]), a.stride[k].push_back(strides[d]);
    }
  }
  LOCKSTEP_TRY(const std::string axes, axes_text(w, a));
  w.uses("ls_fused_real.c");
  const std::string at = w.constant_line("ls_axes", "axes", axes);
  w.line("ls_fused_sums_apart_f32(" + at + ", " + w.in(0, "float") + ", " + w.out(0, "float") +
         ", " + (reduced.back() ? "1" : "0") + ", " + c_float(factor) + ");");
  return {};
}

// N109.
Result<void> write_fused_sums(NodeWriter& w, const std::vector<bool>& reduced, bool mean) {
  const Shape& x = w.view().input(0).shape;
  std::int64_t outer = 1, count = 1, inner = 1;
  bool apart = false, seen = false, behind = false;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (reduced[d])
      apart |= behind, seen = true, count *= x[d];
    else
      behind = seen, (seen ? inner : outer) *= x[d];
  }
  const float factor = mean ? 1.0f / static_cast<float>(count) : 1.0f;
  if (apart) return write_sums_apart(w, reduced, factor);
  w.uses("ls_fused_real.c");
  w.line("ls_fused_sums_f32(" + w.in(0, "float") + ", " + w.out(0, "float") + ", " +
         std::to_string(outer) + ", " + std::to_string(count) + ", " + std::to_string(inner) +
         ", " + (seen && !behind ? "1" : "0") + ", " + c_float(factor) + ");");
  return {};
}

}  // namespace

Result<void> write_real_reduction(NodeWriter& w, const std::vector<bool>& reduced, const char* kind,
                                  const char* term) {
  const Axes a = axes_of(w.view().input(0).shape, reduced);
  if (!is_real(w.view()))
    return w.unsupported(w.view().node.op + " of " + std::string(name_of(w.view().input(0).dtype)));
  // onnxruntime sums in vectors of its own (N49).
  const bool choice =
      std::string_view(kind) == "LS_GREATEST" || std::string_view(kind) == "LS_LEAST";
  if (w.num().real.functions && w.num().real.functions->reduce && !choice)
    return write_vector_reduction(w, reduced, kind, term);
  const std::string_view sort = kind;
  if (sums_from_bias(w.num()) && std::string_view(term) == "LS_AS_IT_IS" &&
      (sort == "LS_SUM" || sort == "LS_MEAN"))
    return write_fused_sums(w, reduced, sort == "LS_MEAN");
  LOCKSTEP_TRY(const std::string axes, axes_text(w, a));
  w.field("axes", axes);
  w.field("kind", kind);
  w.field("term", term);
  w.field("single", w.num().real.in_order && std::string_view(kind) != "LS_PRODUCT" ? 1 : 0);
  w.uses("ls_sum_real.c");
  w.line("ls_reduce_f32(" + w.params("ls_reduce_real") + ", " + w.in(0, "float") + ", " +
         w.out(0, "float") + ");");
  return {};
}

// GlobalAveragePool of reals: planes in the arithmetic's order.
Result<void> write_plane_mean(NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape& x = v.input(0).shape;
  const bool last = v.attrs().text("layout", "NCHW") == "NHWC";
  const std::int64_t channels = last ? x.back() : x[1];
  const bool blocked = v.attrs().text("kernel", "") == "blocked";
  w.uses("ls_sum_real.c");
  w.line("ls_plane_mean_f32(" + w.in(0, "float") + ", " + w.out(0, "float") + ", " +
         std::to_string(x[0] * channels) + ", " + std::to_string(count_of(x) / (x[0] * channels)) +
         ", " + std::to_string(last ? channels : 1) + ", " +
         (blocked                   ? "LS_STRAIGHT"
          : w.num().real.plane_mean ? "LS_LANES"
                                    : "LS_DOUBLE") +
         ");");
  return {};
}

}  // namespace lockstep
