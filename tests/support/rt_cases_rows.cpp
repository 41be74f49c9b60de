// Problems along axes: reductions, softmax, order, choice by place.
#include <array>
#include <cmath>

#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

std::optional<KernelCase> row_codes(CaseMaker& m) {
  static constexpr std::array names{"Softmax", "LogSoftmax", "L2Normalization"};
  CaseBuilder b(one_of(m, names));
  const bool real = m.from(0, 3) == 0;
  const DType t = real ? DType::f32 : code_type(m);
  const Shape x = small_shape(m, m.from(1, 3));
  b.input(real ? m.reals(x) : m.codes(t, x), real ? QuantParams{} : quant_of(m, t), false);
  if (real && b.node().op == "L2Normalization")
    b.node().attrs.set("activation", std::string("relu"));
  QuantParams q;
  // The one output quantization that TFLite takes, and any.
  const bool fixed = m.coin();
  if (!real) q = quant_of(m, t);
  if (!real && fixed && t != DType::i16) {
    const bool log = b.node().op == "LogSoftmax", length = b.node().op == "L2Normalization";
    q.scale = {log ? 16.0 / 256 : length ? 1.0 / 128 : 1.0 / 256};
    q.zero = {log ? 127 : length ? 0 : -128};
    if (t == DType::u8) q.zero[0] += 128;
  }
  if (!real && t == DType::i16 && b.node().op == "Softmax") q.scale = {1.0 / 32768};
  return b.finish(t, q);
}

std::optional<KernelCase> reduction(CaseMaker& m) {
  static constexpr std::array names{"ReduceSum",  "ReduceMean", "ReduceMax", "ReduceMin",
                                    "ReduceProd", "ReduceL1",   "ReduceL2",  "ReduceSumSquare"};
  CaseBuilder b(one_of(m, names));
  const DType t = m.coin() ? DType::f32 : code_type(m);
  const std::int64_t rank = m.from(1, 4);
  const Shape x = small_shape(m, rank);
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  std::vector<std::int64_t> axes;
  for (std::int64_t a = 0; a < rank; ++a)
    if (m.coin()) axes.push_back(a);
  if (!axes.empty()) b.node().attrs.set("axes", axes);
  b.node().attrs.set("keepdims", m.from(0, 1));
  return b.finish(t, t == DType::f32 ? q : m.coin() ? q : quant_of(m, t));
}

std::optional<KernelCase> gather(CaseMaker& m) {
  CaseBuilder b("Gather");
  const std::int64_t rank = m.from(1, 3), axis = m.from(0, rank - 1);
  const Shape x = small_shape(m, rank);
  const DType t = m.coin() ? DType::f32 : code_type(m);
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, m.coin());
  Tensor at(DType::i32, small_shape(m, m.from(0, 2)));
  for (std::int64_t i = 0; i < at.count(); ++i)
    at.set_code(i, m.from(0, x[static_cast<std::size_t>(axis)] - 1));
  b.input(std::move(at), {}, false);
  b.node().attrs.set("axis", axis);
  return b.finish(t, q);
}

std::optional<KernelCase> greatest_place(CaseMaker& m) {
  static constexpr std::array names{"ArgMax", "ArgMin"};
  CaseBuilder b(one_of(m, names));
  const std::int64_t rank = m.from(1, 3);
  const DType t = m.coin() ? DType::f32 : code_type(m);
  const Shape x = small_shape(m, rank);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x),
          t == DType::f32 ? QuantParams{} : quant_of(m, t), false);
  b.node().attrs.set("axis", m.from(0, rank - 1));
  b.node().attrs.set("keepdims", m.from(0, 1));
  return b.finish(DType::i64, {});
}

