#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ResizeGrid, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{real_network, "resize-grid", "resize"},
           FaultCase{real_network, "resize-grid,grid=2", "resize"},
           FaultCase{real_network, "resize-grid,grid=4,mode=1", "resize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "resize-grid");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// TFLite's bilinear resize of codes [1,4,3,5] to 8 x 6: two switches in place of a named grid.
Executor image_network() {
  FaultProblem p("tflite");
  const ValueId x = p.input("x", DType::i8, {1, 4, 3, 5}, per_tensor(0.5, -3));
  const std::vector<std::int32_t> extents = {8, 6};
  Attrs attrs;
  attrs.set("half_pixel_centers", std::int64_t{1});
  p.node("resize", "ResizeBilinear",
         {x, p.constant("size", Tensor::of<std::int32_t>({2}, extents))}, attrs,
         per_tensor(0.5, -3));
  return p.finish();
}

TEST(ResizeGrid, of_tflites_own_operators_is_found) {
  for (const char* fault : {"resize-grid", "resize-grid,grid=2"}) {
    const Outcome o = inject_and_explain(image_network(), fault, "resize", "resize-grid");
    EXPECT_GT(o.counts.differing, 0) << fault;
    EXPECT_EQ(o.counts.left, 0) << fault;
  }
}

TEST(ResizeGrid, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{real_network, "stale-output", "resize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "resize-grid");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
