// Problems of windows and products.
#include <array>

#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

std::optional<KernelCase> wide_pool(CaseMaker& m) {
  static constexpr std::array names{"MaxPool", "AveragePool"};
  CaseBuilder b(one_of(m, names));
  const DType t = m.from(0, 2) == 0 ? DType::f32 : DType::i16;
  const Shape x{m.from(1, 2), m.from(1, 9), m.from(1, 9), m.from(1, 20)};
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string("NHWC"));
  a.set("kernel_shape", std::vector<std::int64_t>{m.from(1, 4), m.from(1, 4)});
  a.set("strides", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3)});
  a.set("pads", std::vector<std::int64_t>{m.from(0, 1), m.from(0, 1), m.from(0, 1), m.from(0, 1)});
  return b.finish(t, q);
}

std::optional<KernelCase> transposed_convolution(CaseMaker& m) {
  CaseBuilder b("ConvTranspose");
  const bool real = m.from(0, 2) == 0;
  const std::int64_t ic = m.from(1, 9), oc = m.from(1, 9), kh = m.from(1, 4), kw = m.from(1, 4);
  const DType t = m.coin() ? DType::i8 : m.coin() ? DType::u8 : DType::i16;
  const Shape x{m.from(1, 2), m.from(1, 6), m.from(1, 6), ic}, w{oc, kh, kw, ic};
  b.input(real ? m.reals(x) : m.codes(t, x), real ? QuantParams{} : quant_of(m, t), false);
  b.input(real ? m.reals(w) : m.codes(DType::i8, w),
          real ? QuantParams{} : m.quant(DType::i8, oc, 0, false), true);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string("NHWC"));
  a.set("weights", std::string("OHWI"));
  a.set("strides", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3)});
  return real ? b.finish(DType::f32, {}) : b.finish(t, quant_of(m, t));
}

std::optional<KernelCase> bilinear(CaseMaker& m) {
  CaseBuilder b("ResizeBilinear");
  const DType t = m.from(0, 2) == 0 ? DType::f32 : code_type(m);
  const Shape x{m.from(1, 2), m.from(1, 7), m.from(1, 7), m.from(1, 9)};
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  Tensor size(DType::i32, {2});
  size.set_code(0, m.from(1, 12)), size.set_code(1, m.from(1, 12));
  b.input(std::move(size), {}, true);
  b.node().attrs.set(m.coin() ? "align_corners" : "half_pixel_centers", m.from(0, 1));
  b.node().attrs.set("layout", std::string("NHWC"));
  return b.finish(t, q);
}

std::optional<KernelCase> integer_products(CaseMaker& m) {
  CaseBuilder b("MatMulInteger");
  const std::int64_t rows = m.from(1, 5), depth = m.from(1, 40), columns = m.from(1, 20);
  const DType t = m.byte_type();
  b.input(m.codes(t, {rows, depth}), {}, false);
  b.input(m.codes(DType::i8, {depth, columns}), {}, m.coin());
  return b.finish(DType::i32, {});
}

// Windows that see nothing but padding, and tensors of one element.
std::optional<KernelCase> all_padding(CaseMaker& m) {
  static constexpr std::array names{"Conv", "MaxPool", "AveragePool"};
  CaseBuilder b(one_of(m, names));
  const DType t = m.byte_type();
  const Shape x{1, m.from(1, 2), m.from(1, 2), m.from(1, 20)};
  const QuantParams q = m.quant(t);
  b.input(m.codes(t, x), q, false);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string("NHWC"));
  a.set("pads", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3), m.from(1, 3), m.from(1, 3)});
  if (b.node().op != "Conv") {
    a.set("kernel_shape", std::vector<std::int64_t>{m.from(1, 2), m.from(1, 2)});
    return b.finish(t, q);
  }
  const std::int64_t group = m.coin() ? x[3] : 1, outputs = group == 1 ? m.from(1, 9) : x[3];
  b.input(m.codes(DType::i8, {outputs, m.from(1, 2), m.from(1, 2), x[3] / group}),
          m.quant(DType::i8, outputs, 0, false), true);
  a.set("weights", std::string("OHWI"));
  a.set("group", group);
  return b.finish(t, m.quant(t));
}

std::optional<KernelCase> wide_matmul(CaseMaker& m) {
  CaseBuilder b("MatMul");
  const std::int64_t rows = m.from(1, 5), depth = m.from(1, 40), columns = m.from(1, 20);
  const QuantParams q = quant_of(m, DType::i16);
  b.input(m.codes(DType::i16, {rows, depth}), q, false);
  b.input(m.codes(DType::i16, {depth, columns}), quant_of(m, DType::i16), false);
  return b.finish(DType::i16, quant_of(m, DType::i16));
}

