#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(WeightsTransposed, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-transposed", "conv2"},
           FaultCase{picture_network, "weights-transposed", "gemm"},
           FaultCase{picture_network, "weights-transposed,order=1", "gemm"},
           FaultCase{picture_network, "weights-transposed,order=2", "gemm"},
           FaultCase{picture_network, "weights-transposed,order=0,stored=1", "conv2"},
           FaultCase{picture_network, "weights-transposed,order=0,stored=1", "gemm"},
           FaultCase{picture_network, "weights-transposed,order=1,stored=1", "gemm"},
           FaultCase{picture_network, "weights-transposed,order=3,stored=1", "conv1"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-transposed");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(WeightsTransposed, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-shifted", "conv2"},
           FaultCase{picture_network, "weights-of-another", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-transposed");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// Codes [1,5,4,6], channels last -> conv (3 x 3, weights OHWI) -> gemm of [7,160] over the
// flattened result.
Executor layers(const Tensor& kernel, const Tensor& matrix) {
  FaultProblem p("tflite");
  const ValueId x = p.input("x", DType::i8, {1, 5, 4, 6}, per_tensor(0.5, -3));
  Attrs attrs;
  attrs.set("layout", std::string("NHWC"));
  attrs.set("weights", std::string("OHWI"));
  attrs.set("pads", std::vector<std::int64_t>(4, 1));
  const ValueId y = p.node("conv", "Conv", {x, p.constant("k", kernel, per_tensor(0.02, 0))}, attrs,
                           per_tensor(6, 2));
  Attrs flat;
  flat.set("axis", std::int64_t{1});
  const ValueId f = p.node("flatten", "Flatten", {y}, flat, per_tensor(6, 2));
  Attrs rows;
  rows.set("transB", std::int64_t{1});
  p.node("gemm", "Gemm", {f, p.constant("m", matrix, per_tensor(0.01, 0))}, rows,
         per_tensor(90, 5));
  return p.finish();
}

// The same codes under another layout: where OHWI belongs stands OIHW, where [out,in] does stands
// [in,out].
Tensor as_oihw(const Tensor& w) {
  const Shape& s = w.shape();
  Tensor out = w;
  std::int64_t at = 0;
  for (std::int64_t o = 0; o < s[0]; ++o)
    for (std::int64_t c = 0; c < s[3]; ++c)
      for (std::int64_t pixel = 0; pixel < s[1] * s[2]; ++pixel)
        out.set_code(at++, w.code((o * s[1] * s[2] + pixel) * s[3] + c));
  return out;
}
Tensor as_columns(const Tensor& w) {
  const Shape& s = w.shape();
  Tensor out = w;
  for (std::int64_t o = 0; o < s[0]; ++o)
    for (std::int64_t i = 0; i < s[1]; ++i) out.set_code(i * s[0] + o, w.code(o * s[1] + i));
  return out;
}

// The inverse of order 0 was not looked for.
TEST(WeightsTransposed, weights_in_the_other_layout_are_explained) {
  const Tensor kernel = random_tensor(DType::i8, {8, 3, 3, 6}, 5),
               matrix = random_tensor(DType::i8, {7, 160}, 6);
  const Executor right = layers(kernel, matrix);
  const auto inputs = random_samples(right, 3);
  for (const bool of_kernel : {true, false}) {
    const Executor other =
        of_kernel ? layers(as_oihw(kernel), matrix) : layers(kernel, as_columns(matrix));
    const Site site = site_at(right, of_kernel ? "conv" : "gemm");
    const Best best = best_explanation(*find_fault("weights-transposed"), site,
                                       gather_evidence(site, reference(other, inputs), inputs));
    EXPECT_GT(best.counts.differing, 0);
    EXPECT_EQ(best.counts.left, 0);
    EXPECT_EQ(best.params, (Params{{"order", 0}, {"stored", 1}}));
  }
}

}  // namespace
}  // namespace lockstep::test
