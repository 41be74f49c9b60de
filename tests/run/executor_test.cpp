#include "run/executor.h"

#include <cmath>

#include <gtest/gtest.h>

#include "support/chains.h"

namespace lockstep {
namespace {

Graph two_relus() {
  const auto value = [](const char* name) { return test::real_value(name, {1, 2}); };
  return test::chain({value("x"), value("y"), value("z")}, {{"first"}, {"second"}});
}

Tensor row(float a, float b) {
  return Tensor::of<float>({1, 2}, std::vector<float>{a, b});
}

class TwoRelus : public testing::Test {
 protected:
  Graph graph = two_relus();
  Executor executor = std::move(Executor::make(graph, *find_arithmetic("float"))).value();
};

TEST_F(TwoRelus, every_activation_is_recorded_when_nothing_is_named) {
  const std::vector<Sample> in = {{{"x", row(-1, 2)}}};
  const auto capture = executor.run(in);
  ASSERT_TRUE(capture.ok());
  EXPECT_EQ(capture->samples[0].size(), 3u);
  EXPECT_EQ(capture->samples[0].at("z"), row(0, 2));
}

TEST_F(TwoRelus, run_from_takes_known_tensors_instead_of_computing_them) {
  const std::vector<std::string> wanted = {"z"};
  const auto sample = executor.run_from({{"y", row(-5, 7)}}, wanted);
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->at("z"), row(0, 7));
}

TEST_F(TwoRelus, a_node_hook_changes_what_follows_and_sees_the_run_before) {
  RunOptions options;
  std::vector<std::size_t> seen;
  options.node_hooks.push_back(
      {0, [&](auto, std::span<Tensor> out, std::span<const Tensor> previous) -> Result<void> {
         seen.push_back(previous.size());
         out[0].as<float>()[0] += 1;
         return {};
       }});
  const std::vector<Sample> in = {{{"x", row(1, 2)}}, {{"x", row(3, 4)}}};
  const auto capture = executor.run(in, {}, options);
  ASSERT_TRUE(capture.ok());
  EXPECT_EQ(capture->samples[1].at("z"), row(4, 4));
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1}));
}

TEST_F(TwoRelus, samples_are_split_from_a_batch_and_wrong_arrays_are_refused) {
  const Tensor batch = Tensor::of<float>({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(samples_from(graph, {{"x", batch}}, "x.npz")->size(), 3u);
  EXPECT_EQ(samples_from(graph, {{"anything", batch}}, "x.npz")->size(), 3u);
  EXPECT_FALSE(samples_from(graph, {{"x", Tensor(DType::f32, {1, 3})}}, "x.npz").ok());
  EXPECT_FALSE(samples_from(graph, {{"x", Tensor(DType::i8, {1, 2})}}, "x.npz").ok());
  const auto nan = samples_from(graph, {{"x", row(0, NAN)}}, "x.npz");
  ASSERT_FALSE(nan.ok());
  EXPECT_NE(nan.error().what.find("NaN at element 1"), std::string::npos);
}

TEST_F(TwoRelus, an_unknown_tensor_is_an_error_that_names_it) {
  const std::vector<Sample> in = {{{"x", row(1, 2)}}};
  const std::vector<std::string> wanted = {"q"};
  EXPECT_EQ(executor.run(in, wanted).error().what, "no tensor 'q'");
}

}  // namespace
}  // namespace lockstep