// Results of a finer scale than the products: multipliers above 1.
std::optional<KernelCase> finer(CaseMaker& m) {
  CaseBuilder b("Conv");
  const Shape x{1, m.from(1, 4), m.from(1, 4), m.from(1, 20)};
  b.input(m.codes(DType::i8, x), m.quant(DType::i8), false);
  const std::int64_t group = m.coin() ? x[3] : 1, outputs = group == 1 ? m.from(1, 20) : x[3];
  b.input(m.codes(DType::i8, {outputs, 1, 1, x[3] / group}), m.quant(DType::i8, outputs, 0, false),
          true);
  b.node().attrs.set("layout", std::string("NHWC"));
  b.node().attrs.set("weights", std::string("OHWI"));
  b.node().attrs.set("group", group);
  QuantParams y = m.quant(DType::i8);
  y.scale = {1e-6 * static_cast<double>(m.from(1, 400))};
  return b.finish(DType::i8, y);
}

// Rows of floats as long as vectors of positions, padded at either end.
std::optional<KernelCase> long_rows(CaseMaker& m) {
  CaseBuilder b("Conv");
  const std::int64_t channels = m.from(1, 5), group = m.coin() ? channels : 1,
                     filters = group * m.from(1, 3);
  const Shape x{1, channels, m.from(1, 3), m.from(14, 40)};
  b.input(m.reals(x), {}, false);
  b.input(m.reals({filters, channels / group, m.from(1, x[2]), m.from(1, 5)}), {}, true);
  if (m.coin()) b.input(m.reals({filters}), {}, true);
  Attrs& a = b.node().attrs;
  a.set("group", group);
  a.set("pads", std::vector<std::int64_t>{m.from(0, 1), m.from(0, 2), m.from(0, 1), m.from(0, 2)});
  a.set("strides", std::vector<std::int64_t>{1, m.from(1, 2)});
  return b.finish(DType::f32, {});
}

// Weights with a zero point, of either sign, under codes of either sign.
std::optional<KernelCase> odd_weights(CaseMaker& m) {
  CaseBuilder b("Conv");
  const DType t = m.byte_type(), w = m.byte_type();
  const Shape x{1, m.from(1, 5), m.from(1, 5), m.from(1, 40)};
  const std::int64_t group = m.coin() ? x[3] : 1, outputs = group == 1 ? m.from(1, 20) : x[3];
  b.input(m.codes(t, x), m.quant(t), false);
  b.input(m.codes(w, {outputs, m.from(1, x[1]), m.from(1, x[2]), x[3] / group}), m.quant(w), true);
  b.node().attrs.set("layout", std::string("NHWC"));
  b.node().attrs.set("weights", std::string("OHWI"));
  b.node().attrs.set("group", group);
  return b.finish(t, m.quant(t));
}

// Three spatial axes, of either layout.
std::optional<KernelCase> volumes(CaseMaker& m) {
  static constexpr std::array names{"Conv", "MaxPool", "AveragePool"};
  CaseBuilder b(one_of(m, names));
  const bool last = m.coin(), real = m.from(0, 2) == 0;
  const DType t = m.coin() ? DType::i8 : m.byte_type();
  const std::int64_t channels = m.from(1, 9);
  const auto extent = [&] { return m.from(1, 5); };
  const Shape x = last ? Shape{m.from(1, 2), extent(), extent(), extent(), channels}
                       : Shape{m.from(1, 2), channels, extent(), extent(), extent()};
  const QuantParams q = real ? QuantParams{} : m.quant(t);
  b.input(real ? m.reals(x) : m.codes(t, x), q, false);
  const auto three = [&](std::int64_t low, std::int64_t high) {
    return std::vector<std::int64_t>{m.from(low, high), m.from(low, high), m.from(low, high)};
  };
  const auto kernel = three(1, 3), pads = three(0, 1);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string(last ? "NHWC" : "NCHW"));
  a.set("strides", three(1, 2));
  a.set("pads", std::vector<std::int64_t>{pads[0], pads[1], pads[2], pads[2], pads[1], pads[0]});
  if (b.node().op != "Conv") {
    a.set("kernel_shape", kernel);
    if (b.node().op == "AveragePool") a.set("count_include_pad", m.from(0, 1));
    return b.finish(real ? DType::f32 : t, q);
  }
  const std::int64_t group = m.coin() ? channels : 1, outputs = group * m.from(1, 4),
                     depth = channels / group;
  const Shape w = last ? Shape{outputs, kernel[0], kernel[1], kernel[2], depth}
                       : Shape{outputs, depth, kernel[0], kernel[1], kernel[2]};
  b.input(real ? m.reals(w) : m.codes(DType::i8, w),
          real ? QuantParams{} : m.quant(DType::i8, outputs, 0, false), true);
  a.set("weights", std::string(last ? "OHWI" : "OIHW"));
  a.set("group", group);
  return real ? b.finish(DType::f32, {}) : b.finish(t, m.quant(t));
}