std::optional<KernelCase> normalization(CaseMaker& m) {
  CaseBuilder b("LayerNormalization");
  const Shape x = small_shape(m, 2);
  b.input(m.reals(x), {}, false);
  b.input(m.reals({x[1]}), {}, true);
  if (m.coin()) b.input(m.reals({x[1]}), {}, true);
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> planes(CaseMaker& m) {
  static constexpr std::array names{"InstanceNormalization", "GroupNormalization",
                                    "LpNormalization",       "ReduceLogSumExp",
                                    "ReduceLogSum",          "Celu",
                                    "GlobalAveragePool"};
  CaseBuilder b(one_of(m, names));
  const std::string op = b.node().op;
  const Shape x{m.from(1, 2), 2 * m.from(1, 4), m.from(1, 9), m.from(1, 9)};
  Tensor t = m.reals(x);
  if (op == "ReduceLogSum")
    for (float& v : t.as<float>()) v = std::abs(v) + 0.01f;
  b.input(std::move(t), {}, false);
  if (op.starts_with("Instance") || op.starts_with("Group"))
    b.input(m.reals({x[1]}), {}, true), b.input(m.reals({x[1]}), {}, true);
  if (op.starts_with("Group")) b.node().attrs.set("num_groups", std::int64_t{2});
  if (op.starts_with("Lp"))
    b.node().attrs.set("axis", m.from(0, 3)), b.node().attrs.set("p", m.from(1, 2));
  if (op.starts_with("Reduce"))
    b.node().attrs.set("axes", std::vector<std::int64_t>{m.from(0, 1), m.from(2, 3)});
  return b.finish(DType::f32, {});
}

// Of the k greatest, only the values: what is compared is one output.
std::optional<KernelCase> in_order(CaseMaker& m) {
  CaseBuilder b(m.coin() ? "TopK" : "CumSum");
  const std::int64_t rank = m.from(1, 3), axis = m.from(0, rank - 1);
  const Shape x = small_shape(m, rank);
  const bool top = b.node().op == "TopK", real = m.coin();
  const DType t = real ? DType::f32 : top ? DType::i8 : DType::i32;
  Tensor in = real ? m.reals(x) : Tensor(t, x);
  for (std::int64_t i = 0; i < in.count(); ++i)
    if (!real || m.from(0, 3) == 0) in.set_number(i, static_cast<double>(m.from(-4, 4)));
  b.input(std::move(in), {}, false);
  if (top) {
    b.node().attrs.set("k", m.from(1, x[static_cast<std::size_t>(axis)]));
    b.node().attrs.set("axis", axis);
    b.node().attrs.set("largest", m.from(0, 1));
  } else {
    Tensor at(DType::i64, {});
    at.set_code(0, axis);
    b.input(std::move(at), {}, true);
    b.node().attrs.set("exclusive", m.from(0, 1)), b.node().attrs.set("reverse", m.from(0, 1));
  }
  return b.finish(t, {});
}

std::optional<KernelCase> picked(CaseMaker& m) {
  CaseBuilder b(m.coin() ? "GatherElements" : "Trilu");
  const Shape x{m.from(1, 5), m.from(1, 6), m.from(1, 7)};
  const DType t = m.coin() ? DType::f32 : DType::i8;
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  if (b.node().op == "GatherElements") {
    Tensor at(DType::i64, {x[0], m.from(1, 9), x[2]});
    for (std::int64_t i = 0; i < at.count(); ++i) at.set_code(i, m.from(-x[1], x[1] - 1));
    b.input(std::move(at), {}, true);
    b.node().attrs.set("axis", std::int64_t{1});
  } else {
    Tensor k(DType::i64, {});
    k.set_code(0, m.from(-3, 3));
    b.input(std::move(k), {}, true);
    b.node().attrs.set("upper", m.from(0, 1));
  }
  return b.finish(t, q);
}

constexpr RtSource sources[] = {
    {"rows", row_codes, 4},
    {"reduction", reduction, 5},
    {"gather", gather},
    {"arg", greatest_place},
    {"normalization", normalization},
    {"planes", planes, 2},
    {"order", in_order},
    {"picked", picked},
};

}  // namespace

std::span<const RtSource> rt_rows() {
  return sources;
}

}  // namespace lockstep::test
