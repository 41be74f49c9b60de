#include <cmath>
#include <limits>

#include "support/kernel_case.h"

namespace lockstep::test {
namespace {

Shape places_shape(CaseMaker& m) {
  Shape s;
  for (std::int64_t rank = m.from(1, 4); rank > 0; --rank)
    s.push_back(m.from(1, rank == 1 || m.from(0, 9) == 0 ? 90 : 5));
  return s;
}

std::optional<KernelCase> scaled(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  const DType t = m.byte_type();
  const Shape shape = places_shape(m);
  const QuantParams q = m.quant(t);
  Tensor zero(t, {});
  zero.set_code(0, q.zero[0]);
  if (op == "QuantizeLinear") {
    Tensor x = m.reals(shape);
    for (float& v : x.as<float>()) {
      const auto kind = m.from(0, 9);
      // Ties, far values, and what is no number.
      if (kind == 0)
        v = (static_cast<float>(m.from(-300, 300)) + 0.5f) * static_cast<float>(q.scale[0]);
      if (kind == 1) v = m.coin() ? 3e38f : -std::numeric_limits<float>::infinity();
      if (kind == 2) v = std::numeric_limits<float>::quiet_NaN();
    }
    b.input(std::move(x), {}, false);
  } else {
    b.input(m.codes(t, shape), q, false);
  }
  b.input(Tensor::scalar(static_cast<float>(q.scale[0])), {}, true);
  if (q.zero[0] != 0 || m.coin()) b.input(zero, {}, true);
  return op == "QuantizeLinear" ? b.finish(t, q) : b.finish(DType::f32, {});
}

std::optional<KernelCase> pair(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  Shape shape = places_shape(m);
  if (m.from(0, 7) == 0) shape.assign(shape.size(), 1);  // neither operand moves
  if (m.from(0, 2) == 0) {
    b.input(m.reals(shape), {}, false);
    b.input(m.reals(shape), {}, false);
    return b.finish(DType::f32, {});
  }
  const DType t = m.from(0, 3) == 0 ? DType::i16 : m.byte_type();
  const bool held = t != DType::i16 && m.coin();  // int8 codes as uint8, beside uint8 ones
  const auto type = [&] { return held && m.coin() ? m.byte_type() : t; };
  const std::int64_t constant = m.from(0, 5);
  const bool spread = m.coin(), far = op == "Add" && m.coin();  // scales far apart: N110
  for (int i = 0; i < 2; ++i) {
    Shape s = shape;
    for (std::size_t d = 0; spread && d < s.size(); ++d)
      if (m.from(0, 2) == 0) s[d] = 1;
    if (spread && m.from(0, 3) == 0)
      s.erase(s.begin(), s.begin() + m.from(0, static_cast<std::int64_t>(s.size())));
    const DType of = type();
    QuantParams q = m.quant(of);
    if (far && i == 0)
      q.scale[0] =
          std::ldexp(q.scale[0], static_cast<int>(m.coin() ? m.from(9, 12) : m.from(-14, -11)));
    b.input(m.codes(of, s), q, i == constant);
  }
  if (held) b.node().attrs.set(m.coin() ? "codes" : "makes", std::string("unsigned"));
  if (m.coin()) b.node().attrs.set("activation", std::string(m.coin() ? "relu" : "relu6"));
  const DType made = type();
  return b.finish(made, m.quant(made));
}

std::optional<KernelCase> pooling(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  const bool nhwc = m.coin();
  Shape x{m.from(1, 2), m.from(1, 12), m.from(1, 12)};
  const std::int64_t channels = m.from(1, 150);
  nhwc ? x.push_back(channels) : static_cast<void>(x.insert(x.begin() + 1, channels));
  const DType t = op == "MaxPool" && m.from(0, 2) == 0 ? DType::f32 : m.byte_type();
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string(nhwc ? "NHWC" : "NCHW"));
  if (op != "GlobalAveragePool") {
    a.set("kernel_shape", std::vector<std::int64_t>{m.from(1, 4), m.from(1, 4)});
    a.set("strides", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3)});
    a.set("pads",
          std::vector<std::int64_t>{m.from(0, 1), m.from(0, 1), m.from(0, 1), m.from(0, 1)});
    if (t != DType::f32 && m.coin()) a.set("activation", std::string("relu"));
    if (op == "AveragePool" && m.coin()) {  // int8 codes held as uint8, on one side or both
      a.set("makes", std::string("unsigned"));
      const DType made = m.byte_type();
      return b.finish(made, m.quant(made));
    }
    return b.finish(t, op == "MaxPool" || m.coin() ? q : m.quant(t));
  }
  return b.finish(t, m.quant(t));
}