// Float32 under weights in codes: layers and convolutions, depthwise ones too.
std::optional<KernelCase> hybrid(CaseMaker& m) {
  const bool layer = m.coin();
  CaseBuilder b(layer ? "Gemm" : "Conv");
  Attrs& a = b.node().attrs;
  std::int64_t outputs = m.from(1, 9);
  if (layer) {
    const std::int64_t depth = m.from(1, 40);
    b.input(m.reals({m.from(1, 4), depth}), {}, false);
    b.input(m.codes(DType::i8, {outputs, depth}),
            m.quant(DType::i8, m.coin() ? outputs : 1, 0, false), true);
    a.set("transB", std::int64_t{1});
    a.set("asymmetric", m.from(0, 1));
  } else {
    const Shape x{m.from(1, 2), m.from(1, 5), m.from(1, 5), m.from(1, 9)};
    const bool depthwise = m.coin();
    const std::int64_t kh = m.from(1, x[1]), kw = m.from(1, x[2]);
    if (depthwise) outputs = x[3];
    b.input(m.reals(x), {}, false);
    b.input(
        m.codes(DType::i8, depthwise ? Shape{1, kh, kw, outputs} : Shape{outputs, kh, kw, x[3]}),
        m.quant(DType::i8, m.coin() ? outputs : 1, depthwise ? 3 : 0, false), true);
    a.set("layout", std::string("NHWC"));
    a.set("weights", std::string(depthwise ? "1HWO" : "OHWI"));
    if (depthwise) a.set("group", outputs);
  }
  if (m.coin()) b.input(m.reals({outputs}), {}, true);
  return b.finish(DType::f32, {});
}

// Products of codes over axes, and sums of 16-bit ones.
std::optional<KernelCase> products_of_codes(CaseMaker& m) {
  static constexpr std::array names{"ReduceProd", "ReduceSum"};
  CaseBuilder b(one_of(m, names));
  const DType t = b.node().op == "ReduceProd" && m.coin() ? DType::i8 : DType::i16;
  b.input(m.codes(t, {m.from(1, 4), m.from(1, 5), m.from(1, 9)}), quant_of(m, t), false);
  b.node().attrs.set("axes", std::vector<std::int64_t>{m.from(0, 2)});
  return b.finish(t, quant_of(m, t));
}

// By codes of 4 or 8 bits, scales and zero points by block.
std::optional<KernelCase> n_bits_case(CaseMaker& m) {
  CaseBuilder b("MatMulNBits");
  const std::int64_t k = m.from(1, m.coin() ? 40 : 400), n = m.from(1, 19), bits = m.coin() ? 4 : 8,
                     block = std::int64_t{16} << m.from(0, 5), blocks = (k + block - 1) / block;
  const bool stored = m.from(0, 3) > 0;
  b.input(m.reals({m.coin() ? 1 : m.from(1, 4), k}), {}, false);
  b.input(m.codes(DType::u8, {n, blocks, block * bits / 8}), {}, stored);
  b.input(m.reals({n * blocks}), {}, true);
  const bool has_bias = m.coin();
  if (m.coin())
    b.input(m.codes(DType::u8, {n * ((blocks * bits + 7) / 8)}), {}, m.coin());
  else if (has_bias)
    b.absent();
  if (has_bias) b.input(m.reals({n}), {}, m.coin());
  Attrs& a = b.node().attrs;
  a.set("K", k), a.set("N", n), a.set("bits", bits), a.set("block_size", block);
  return b.finish(DType::f32, {});
}

constexpr RtSource sources[] = {
    {"volumes", volumes, 3},
    {"hybrid", hybrid, 2},
    {"products_of_codes", products_of_codes},
    {"long_rows", long_rows, 2},
    {"odd_weights", odd_weights, 2},
    {"all_padding", all_padding},
    {"pool16", wide_pool},
    {"conv_transpose", transposed_convolution},
    {"bilinear", bilinear},
    {"matmul_integer", integer_products},
    {"matmul16", wide_matmul},
    {"finer", finer},
    {"n_bits", n_bits_case, 3},
};

}  // namespace

std::span<const RtSource> rt_windows() {
  return sources;
}

}  // namespace lockstep::test
