#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ChannelsExchangedInGroups, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const char* fault :
       {"channels-exchanged-in-groups", "channels-exchanged-in-groups,group=4",
        "channels-exchanged-in-groups,unit=2", "channels-exchanged-in-groups,group=2,unit=4"}) {
    const Outcome o =
        inject_and_explain(picture_network(), fault, "conv2", "channels-exchanged-in-groups");
    EXPECT_GT(o.counts.differing, 0) << fault;
    EXPECT_EQ(o.counts.left, 0) << fault;
  }
}

TEST(ChannelsExchangedInGroups, leaves_an_incomplete_group_as_it_is) {
  FaultProblem p("tflite");
  const ValueId x = p.input("x", DType::f32, {1, 1, 1, 5});
  p.node("relu", "Relu", {x});
  const Executor e = p.finish();
  const float sent[] = {1, 2, 3, 4, 5}, read[] = {2, 1, 4, 3, 5};
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor::of<float>({1, 1, 1, 5}, sent);
  EXPECT_EQ(device(e, "channels-exchanged-in-groups@relu", in).samples[0].at("relu:0"),
            (Tensor::of<float>({1, 1, 1, 5}, read)));
}

TEST(ChannelsExchangedInGroups, does_not_explain_what_is_near) {
  for (const char* fault : {"output-channels-exchanged,first=1,second=3", "byte-order,width=4"}) {
    const Outcome o =
        inject_and_explain(picture_network(), fault, "conv1", "channels-exchanged-in-groups");
    EXPECT_GT(o.counts.differing, 0) << fault;
    EXPECT_GT(o.counts.left, 0) << fault;
  }
}

}  // namespace
}  // namespace lockstep::test