std::optional<KernelCase> move(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  Shape x;
  const auto rank = static_cast<std::size_t>(m.from(1, 4));
  for (std::size_t a = 0; a < rank; ++a) x.push_back(m.from(1, 9));
  const DType t = m.coin() ? DType::f32 : m.byte_type();
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  const auto list = [&](std::int64_t low, std::int64_t high, std::size_t n) {
    Tensor v(DType::i64, {static_cast<std::int64_t>(n)});
    for (auto& e : v.as<std::int64_t>()) e = m.from(low, high);
    return v;
  };
  if (op == "Transpose") {
    std::vector<std::int64_t> perm;
    for (std::size_t a = 0; a < rank; ++a)
      perm.insert(perm.begin() + m.from(0, static_cast<std::int64_t>(a)),
                  static_cast<std::int64_t>(a));
    b.node().attrs.set("perm", perm);
  } else if (op == "Pad") {
    b.input(list(0, 4, 2 * rank), {}, true);
    constexpr const char* modes[] = {"edge", "reflect", "symmetric", "wrap"};
    if (m.from(0, 2) == 0)
      b.node().attrs.set("mode", std::string(modes[m.from(0, 3)]));
    else if (m.coin())
      b.input(t == DType::f32 ? Tensor::scalar(1.5f) : m.codes(t, {}), {}, true);
    else if (m.coin())
      b.node().attrs.set("fill", std::string("zero_point"));
  } else {
    b.input(list(0, 4, rank), {}, true);
    b.input(list(3, 12, rank), {}, true);
    Tensor axes(DType::i64, {static_cast<std::int64_t>(rank)});
    for (std::size_t a = 0; a < rank; ++a)
      axes.as<std::int64_t>()[a] = static_cast<std::int64_t>(a);
    if (op == "Slice") b.input(std::move(axes), {}, true);
    if (op == "StridedSlice" && m.coin()) b.node().attrs.set("shrink_axis_mask", m.from(0, 3));
    b.input(list(1, 2, rank), {}, true);
  }
  return b.finish(t, q);
}

// Elements that are repeated, turned round, or change between places and channels.
std::optional<KernelCase> rearrange(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  const bool four = op != "Expand" && op != "Tile" && op != "Reverse";
  Shape x;
  const std::int64_t rank = four ? 4 : m.from(1, 4), block = m.from(1, 3);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, 7));
  const bool nhwc = m.coin();
  if (op == "DepthToSpace") x[nhwc ? 3 : 1] = block * block * m.from(1, 4);
  if (op == "SpaceToDepth")
    for (std::size_t a = nhwc ? 1 : 2; a < (nhwc ? 3u : 4u); ++a) x[a] = block * m.from(1, 4);
  // Places before and behind each of two axes.
  std::int32_t fills[4] = {};
  if (op == "SpaceToBatch" || op == "BatchToSpace")
    for (std::int32_t& f : fills) f = m.coin() ? 0 : static_cast<std::int32_t>(m.from(0, 2));
  if (op == "BatchToSpace") {
    x[0] *= block * block;
    for (std::size_t a = 0; a < 2; ++a)
      if (x[a + 1] * block < fills[2 * a] + fills[2 * a + 1]) return {};
  }
  for (std::size_t a = 0; op == "SpaceToBatch" && a < 2; ++a)
    if ((x[a + 1] + fills[2 * a] + fills[2 * a + 1]) % block != 0) return {};
  const DType t = m.coin() ? DType::f32 : m.byte_type();
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  Shape target = x;
  for (auto& e : x)
    if (op == "Expand" && m.coin()) e = 1;
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  const auto list = [&](const Shape& of, DType type) {
    Tensor v(type, {static_cast<std::int64_t>(of.size())});
    for (std::size_t i = 0; i < of.size(); ++i) v.set_code(static_cast<std::int64_t>(i), of[i]);
    b.input(std::move(v), {}, true);
  };
  if (op == "Expand") list(target, DType::i64);
  if (op == "Tile") {
    for (auto& e : target) e = m.from(1, 3);
    list(target, DType::i64);
  }
  if (op == "Gather") {
    const std::int64_t axis = m.from(0, rank - 1);
    Shape picks;
    for (std::int64_t i = 0, n = m.from(1, 9); i < n; ++i)
      picks.push_back(m.from(0, x[static_cast<std::size_t>(axis)] - 1));
    list(picks, DType::i64);
    b.node().attrs.set("axis", axis);
  }
  if (op == "SpaceToBatch" || op == "BatchToSpace") {
    list({block, block}, DType::i32);
    Tensor ends(DType::i32, {2, 2});
    for (int i = 0; i < 4; ++i) ends.as<std::int32_t>()[static_cast<std::size_t>(i)] = fills[i];
    b.input(std::move(ends), {}, true);
  }
  if (op == "SpaceToBatch" && m.coin()) b.node().attrs.set("fill", std::string("zero"));
  if (op == "Reverse") list({m.from(0, rank - 1)}, DType::i32);
  if (op == "ResizeNearest") {
    list({m.from(1, 15), m.from(1, 15)}, DType::i32);
    b.node().attrs.set(m.coin() ? "align_corners" : "half_pixel_centers", m.from(0, 1));
  }
  b.node().attrs.set("blocksize", block);
  b.node().attrs.set("layout", std::string(nhwc ? "NHWC" : "NCHW"));
  if (op == "DepthToSpace" && m.coin()) b.node().attrs.set("mode", std::string("CRD"));
  return b.finish(t, q);
}

