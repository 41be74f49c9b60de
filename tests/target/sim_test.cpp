#include "support/nets.h"
#include "target/target.h"

namespace lockstep {
namespace {

TEST(SimTarget, differs_from_the_reference_only_from_the_faulty_node_on) {
  const Graph g = test::relu_chain(2);
  const auto samples = test::random_samples(g, 2);
  const TargetContext context{g, *find_arithmetic("float"), StateMode::reset};
  auto device = open_target("sim:clamp-lost@r1", context);
  ASSERT_TRUE(device.ok()) << device.error().line();
  auto faulty = (*device)->run(samples, {});
  auto right = test::executor(g).run(samples);
  ASSERT_TRUE(faulty.ok() && right.ok());
  EXPECT_EQ(faulty->samples[0].at("x"), right->samples[0].at("x"));
  EXPECT_EQ(faulty->samples[0].at("t1"), faulty->samples[0].at("x"));
  EXPECT_EQ(faulty->samples[1].at("y"), right->samples[1].at("y"));
}

TEST(SimTarget, records_inputs_as_sent) {
  const Graph g = test::relu_chain(1);
  const auto samples = test::random_samples(g, 1);
  auto device = open_target("sim:input-as-nhwc", {g, *find_arithmetic("float"), StateMode::reset});
  ASSERT_TRUE(device.ok()) << device.error().line();
  auto faulty = (*device)->run(samples, {});
  ASSERT_TRUE(faulty.ok());
  EXPECT_EQ(faulty->samples[0].at("x"), samples[0].at("x"));
  EXPECT_FALSE(faulty->samples[0].at("y") == test::executor(g).run(samples)->samples[0].at("y"));
}

TEST(SimTarget, names_the_nearest_fault_and_node) {
  const Graph g = test::relu_chain(1);
  const TargetContext context{g, *find_arithmetic("float"), StateMode::reset};
  const auto fault = open_target("sim:clamp-lots@r1", context);
  ASSERT_FALSE(fault.ok());
  EXPECT_NE(fault.error().line().find("clamp-lost"), std::string::npos) << fault.error().line();
  const auto node = open_target("sim:clamp-lost@r11", context);
  ASSERT_FALSE(node.ok());
  EXPECT_NE(node.error().line().find("'r1'"), std::string::npos) << node.error().line();
}

}  // namespace
}  // namespace lockstep
