#include "support/kernel_case.h"

namespace lockstep::test {

std::optional<KernelCase> convolution_case(CaseMaker& m, ConvolutionOf of) {
  const bool nhwc = m.coin();
  const auto rank = static_cast<std::size_t>(m.from(1, 5) == 5 ? 3 : m.from(1, 2));
  const bool depthwise = m.from(0, 2) == 0;
  const std::int64_t group = depthwise           ? m.from(1, m.coin() ? 4 : 70)
                             : m.from(0, 4) == 0 ? m.from(2, 3)
                                                 : 1;
  const std::int64_t ic = depthwise ? 1 : m.from(1, 3) == 1 ? m.from(1, 80) : m.from(1, 9);
  const std::int64_t og = depthwise           ? (m.from(0, 4) == 0 ? 2 : 1)
                          : m.from(1, 3) == 1 ? m.from(1, 100)
                          : m.coin()          ? 4 * m.from(1, 12)
                                              : m.from(1, 20);
  Shape x{m.from(1, 2)}, w;
  std::vector<std::int64_t> strides, dilations, pads(2 * rank);
  for (std::size_t a = 0; a < rank; ++a) {
    // A long line is cut for several threads.
    x.push_back(m.from(1, rank > 1 ? 11 : depthwise && m.coin() ? 600 : 40));
    w.push_back(m.coin() ? 1 : m.from(1, 5));
    strides.push_back(m.coin() ? 1 : m.from(1, 3));
    dilations.push_back(m.from(0, 3) ? 1 : m.from(1, 3));
    pads[a] = m.coin() ? 0 : m.from(0, 3);
    pads[rank + a] = m.coin() ? 0 : m.from(0, 3);
  }
  std::string order = "OIHW";
  const std::int64_t oc = og * group;
  int axis = 0;
  if (nhwc) {
    x.push_back(ic * group);
    order = depthwise && m.coin() ? "1HWO" : "OHWI";
    w.insert(w.begin(), order == "OHWI" ? oc : 1);
    w.push_back(order == "OHWI" ? ic : oc);
    if (order == "1HWO") axis = static_cast<int>(w.size()) - 1;
  } else {
    x.insert(x.begin() + 1, ic * group);
    w.insert(w.begin(), {oc, ic});
  }
  CaseBuilder b("Conv");
  const bool words = of == ConvolutionOf::words;
  const DType tx = words ? DType::i16 : m.byte_type(),
              tw = words || m.from(0, 3) ? DType::i8 : DType::u8;
  if (of == ConvolutionOf::reals) {
    b.input(m.reals(x), {}, false);
    b.input(m.reals(w), {}, true);
    if (m.coin()) b.input(m.reals({oc}), {}, true);
    if (m.coin()) b.node().attrs.set("kernel", std::string("blocked"));
  } else {
    b.input(m.codes(tx, x), m.quant(tx, 1, -1, !words), false);
    b.input(m.codes(tw, w),
            m.quant(tw, m.coin() ? oc : 1, axis, m.from(0, tw == DType::u8 ? 1 : 3) == 0), true);
    if (m.coin()) b.input(words && m.coin() ? m.wide_bias(oc) : m.bias(oc), {}, true);
  }
  Attrs& a = b.node().attrs;
  a.set("layout", std::string(nhwc ? "NHWC" : "NCHW"));
  a.set("weights", order);
  a.set("group", group);
  a.set("strides", strides);
  a.set("dilations", dilations);
  a.set("pads", pads);
  if (m.coin()) a.set("activation", std::string(m.coin() ? "relu" : "relu6"));
  if (of == ConvolutionOf::reals) return b.finish(DType::f32, {});
  const DType ty = words || m.from(0, 3) ? tx : m.byte_type();
  return b.finish(ty, m.quant(ty, 1, -1, !words));
}

std::optional<KernelCase> transposed_case(CaseMaker& m, ConvolutionOf of) {
  const bool nhwc = m.coin();
  const auto rank = static_cast<std::size_t>(m.from(1, 6) == 6 ? 3 : m.from(1, 2));
  const std::int64_t group = nhwc || m.coin() ? 1 : m.from(1, 4),
                     channels = m.from(1, m.coin() ? 60 : 9),
                     filters = m.from(1, m.coin() ? 60 : 9);
  Shape x{m.from(1, 2)}, w;
  std::vector<std::int64_t> strides, dilations, pads, cut, shape;
  for (std::size_t a = 0; a < rank; ++a) {
    x.push_back(m.from(1, rank == 1 ? 40 : 9));
    w.push_back(m.from(1, 5));
    strides.push_back(m.from(1, 3));
    dilations.push_back(m.from(0, 3) ? 1 : 2);
    pads.push_back(m.coin() ? 0 : m.from(0, 2));
    cut.push_back(m.coin() ? 0 : m.from(0, 2));
    const std::int64_t full = (x.back() - 1) * strides[a] + (w[a] - 1) * dilations[a] + 1;
    shape.push_back(full - pads[a] - cut[a] + (m.from(0, 3) ? 0 : m.from(0, 2)));
    if (shape.back() < 1) return {};
  }
  const std::int64_t ic = channels * group;
  if (nhwc) {
    x.push_back(ic);
    w.insert(w.begin(), filters);
    w.push_back(ic);
  } else {
    x.insert(x.begin() + 1, ic);
    w.insert(w.begin(), {ic, filters});
  }
  pads.insert(pads.end(), cut.begin(), cut.end());
  CaseBuilder b("ConvTranspose");
  const std::int64_t oc = filters * group;
  const bool reals = of == ConvolutionOf::reals, words = of == ConvolutionOf::words;
  const DType tx = words ? DType::i16 : m.byte_type(),
              tw = words || m.from(0, 3) ? DType::i8 : DType::u8;
  if (reals) {
    b.input(m.reals(x), {}, false);
    b.input(m.reals(w), {}, true);
    if (m.coin()) b.input(m.reals({oc}), {}, true);
  } else {
    const bool each = m.coin() && (nhwc || group == 1);
    b.input(m.codes(tx, x), m.quant(tx, 1, -1, !words), false);
    b.input(m.codes(tw, w), m.quant(tw, each ? oc : 1, nhwc ? 0 : 1, m.from(0, 2) == 0), true);
    if (m.coin()) b.input(words && m.coin() ? m.wide_bias(oc) : m.bias(oc), {}, true);
  }
  Attrs& a = b.node().attrs;
  a.set("layout", std::string(nhwc ? "NHWC" : "NCHW"));
  a.set("weights", std::string(nhwc ? "OHWI" : "IOHW"));
  a.set("group", group);
  a.set("strides", strides);
  a.set("dilations", dilations);
  a.set("pads", pads);
  a.set("shape", shape);
  if (m.coin()) a.set("activation", std::string("relu"));
  if (reals) return b.finish(DType::f32, {});
  if (m.coin()) a.set("kernel", std::string("left"));
  return b.finish(tx, m.quant(tx, 1, -1, !words));
}

std::optional<KernelCase> product_case(CaseMaker& m, bool words) {
  const bool gemm = words || m.coin(), trans = m.coin(), real = !words && m.from(0, 3) == 0;
  const std::int64_t rows = m.from(1, 20), n = m.from(1, 90),
                     k = m.from(1, words && m.from(0, 3) == 0 ? 1500 : 90);
  CaseBuilder b(gemm ? "Gemm" : "MatMul");
  const DType tx = words ? DType::i16 : m.byte_type(),
              tw = words || m.from(0, 3) ? DType::i8 : DType::u8;
  const bool deep = m.coin();
  b.input(m.codes(tx, deep && !gemm ? Shape{2, rows, k} : Shape{rows, k}),
          m.quant(tx, 1, -1, !words), false);
  const bool by_channel = m.coin() && (gemm || !trans);
  b.input(m.codes(tw, trans ? Shape{n, k} : Shape{k, n}),
          m.quant(tw, by_channel ? n : 1, trans ? 0 : 1, m.from(0, tw == DType::u8 ? 1 : 3) == 0),
          true);
  if (gemm && m.coin()) b.input(words && m.coin() ? m.wide_bias(n) : m.bias(n), {}, true);
  b.node().attrs.set("transB", std::int64_t{trans});
  const DType ty = words || m.from(0, 3) ? tx : m.byte_type();
  return real ? b.finish(DType::f32, {}) : b.finish(ty, m.quant(ty, 1, -1, !words));
}

}  // namespace lockstep::test
