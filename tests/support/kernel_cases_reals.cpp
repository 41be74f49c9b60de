#include "support/kernel_case.h"

namespace lockstep::test {

std::optional<KernelCase> recurrent_case(CaseMaker& m, const std::string& op, bool stored) {
  const std::int64_t steps = m.from(1, 6), batch = m.from(1, 3), in = m.from(1, 20),
                     hidden = m.from(1, 30),
                     gates = op == "LSTM"  ? 4
                             : op == "GRU" ? 3
                                           : 1,
                     way = m.from(0, 2), directions = way == 2 ? 2 : 1;
  const bool first = m.coin();
  const Shape state = first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  CaseBuilder b(op);
  b.input(m.reals(first ? Shape{batch, steps, in} : Shape{steps, batch, in}), {}, false);
  b.input(m.reals({directions, gates * hidden, in}), {}, stored);
  b.input(m.reals({directions, gates * hidden, hidden}), {}, stored);
  const auto maybe = [&](Shape shape, bool constant) {
    if (m.coin())
      b.input(m.reals(std::move(shape)), {}, constant);
    else
      b.absent();
  };
  maybe({directions, 2 * gates * hidden}, true);
  b.absent();
  maybe(state, m.coin());
  if (op == "LSTM") maybe(state, m.coin());
  Attrs& a = b.node().attrs;
  a.set("hidden_size", hidden);
  a.set("layout", std::int64_t{first});
  a.set("linear_before_reset", m.from(0, 1));
  a.set("direction", std::string(way == 0 ? "forward" : way == 1 ? "reverse" : "bidirectional"));
  return b.finish_reals(static_cast<std::size_t>(m.from(1, op == "LSTM" ? 3 : 2)));
}

std::optional<KernelCase> resize_case(CaseMaker& m, bool nearest) {
  CaseBuilder b("Resize");
  Shape x, y;
  for (std::int64_t rank = m.from(1, 5); rank > 0; --rank) x.push_back(m.from(1, 9));
  for (const std::int64_t extent : x) y.push_back(m.coin() ? extent : m.from(1, 15));
  const DType t = m.coin() ? DType::f32 : m.byte_type();
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  Attrs& a = b.node().attrs;
  const char* const places[] = {"half_pixel",    "asymmetric",         "pytorch_half_pixel",
                                "align_corners", "tf_crop_and_resize", "half_pixel_symmetric"};
  const char* const nearests[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  a.set("shape", y);
  a.set("mode", std::string(nearest ? "nearest" : m.from(0, 2) ? "linear" : "cubic"));
  a.set("coordinates", std::string(places[m.from(0, 5)]));
  a.set("nearest_mode", std::string(nearests[m.from(0, 3)]));
  a.set("extrapolation_value", 7.0);
  if (m.from(0, 3) == 0) a.set("kernel", std::string("channels-last"));
  if (m.from(0, 3) == 0) {
    std::vector<double> roi;
    for (std::size_t i = 0; i < 2 * x.size(); ++i)
      roi.push_back(i < x.size() ? -0.2 + 0.1 * static_cast<double>(m.from(0, 4)) : 0.9);
    a.set("roi", roi);
  }
  return b.finish(t, q);
}

std::optional<KernelCase> plane_case(CaseMaker& m) {
  CaseBuilder b("GlobalAveragePool");
  Shape x{m.from(1, 3), m.from(1, 40)};
  for (std::int64_t rank = m.from(1, 3); rank > 0; --rank) x.push_back(m.from(1, 13));
  b.input(m.reals(x), {}, false);
  if (m.coin()) b.node().attrs.set("kernel", std::string("blocked"));
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> window_mean_case(CaseMaker& m) {
  CaseBuilder b("AveragePool");
  const auto rank = static_cast<std::size_t>(m.from(1, 3));
  const bool nhwc = m.coin();
  Shape x{m.from(1, 2)}, kernel, strides, pads(2 * rank), dilations;
  for (std::size_t a = 0; a < rank; ++a) {
    x.push_back(m.from(1, 12));
    kernel.push_back(m.from(1, 4));
    strides.push_back(m.from(1, 3));
    dilations.push_back(m.from(0, 4) ? 1 : 2);
    pads[a] = m.from(0, kernel[a] - 1), pads[rank + a] = m.from(0, kernel[a] - 1);
  }
  const std::int64_t channels = m.from(1, 20);
  nhwc ? x.push_back(channels) : static_cast<void>(x.insert(x.begin() + 1, channels));
  b.input(m.reals(x), {}, false);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string(nhwc ? "NHWC" : "NCHW"));
  a.set("kernel_shape", kernel);
  a.set("strides", strides);
  a.set("dilations", dilations);
  a.set("pads", pads);
  a.set("ceil_mode", m.from(0, 1));
  a.set("count_include_pad", m.from(0, 1));
  if (m.from(0, 2) == 0) a.set("kernel", std::string(m.coin() ? "blocked" : "straight"));
  if (nhwc && m.coin()) a.set("activation", std::string("relu"));
  return b.finish(DType::f32, {});
}

}  // namespace lockstep::test
