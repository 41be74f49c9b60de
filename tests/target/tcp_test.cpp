#include <gtest/gtest.h>

#include <filesystem>

#include "link/emulator.h"
#include "link/recorded_network.h"
#include "run/generated.h"
#include "run/recording.h"
#include "support/chains.h"
#include "support/temporary.h"
#include "target/target.h"

namespace lockstep {
namespace {

// x -> Relu -> h -> Relu -> y, int8, channels second.
Graph two_relus(const Shape& shape = {1, 3, 4, 5}) {
  return test::chain(
      {test::code_value("x", shape), test::code_value("h", shape), test::code_value("y", shape)},
      {{"relu0"}, {"relu1"}}, "two_relus.onnx");
}

struct Bench {
  Graph graph = two_relus();
  Executor reference = std::move(Executor::make(graph, *find_arithmetic("ort-noopt"))).value();
  std::vector<Sample> samples = generated_inputs(graph, 4, 7);
  test::TemporaryFolder folder;

  std::string network(const std::vector<std::string>& nodes = {},
                      const std::string& signature = "") const {
    return " --network '" +
           test::write_network(folder / "network.json", reference, samples, nodes, signature) + "'";
  }
  TargetContext context(LinkControl link = {}) const {
    return {graph, reference.arithmetic(), StateMode::reset, std::move(link)};
  }
};

TEST(TcpTarget, yields_the_outputs_of_stock_firmware_and_says_what_it_lacks) {
  const Bench b;
  test::Emulator emulator("--stock --framing 2" + b.network());
  auto target = open_target(emulator.uri(), b.context());
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto capture = (*target)->run(b.samples, {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const auto expected = b.reference.run(b.samples, std::vector<std::string>{"y"});
  ASSERT_EQ(capture->samples.size(), 4u);
  for (std::size_t s = 0; s < 4; ++s)
    EXPECT_EQ(capture->samples[s].at("y"), expected->samples[s].at("y"));
  EXPECT_EQ(capture->infos.at("y").quant.scale, std::vector<double>{0.5});
  const std::string notes = testing::PrintToString(capture->notes);
  EXPECT_NE(notes.find("yields final outputs and times of every epoch"), std::string::npos)
      << notes;
  EXPECT_NE(notes.find("0.750 ms per inference"), std::string::npos) << notes;
}

TEST(TcpTarget, yields_the_tensors_of_nodes_where_the_firmware_sends_them) {
  const Bench b;
  test::Emulator emulator("--framing 1" + b.network({"h"}));
  auto target = open_target(emulator.uri(), b.context());
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto capture = (*target)->run(b.samples, {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const auto expected = b.reference.run(b.samples, std::vector<std::string>{"h"});
  for (std::size_t s = 0; s < 4; ++s)
    EXPECT_EQ(capture->samples[s].at("h"), expected->samples[s].at("h"));
}

TEST(TcpTarget, refuses_a_device_with_another_network) {
  const Bench b;
  test::Emulator emulator("");  // its built-in network: uint8 1x8x8x3 -> float 1x10
  const auto target = open_target(emulator.uri(), b.context());
  ASSERT_FALSE(target.ok());
  EXPECT_EQ(target.error().blame, Blame::request);
  EXPECT_NE(target.error().what.find("is not this model"), std::string::npos)
      << target.error().line();
  EXPECT_NE(target.error().what.find("uint8[1,8,8,3]"), std::string::npos) << target.error().line();
  EXPECT_NE(target.error().want.find("int8[1,3,4,5]"), std::string::npos) << target.error().line();
}

TEST(TcpTarget, refuses_a_network_that_was_made_from_another_file) {
  const Bench b;
  const std::string model = b.folder / "two_relus.onnx";
  ASSERT_TRUE(write_file(model, std::string_view("a model")).ok());
  GraphBuilder named(model, "onnx");
  const Graph graph = two_relus();
  // The same graph under a file name that exists.
  const ValueId x = named.add_value(graph.value(0));
  Value out = graph.value(2);
  out.producer = no_id;
  const ValueId y = named.add_value(out);
  Node n;
  n.name = "relu";
  n.op = "Relu";
  n.inputs = {x};
  n.outputs = {y};
  named.add_node(n);
  named.add_input(x);
  named.add_output(y);
  const Graph on_disk = std::move(std::move(named).finish()).value();
  test::Emulator emulator(b.network({}, "lockstep:0000000000000000"));
  const auto target = open_target(emulator.uri(), {on_disk, b.reference.arithmetic()});
  ASSERT_FALSE(target.ok());
  EXPECT_EQ(target.error().blame, Blame::request);
  EXPECT_NE(target.error().what.find("made from another file"), std::string::npos)
      << target.error().line();
}

TEST(TcpTarget, keeps_what_it_captured_when_the_link_breaks_and_goes_on_from_there) {
  const Bench b;
  const std::string kept = b.folder / "kept.npz";
  auto emulator = std::make_unique<test::Emulator>("--stock" + b.network());
  int told = 0;
  LinkControl control{.kept = kept, .resume = "", .progress = [&](const std::string&) {
                        if (++told == 2) emulator->stop();
                      }};
  auto target = open_target(emulator->uri(), b.context(control));
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto broken = (*target)->run(b.samples, {});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().blame, Blame::target);
  EXPECT_NE(broken.error().hint.find("2 of 4 samples kept in " + kept), std::string::npos)
      << broken.error().line();

  test::Emulator again("--stock" + b.network());
  std::string last;
  LinkControl resumed{
      .kept = kept, .resume = kept, .progress = [&](const std::string& what) { last = what; }};
  auto second = open_target(again.uri(), b.context(resumed));
  ASSERT_TRUE(second.ok()) << second.error().line();
  const auto capture = (*second)->run(b.samples, {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const auto expected = b.reference.run(b.samples, std::vector<std::string>{"y"});
  ASSERT_EQ(capture->samples.size(), 4u);
  for (std::size_t s = 0; s < 4; ++s)
    EXPECT_EQ(capture->samples[s].at("y"), expected->samples[s].at("y"));
  EXPECT_TRUE(last.starts_with("sample 4 of 4")) << last;

  // A run that breaks off earlier leaves what an earlier one kept.
  {
    auto short_lived = std::make_unique<test::Emulator>("--stock" + b.network());
    LinkControl one{
        .kept = kept, .resume = "", .progress = [&](const std::string&) { short_lived->stop(); }};
    auto target_again = open_target(short_lived->uri(), b.context(one));
    ASSERT_TRUE(target_again.ok()) << target_again.error().line();
    const auto sooner = (*target_again)->run(b.samples, {});
    ASSERT_FALSE(sooner.ok());
    EXPECT_NE(sooner.error().hint.find("1 of 4 samples kept in " + (b.folder / "kept-2.npz")),
              std::string::npos)
        << sooner.error().line();
    const auto longer = read_npz(kept);
    ASSERT_TRUE(longer.ok());
    EXPECT_EQ(longer->front().second.shape.at(0), 2);
  }

  // Kept captures are of these inputs alone.
  *second = nullptr;  // the port takes one host at a time
  auto others = generated_inputs(b.graph, 4, 8);
  auto third = open_target(again.uri(), b.context(resumed));
  ASSERT_TRUE(third.ok()) << third.error().line();
  const auto refused = (*third)->run(others, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().blame, Blame::request);
}

// Kept captures are of one model, one build of the device and one way with states.
TEST(TcpTarget, goes_on_from_its_own_captures_alone) {
  const Bench b;
  const std::string kept = b.folder / "kept.npz";
  for (const StateMode state : {StateMode::reset, StateMode::keep}) {
    {
      auto emulator = std::make_unique<test::Emulator>("--stock" + b.network());
      int told = 0;
      LinkControl control{.kept = kept, .resume = "", .progress = [&](const std::string&) {
                            if (++told == 2) emulator->stop();
                          }};
      auto target =
          open_target(emulator->uri(), {b.graph, b.reference.arithmetic(), state, control});
      ASSERT_TRUE(target.ok()) << target.error().line();
      ASSERT_FALSE((*target)->run(b.samples, {}).ok());
    }
    const auto go_on = [&](const std::string& options, StateMode mode) -> Result<Capture> {
      test::Emulator again(options);
      auto target = open_target(
          again.uri(), {b.graph, b.reference.arithmetic(), mode, {.kept = kept, .resume = kept}});
      if (!target.ok()) return target.error();
      return (*target)->run(b.samples, {});
    };
    const auto capture = go_on("--stock" + b.network(), state);
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    ASSERT_EQ(capture->samples.size(), 4u);
    EXPECT_NE(testing::PrintToString(capture->notes).find("2 of 4 samples taken from"),
              std::string::npos);
    const auto expected = b.reference.run(b.samples, std::vector<std::string>{"y"});
    for (std::size_t s = 0; s < 4; ++s)
      EXPECT_EQ(capture->samples[s].at("y"), expected->samples[s].at("y"));
    const auto rebuilt = go_on("--stock" + b.network({}, "another build"), state);
    ASSERT_FALSE(rebuilt.ok());
    EXPECT_EQ(rebuilt.error().blame, Blame::request);
    EXPECT_NE(rebuilt.error().what.find("another device or build"), std::string::npos)
        << rebuilt.error().line();
    EXPECT_NE(go_on("--stock" + b.network(),
                    state == StateMode::keep ? StateMode::reset : StateMode::keep)
                  .error()
                  .what.find("--state"),
              std::string::npos);
  }
}

TEST(TcpTarget, reports_runs_that_disagree_as_a_link_fault) {
  const Bench b;
  test::Emulator emulator("--stock --flip 0.02" + b.network());
  auto target = open_target(emulator.uri(), b.context({.repeat = 2, .kept = "", .resume = ""}));
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto capture = (*target)->run(b.samples, {});
  ASSERT_FALSE(capture.ok());
  EXPECT_EQ(capture.error().blame, Blame::target);
  EXPECT_NE(capture.error().what.find("disagree"), std::string::npos) << capture.error().line();
}

TEST(TcpTarget, turns_a_channels_first_input_for_a_channels_last_device) {
  const Graph first = two_relus({1, 3, 4, 5}), last = two_relus({1, 4, 5, 3});
  const Executor device = std::move(Executor::make(last, *find_arithmetic("ort-noopt"))).value();
  Bench b;
  Sample turned;
  Tensor x(DType::i8, {1, 4, 5, 3});
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t p = 0; p < 20; ++p)
      x.set_code(p * 3 + c, b.samples[0].at("x").code(c * 20 + p));
  turned.emplace("x", x);
  const std::vector<Sample> sent = {turned};
  test::Emulator emulator("--stock --network '" +
                          test::write_network(b.folder / "last.json", device, sent) + "'");
  auto target = open_target(emulator.uri(), b.context());
  ASSERT_TRUE(target.ok()) << target.error().line();
  EXPECT_NE(testing::PrintToString((*target)->describe().notes).find("turned to channels last"),
            std::string::npos);
  const auto capture = (*target)->run(std::span(b.samples).first(1), {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const auto expected = device.run(sent, std::vector<std::string>{"y"});
  EXPECT_EQ(capture->samples[0].at("y"), expected->samples[0].at("y"));
}

TEST(TcpTarget, a_wrong_option_is_a_bad_request) {
  const Bench b;
  for (const char* uri :
       {"tcp:localhost:1,patience=0", "tcp:localhost:1,speed=3", "tcp:localhost"}) {
    const auto target = open_target(uri, b.context());
    ASSERT_FALSE(target.ok()) << uri;
    EXPECT_EQ(target.error().blame, Blame::request) << uri;
  }
}

}  // namespace
}  // namespace lockstep
