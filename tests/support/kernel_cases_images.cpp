#include <limits>

#include "support/kernel_case.h"

namespace lockstep::test {

std::optional<KernelCase> arg_case(CaseMaker& m, const std::string& op, bool reals) {
  CaseBuilder b(op);
  Shape x;
  const auto rank = m.from(1, 4);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, m.coin() ? 9 : 40));
  const DType t = m.byte_type();
  if (reals) {
    Tensor numbers = m.reals(x);
    for (float& v : numbers.as<float>())
      if (m.from(0, 9) == 0)
        v = m.coin() ? std::numeric_limits<float>::quiet_NaN() : 1.5f;  // none, or equal ones
    b.input(std::move(numbers), {}, false);
  } else {
    b.input(m.codes(t, x), m.quant(t), false);
  }
  b.node().attrs.set("axis", m.from(-rank, rank - 1));
  b.node().attrs.set("keepdims", m.from(0, 1));
  b.node().attrs.set("select_last_index", m.from(0, 1));
  const bool narrow = m.coin();
  b.node().attrs.set("to", std::string(narrow ? "int32" : "int64"));
  return b.finish(narrow ? DType::i32 : DType::i64, {});
}

std::optional<KernelCase> bilinear_case(CaseMaker& m) {
  CaseBuilder b("ResizeBilinear");
  const Shape x{m.from(1, 2), m.from(1, 9), m.from(1, 9), m.from(1, 40)};
  const DType t = m.byte_type();
  const QuantParams q = m.quant(t);
  b.input(m.codes(t, x), q, false);
  Tensor size(DType::i32, {2});
  for (std::int64_t i = 0; i < 2; ++i) size.set_code(i, m.from(1, 17));
  b.input(std::move(size), {}, true);
  const auto grid = m.from(0, 2);
  b.node().attrs.set("align_corners", std::int64_t{grid == 1});
  b.node().attrs.set("half_pixel_centers", std::int64_t{grid == 2});
  return b.finish(t, q);
}

}  // namespace lockstep::test
