#include <cmath>

#include "support/kernel_case.h"

namespace lockstep::test {
namespace {

QuantParams step_of(double scale, std::int32_t zero = 0) {
  QuantParams q;
  q.scale = {static_cast<double>(static_cast<float>(scale))};
  q.zero = {zero};
  return q;
}

}  // namespace

std::optional<KernelCase> lstm_codes_case(CaseMaker& m) {
  const std::int64_t batch = m.from(1, 3), steps = m.from(1, 5), in = m.from(1, 40),
                     cells = m.from(1, 40), form = m.from(0, 3);
  const bool coupled = form == 1, peephole = form == 2, projects = form == 3, major = m.coin();
  const std::int64_t out = projects ? m.from(1, 20) : cells;
  CaseBuilder b("SequenceLstm");
  b.input(m.codes(DType::i8, major ? Shape{steps, batch, in} : Shape{batch, steps, in}),
          m.quant(DType::i8), false);
  for (const std::int64_t width : {in, out})
    for (int g = 0; g < 4; ++g) {
      if (g == 0 && coupled)
        b.absent();
      else
        b.input(m.codes(DType::i8, {cells, width}), step_of(m.scale() / 4), true);
    }
  for (int g = 0; g < 3; ++g) {
    if (peephole)
      b.input(m.codes(DType::i16, {cells}), step_of(m.scale() / 500), true);
    else
      b.absent();
  }
  for (int g = 0; g < 4; ++g) {
    if (g == 0 && coupled)
      b.absent();
    else
      b.input(m.bias(cells), step_of(1e-4), true);
  }
  if (projects)
    b.input(m.codes(DType::i8, {out, cells}), step_of(m.scale()), true);
  else
    b.absent();
  if (projects && m.coin())
    b.input(m.bias(out), step_of(1e-4), true);
  else
    b.absent();
  const QuantParams h = m.quant(DType::i8);
  b.input(m.codes(DType::i8, {batch, out}), h, false);
  b.input(m.codes(DType::i16, {batch, cells}),
          step_of(std::ldexp(1.0, static_cast<int>(m.from(-15, -9)))), false);
  Attrs& a = b.node().attrs;
  a.set("time_major", std::int64_t{major});
  if (m.coin()) a.set("cell_clip", 0.7);
  if (m.coin()) a.set("projection_clip", 0.3);
  a.set("hidden_scale", projects ? m.scale() / 4 : h.scale[0]);
  a.set("hidden_zero", projects ? m.from(-128, 127) : std::int64_t{h.zero[0]});
  return b.finish_all(h);
}

std::optional<KernelCase> svdf_codes_case(CaseMaker& m) {
  const std::int64_t batch = m.from(1, 3), in = m.from(1, 70), rank = m.from(1, 3),
                     filters = rank * m.from(1, 40), memory = m.from(1, 12);
  const DType state = m.from(0, 3) ? DType::i16 : DType::i8;
  CaseBuilder b("Svdf");
  b.input(m.codes(DType::i8, {batch, in}), m.quant(DType::i8), false);
  b.input(m.codes(DType::i8, {filters, in}), step_of(m.scale()), true);
  const DType v = m.from(0, 3) ? DType::i16 : DType::i8;
  b.input(m.codes(v, {filters, memory}), step_of(m.scale() / 50), true);
  if (m.coin())
    b.input(m.bias(filters / rank), step_of(1e-5), true);
  else
    b.absent();
  b.input(
      m.codes(state, {batch, filters * memory}),
      step_of(m.scale() / 20, state == DType::i8 ? static_cast<std::int32_t>(m.from(-9, 9)) : 0),
      false);
  b.node().attrs.set("rank", rank);
  return b.finish_all(m.quant(DType::i8));
}

}  // namespace lockstep::test
