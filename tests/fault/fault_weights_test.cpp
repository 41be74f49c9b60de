#include "fault/fault_weights.h"

#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

// Codes [1,5,4,6], channels last -> deconv (windows of 2 x 2, stride 2, one scale a channel), as a
// .tflite file has it.
Executor transposed_network() {
  FaultProblem p("tflite");
  const ValueId x = p.input("x", DType::i8, {1, 5, 4, 6}, per_tensor(0.5, -3));
  QuantParams scales;
  for (int c = 0; c < 8; ++c) {
    scales.scale.push_back(0.02 * (1 + c));
    scales.zero.push_back(0);
  }
  scales.axis = 0;
  const ValueId w = p.constant("w", random_tensor(DType::i8, {8, 2, 2, 6}, 5, -60, 60), scales);
  const ValueId b = p.constant("b", random_tensor(DType::i32, {8}, 6, -900, 900));
  Attrs attrs;
  attrs.set("layout", std::string("NHWC"));
  attrs.set("weights", std::string("OHWI"));
  attrs.set("strides", std::vector<std::int64_t>{2, 2});
  attrs.set("shape", std::vector<std::int64_t>{10, 8});
  p.node("deconv", "ConvTranspose", {x, w, b}, attrs, per_tensor(8, 2));
  return p.finish();
}

// No fault of weights, scales or bias was looked for there.
TEST(FaultWeights, transposed_convolutions_have_them) {
  for (const auto& [fault, by] :
       {std::pair{"weights-constant", "weights-constant"},
        {"weights-shifted,by=4", "weights-shifted"},
        {"weights-byte-order", "weights-byte-order"},
        {"weights-transposed", "weights-transposed"},
        {"weights-transposed,order=7", "weights-transposed"},
        {"weights-transposed,order=0,stored=1", "weights-transposed"},
        {"bias-misread", "bias-misread"},
        {"bias-misread,how=3", "bias-misread"},
        {"per-channel-as-per-tensor,which=1", "per-channel-as-per-tensor"},
        {"channel-scales-misplaced", "channel-scales-misplaced"}}) {
    const Outcome o = inject_and_explain(transposed_network(), fault, "deconv", by);
    EXPECT_GT(o.counts.differing, 0) << fault;
    EXPECT_EQ(o.counts.left, 0) << fault;
  }
}

TEST(FaultWeights, the_axis_of_output_channels_follows_the_layout) {
  const Executor e = transposed_network();
  const NodeView n = site_at(e, "deconv").view();
  EXPECT_EQ(weight_axis(n), 0);
  EXPECT_EQ(weight_channels(n), 8);
  EXPECT_EQ(weight_channel(n, 25), 1);
}

}  // namespace
}  // namespace lockstep::test
