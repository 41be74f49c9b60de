// Sums of float32 products and windows to C, each in the order of its arithmetic.
#include <algorithm>

#include "emit/any.h"
#include "num/ort_float.h"
#include "num/xnnpack_float.h"
#include "op/op_matrix.h"
#include "op/op_pool.h"
#include "op/op_pool_columns.h"

namespace lockstep {

Result<void> write_real_window(NodeWriter& w, const Window& g, std::span<const double> weights,
                               std::int64_t outputs, bool transposed) {
  const NodeView& v = w.view();
  // N30 and N31 over the channels of a transposed convolution; else plain.
  const bool by_matrix = transposed && w.num().real.matrix && !g.channels_last &&
                         v.attrs().text("weights", "IOHW") == "IOHW";
  write_window(w, g, outputs);
  const bool begins =
      sums_from_bias(w.num()) && g.spatial_rank <= 2 && v.attrs().text("kernel", "") != "left";
  const std::int64_t taps = g.kernel_count();
  const bool columns = !transposed && outputs == g.channels &&
                       v.attrs().integer("group", 1) == outputs && taps <= xnnpack_most_column_taps;
  w.field("order", begins              ? (columns ? "LS_FROM_BIAS_COLUMNS" : "LS_FROM_BIAS")
                   : !by_matrix        ? "LS_PLAIN"
                   : g.in_count() == 1 ? "LS_ROUNDED_FOURS"
                                       : "LS_FUSED_PIECES");
  w.field("block", 128);
  LOCKSTEP_CHECK(write_bounds(w));
  w.field("transposed", transposed ? 1 : 0);
  w.field("by_tap", transposed ? 1 : 0);
  w.field("weights", w.constants().add("float", weights, w.label() + "_weights"));
  w.field("bias",
          v.constant(2) ? w.constants().add_tensor(*v.constant(2), w.label() + "_bias") : "NULL");
  w.uses("ls_window_real.c");
  w.line("ls_conv_plain_f32(" + w.params("ls_conv_plain") + ", " + w.in(0, "float") + ", " +
         w.out(0, "float") + ");");
  return {};
}

// A window that is the whole input: four sums in turn (N39).
Result<void> write_whole_average(NodeWriter& w, const Window& g) {
  w.uses("ls_sum_real.c");
  w.line("ls_plane_mean_f32(" + w.in(0, "float") + ", " + w.out(0, "float") + ", " +
         std::to_string(g.batch * g.channels) + ", " + std::to_string(g.in_count()) +
         ", 1, LS_LANES);");
  return {};
}

Result<void> write_real_average(NodeWriter& w) {
  const NodeView& v = w.view();
  LOCKSTEP_TRY(const Window g, pool_window(v));
  const bool with_pads = v.attrs().integer("count_include_pad", 0) != 0;
  const bool library = averages_by_library(v, w.num(), g);
  const WindowMeanProblem problem = window_mean_problem(v, g);
  if (library && ort_mean_is_whole(problem)) return write_whole_average(w, g);
  const bool columns = library && ort_means_by_columns(problem);
  // The library divides by the whole window, even where that hangs over.
  const auto divided = [&](std::size_t d) {
    const std::int64_t padded = g.in[d] + g.begin[d] + g.end[d];
    return !with_pads ? 0
           : library  ? std::max(padded, (g.out[d] - 1) * g.strides[d] + g.kernel[d])
                      : padded;
  };
  write_window(w, g, g.channels);
  if (!is_flat(g)) w.field("padded_d", divided(0));
  w.field("padded_h", divided(1));
  w.field("padded_w", divided(2));
  LOCKSTEP_CHECK(write_bounds(w));
  w.field("empty", library ? "NAN" : "0.0f");
  w.field("columns", averages_by_columns(w.num(), g, with_pads) ? 2 : columns ? 1 : 0);
  w.uses("ls_window_real.c");
  w.line("ls_average_pool_f32(" + w.params("ls_average_real") + ", " + w.in(0, "float") + ", " +
         w.out(0, "float") + ");");
  return {};
}

std::int64_t unpacked_block(std::int64_t n, std::int64_t k) {
  std::int64_t block = 128;
  if (n >= k) return block;
  for (std::int64_t columns = 128; columns > 16 && columns / 2 >= n; columns /= 2) block *= 2;
  return block;
}

namespace {

// One product a[m,k] b[k,n] and how the arithmetic sums it.
struct Product {
  std::int64_t m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false, b_constant = false;
};

// N30 to N32.
void write_order(NodeWriter& w, const Product& p) {
  std::string order = "LS_MATRIX_PIECES";
  std::int64_t block = 128;
  bool across = false;
  if (p.b_constant) {
    block = 256;
  } else if (p.m == 1 && !p.trans_a) {
    order = p.trans_b ? "LS_MATRIX_EIGHTS" : "LS_MATRIX_FOURS";
  } else if (p.n == 1 && !p.trans_b) {
    order = p.trans_a ? "LS_MATRIX_FOURS" : "LS_MATRIX_EIGHTS";
    across = true;
  } else if (p.n == 1 && p.trans_b && p.k == 1) {
    order = p.trans_a ? "LS_MATRIX_FOURS" : "LS_MATRIX_EIGHTS";
    across = true;
  } else if (!p.trans_a) {
    block = unpacked_block(p.n, p.k);
  }
  w.field("order", order), w.field("block", block), w.field("across", across ? 1 : 0);
}

void write_strides(NodeWriter& w, const Product& p) {
  w.field("m", p.m), w.field("n", p.n), w.field("k", p.k);
  w.field("a_row", p.trans_a ? 1 : p.k), w.field("a_col", p.trans_a ? p.m : 1);
  w.field("b_row", p.trans_b ? 1 : p.n), w.field("b_col", p.trans_b ? p.k : 1);
}

void call_matrix(NodeWriter& w, const std::string& bias) {
  w.uses("ls_matrix_real.c");
  w.line("ls_matrix_f32(" + w.params("ls_matrix_real") + ", " + w.in(0, "float") + ", " +
         w.in(1, "float") + ", " + bias + ", " + w.out(0, "float") + ");");
}

}  // namespace

Result<void> write_real_gemm(NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.input(1).dtype != DType::f32) return w.unsupported("Gemm of float32 by codes");
  const Shape& b = v.input(1).shape;
  Product p;
  p.trans_a = v.attrs().integer("transA", 0) != 0, p.trans_b = v.attrs().integer("transB", 0) != 0;
  p.k = p.trans_b ? b[1] : b[0], p.n = p.trans_b ? b[0] : b[1];
  p.m = count_of(v.input(0).shape) / std::max<std::int64_t>(p.k, 1);
  p.b_constant = v.input(1).constant && !v.input(1).folded;
  const auto alpha = static_cast<float>(v.attrs().real("alpha", 1)),
             beta = static_cast<float>(v.attrs().real("beta", 1));
  w.field("count", 1);
  write_strides(w, p);
  const bool factors = alpha != 1 || (v.has_input(2) && beta != 1);
  if (w.num().real.matrix)
    write_order(w, p);
  else
    w.field("order", sums_from_bias(w.num()) && v.constant(1) && alpha == 1 && beta == 1
                         ? "LS_MATRIX_FROM_BIAS"
                         : "LS_MATRIX_PLAIN");
  w.field("factors", w.num().real.matrix && factors ? 1 : 0);
  w.field("alpha", c_float(alpha)), w.field("beta", c_float(beta));
  if (v.has_input(2)) {
    const Shape& c = v.input(2).shape;
    const std::int64_t cols = c.empty() ? 1 : c.back(), rows = c.size() > 1 ? c[c.size() - 2] : 1;
    w.field("bias_row", rows == 1 ? 0 : cols), w.field("bias_col", cols == 1 ? 0 : 1);
  }
  LOCKSTEP_CHECK(write_bounds(w));
  call_matrix(w, v.has_input(2) ? w.in(2, "float") : "NULL");
  return {};
}