std::optional<KernelCase> mean(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  Shape x;
  const auto rank = m.from(1, 5);
  for (std::int64_t a = 0; a < rank; ++a)
    x.push_back(m.from(1, 3) == 1 ? m.from(1, 40) : m.from(1, 5));
  const DType t = m.byte_type();
  b.input(m.codes(t, x), m.quant(t), false);
  std::vector<std::int64_t> axes;
  for (std::int64_t a = 0; a < rank; ++a)
    if (m.coin()) axes.push_back(m.coin() ? a : a - rank);
  if (!axes.empty()) b.node().attrs.set("axes", axes);
  b.node().attrs.set("keepdims", m.from(0, 1));
  return b.finish(t, m.quant(t));
}

std::optional<KernelCase> concat(CaseMaker& m) {
  CaseBuilder b("Concat");
  Shape x;
  const auto rank = m.from(1, 4), axis = m.from(0, rank - 1);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, 9));
  const DType t = m.coin() ? DType::f32 : m.byte_type();
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  const std::int64_t constant = m.from(0, 5);
  for (std::int64_t i = 0, n = m.from(1, 4); i < n; ++i) {
    x[static_cast<std::size_t>(axis)] = m.from(1, 70);
    const QuantParams own = t == DType::f32 || m.coin() ? q : m.quant(t);
    b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), own, i > 0 && i == constant);
  }
  b.node().attrs.set("axis", m.coin() ? axis : axis - rank);
  b.node().attrs.set("requantize", m.from(0, 2));
  return b.finish(t, q);
}

}  // namespace

std::optional<KernelCase> kernel_case(const Kernel& kernel, std::uint64_t seed) {
  CaseMaker m(seed);
  const bool words = kernel.name.find("16_") != std::string_view::npos;
  const std::string_view op = kernel.ops[static_cast<std::size_t>(
      m.from(0, static_cast<std::int64_t>(kernel.ops.size()) - 1))];
  if (kernel.name == "reals_rows" || kernel.name == "reals_maps")
    return rows_case(m, std::string(op));
  if (kernel.name == "quantize_wide") return quantize_wide_case(m);
  if (op == "LayerNormalization") return layer_case(m);
  if (op == "Where") return where_case(m);
  if (kernel.name == "many_rows") return many_case(m, std::string(op));
  if (kernel.name == "dequantize_rows") return dequantize_case(m);
  if (kernel.name == "products_reals" || kernel.name == "dnnl_products")
    return real_product_case(m, std::string(op));
  if (kernel.name == "codes_rows") return codes_rows_case(m, std::string(op));
  if (kernel.name == "products_codes") return code_product_case(m);
  const bool reals = kernel.name.starts_with("reals") || kernel.library;
  const ConvolutionOf of = reals   ? ConvolutionOf::reals
                           : words ? ConvolutionOf::words
                                   : ConvolutionOf::bytes;
  if (op == "GRU" || op == "LSTM" || op == "RNN") return recurrent_case(m, std::string(op));
  if (op == "SequenceLstm") return lstm_codes_case(m);
  if (op == "Svdf") return svdf_codes_case(m);
  if (op == "Resize") return resize_case(m, kernel.name == "moves");
  if (kernel.name == "plane_means") return plane_case(m);
  if (kernel.name == "window_means") return window_mean_case(m);
  if (op == "ReduceMax" || op == "ReduceMin") return choice_case(m, std::string(op));
  if (op == "ArgMax" || op == "ArgMin")
    return arg_case(m, std::string(op), reals || kernel.name == "arg_reals");
  if (op == "ResizeBilinear") return bilinear_case(m);
  if (op == "Softmax") return softmax_case(m);
  if (op == "LogSoftmax" || op == "L2Normalization" || op == "Pack")
    return code_rows_case(m, std::string(op));
  if (op == "ConvTranspose") return transposed_case(m, of);
  if (op == "Conv") return convolution_case(m, of);
  if (reals && (op == "Gemm" || op == "MatMul")) return real_product_case(m, std::string(op));
  if (op == "MatMul" && words) return word_product_case(m);
  if (op == "MatMul" && m.coin()) return code_product_case(m);
  if (op == "Gemm" || op == "MatMul") return product_case(m, words);
  if (op == "QuantizeLinear" || op == "DequantizeLinear") return scaled(m, std::string(op));
  if (op == "Add" || op == "Sub" || op == "Mul") return pair(m, std::string(op));
  if (op == "ReduceMean" || op == "ReduceSum") return mean(m, std::string(op));
  if (op == "Concat") return concat(m);
  if (op == "Transpose" || op == "Pad" || op == "Slice" || op == "StridedSlice")
    return move(m, std::string(op));
  if (kernel.name == "moves") return rearrange(m, std::string(op));
  if (op == "MaxPool" || op == "AveragePool" || op == "GlobalAveragePool")
    return pooling(m, std::string(op));
  return {};
}

}  // namespace lockstep::test
