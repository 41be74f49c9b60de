// y[...,n] = sum_k x[...,k] * (code[n,k] - zero[n,k / block_size]) * scale[n,k / block_size] +
// bias[n] (N112)
#include <algorithm>

#include "base/text.h"
#include "num/real_functions.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {
    {"x"}, {"codes"}, {"scale"}, {"zero", Slot::optional}, {"bias", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"K", "", "length of the sums"},
    {"N", "", "columns of y"},
    {"bits", "4", "of a code; those of 4 stand two in a byte, the first in its lower half"},
    {"block_size", "", "neighbours along k that share scale and zero point"},
    {"accuracy_level", "0", "4: the runtime codes x as well"},
};

struct Sizes {
  std::int64_t k, n, bits, block, blocks;
};
Sizes sizes_of(const NodeView& v) {
  const auto bounded = [&](const char* name) {
    return std::clamp<std::int64_t>(v.attrs().integer(name, 0), 0, 1 << 30);
  };
  Sizes s{bounded("K"), bounded("N"), v.attrs().integer("bits", 4), bounded("block_size"), 0};
  s.blocks = s.block > 0 ? (s.k + s.block - 1) / s.block : 0;
  return s;
}

constexpr Rule rules[] = {
    {"bits are 4 or 8, block_size is a power of two from 16 on, K and N are positive",
     [](const NodeView& v) {
       const Sizes s = sizes_of(v);
       return (s.bits == 4 || s.bits == 8) && s.block >= 16 && (s.block & (s.block - 1)) == 0 &&
              s.k > 0 && s.n > 0;
     }},
    {"x is float32 with a last axis of K",
     [](const NodeView& v) {
       return v.input(0).dtype == DType::f32 && !v.input(0).shape.empty() &&
              v.input(0).shape.back() == sizes_of(v).k;
     }},
    {"codes are uint8, N columns of whole blocks",
     [](const NodeView& v) {
       const Sizes s = sizes_of(v);
       return v.input(1).dtype == DType::u8 &&
              count_of(v.input(1).shape) == s.n * s.blocks * (s.block * s.bits / 8);
     }},
    {"scale is float32 with an element for each block",
     [](const NodeView& v) {
       const Sizes s = sizes_of(v);
       return v.input(2).dtype == DType::f32 && count_of(v.input(2).shape) == s.n * s.blocks;
     }},
    {"zero is uint8, packed like the codes column by column",
     [](const NodeView& v) {
       const Sizes s = sizes_of(v);
       return !v.has_input(3) ||
              (v.input(3).dtype == DType::u8 &&
               count_of(v.input(3).shape) == s.n * ((s.blocks * s.bits + 7) / 8));
     }},
    {"bias is float32 with N elements",
     [](const NodeView& v) {
       return !v.has_input(4) ||
              (v.input(4).dtype == DType::f32 && v.input(4).shape == Shape{sizes_of(v).n});
     }},
};

Result<std::vector<Facts>> infer(const NodeView& v) {
  Shape y = v.input(0).shape;
  y.back() = sizes_of(v).n;
  return std::vector<Facts>{{DType::f32, std::move(y), {}}};
}

int code_at(std::span<const std::uint8_t> bytes, std::int64_t i, std::int64_t bits) {
  if (bits == 8) return bytes[static_cast<std::size_t>(i)];
  const std::uint8_t both = bytes[static_cast<std::size_t>(i / 2)];
  return i % 2 == 0 ? both & 15 : both / 16;
}

// The weights as reals, [n, k].
std::vector<float> weights_of(const EvalContext& c, const Sizes& s) {
  const auto codes = c.in[1]->as<std::uint8_t>();
  const auto scale = c.in[2]->as<float>();
  const bool has_zero = c.in.size() > 3 && c.in[3];
  const std::int64_t zero_row = (s.blocks * s.bits + 7) / 8;
  std::vector<float> w(static_cast<std::size_t>(s.n * s.k));
  for (std::int64_t n = 0; n < s.n; ++n)
    for (std::int64_t b = 0; b < s.blocks; ++b) {
      const int zero =
          has_zero
              ? code_at(c.in[3]->as<std::uint8_t>().subspan(static_cast<std::size_t>(n * zero_row)),
                        b, s.bits)
              : 1 << (s.bits - 1);
      const float step = scale[static_cast<std::size_t>(n * s.blocks + b)];
      for (std::int64_t k = b * s.block; k < std::min(s.k, (b + 1) * s.block); ++k)
        w[static_cast<std::size_t>(n * s.k + k)] =
            static_cast<float>(
                code_at(codes, (n * s.blocks + b) * s.block + k - b * s.block, s.bits) - zero) *
            step;
    }
  return w;
}

void in_double(const MatrixProblem& p, const float* bias) {
  for (std::int64_t i = 0; i < p.m * p.n; ++i) {
    const float *const x = p.a + i / p.n * p.k, *const w = p.b + i % p.n * p.k;
    double sum = bias ? static_cast<double>(bias[i % p.n]) : 0;
    for (std::int64_t k = 0; k < p.k; ++k)
      sum += static_cast<double>(x[k]) * static_cast<double>(w[k]);
    p.y[i] = static_cast<float>(sum);
  }
}

Result<void> eval(EvalContext& c) {
  const Sizes s = sizes_of(c.view);
  const auto w = weights_of(c, s);
  const auto y = c.out[0].as<float>();
  const float* const bias = c.in.size() > 4 && c.in[4] ? c.in[4]->as<float>().data() : nullptr;
  MatrixProblem p{.m = c.in[0]->count() / s.k,
                  .n = s.n,
                  .k = s.k,
                  .a = c.in[0]->as<float>().data(),
                  .b = w.data(),
                  .y = y.data(),
                  .b_transposed = true};
  if (p.m == 0) return {};
  if (!c.num.real.matrix || !c.num.real.functions || !c.num.real.functions->product_of_codes)
    return in_double(p, bias), Result<void>();
  const Value& codes = c.view.input(1);
  const bool stored = codes.constant && !codes.folded && s.bits == 4 && s.block <= 256;
  if (bias && !stored) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = bias[i % static_cast<std::size_t>(s.n)];
    p.start = true;
  }
  if (!stored) return c.num.real.matrix(p), Result<void>();
  c.num.real.functions->product_of_codes(p);
  for (std::size_t i = 0; bias && i < y.size(); ++i)
    y[i] += bias[i % static_cast<std::size_t>(s.n)];
  return {};
}

Cost cost(const NodeView& v) {
  return Cost{count_of(v.input(0).shape) * sizes_of(v).n};
}

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"K", "N", "bits", "block_size", "accuracy_level"}));
  if (has_input(f, 4))
    return Error{f.where, "an order of groups (g_idx)", "blocks of neighbours",
                 "quantize without act_order"};
  std::vector<ValueId> operands(
      f.inputs.begin(), f.inputs.begin() + std::min<std::ptrdiff_t>(std::ssize(f.inputs), 4));
  if (has_input(f, 5)) operands.resize(4, no_id), operands.push_back(f.inputs[5]);
  return add_like(f, graph, "MatMulNBits", std::move(operands), f.attrs);
}

constexpr Foreign from[] = {{Format::onnx, "com.microsoft:MatMulNBits", from_onnx}};

}  // namespace

extern constinit const OpDef op_mat_mul_n_bits = {
    .name = "MatMulNBits",
    .meaning =
        "y[...,n] = sum_k x[...,k] * (code[n,k] - zero) * scale + bias[n], a scale and a zero "
        "point for each block along k",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