Result<void> write_real_matmul(NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.input(1).dtype != DType::f32) return w.unsupported("MatMul of float32 by codes");
  LOCKSTEP_TRY(const MatrixPlan m, matrix_plan(v));
  Product p{m.m, m.n, m.k, m.trans_a, m.trans_b, false};
  const bool stored = v.input(1).constant && !v.input(1).folded && v.input(1).shape.size() == 2;
  const bool plain = !m.trans_a && !m.trans_b && m.k > 0;
  std::vector<std::int64_t> a_at, b_at;
  each_matrix(m, [&](std::int64_t, std::int64_t a, std::int64_t b) {
    a_at.push_back(a), b_at.push_back(b);
  });
  std::int64_t count = count_of(m.outer);
  if (plain && v.input(1).shape.size() == 2 && v.input(0).shape.size() >= 2) {
    p.m = count_of(v.input(0).shape) / m.k;  // rows of all of a's matrices are one product
    count = 1;
  }
  const bool by_rows = w.num().real.matrix && plain && v.input(1).shape.size() == 1;  // N106
  if (by_rows) p.m = 1;
  const auto step = [&](const std::vector<std::int64_t>& at) {
    return count > 1 ? at[1] - at[0] : 0;
  };
  for (std::size_t i = 0; count > 1 && i < a_at.size(); ++i)
    if (a_at[i] != static_cast<std::int64_t>(i) * step(a_at) ||
        b_at[i] != static_cast<std::int64_t>(i) * step(b_at))
      return w.unsupported("matrices spread over inner axes");
  p.b_constant = stored;
  w.field("count", by_rows ? count_of(v.input(0).shape) / m.k : count);
  w.field("a_step", by_rows ? m.k : step(a_at) * m.m * m.k),
      w.field("b_step", step(b_at) * m.k * m.n);
  write_strides(w, p);
  if (w.num().real.matrix && plain)
    write_order(w, p);
  else
    w.field("order", sums_from_bias(w.num()) ? "LS_MATRIX_FROM_BIAS" : "LS_MATRIX_PLAIN");
  w.field("alpha", "1.0f"), w.field("beta", "1.0f");
  w.field("low", "-INFINITY"), w.field("high", "INFINITY");
  call_matrix(w, "NULL");
  return {};
}

}  // namespace lockstep
