// Recordings that are wrong themselves are said to be so, not explained by a fault.
#include "diagnose/bad_capture.h"

#include "support/fault_networks.h"
#include "support/nets.h"
#include "support/real_net.h"

namespace lockstep {
namespace {

struct Bench {
  Graph graph = test::relu_chain(3);
  Executor reference = test::executor(graph);
  std::vector<Sample> sent = test::random_samples(graph, 3);
  std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device = expected;

  Verdict judged() {
    auto v = judge({.reference = reference,
                    .recorded = {sent, expected, device, StateMode::reset},
                    .tolerance = {},
                    .others = {},
                    .search = {},
                    .model = "chain.onnx",
                    .target = "c.npz",
                    .input = "x.npz"});
    EXPECT_TRUE(v.ok()) << (v.ok() ? "" : v.error().line());
    return std::move(*v);
  }
};

TEST(BadCapture, samples_in_another_order_are_recognized) {
  Bench b;
  for (Sample& s : b.device) s.erase("x");
  std::swap(b.device[0], b.device[2]);
  const Verdict v = b.judged();
  EXPECT_FALSE(v.healthy);
  EXPECT_TRUE(v.suspects.empty());
  EXPECT_NE(v.summary.find("another order"), v.summary.npos) << v.summary;
  EXPECT_NE(v.summary.find("3, 2, 1"), v.summary.npos) << v.summary;
}

TEST(BadCapture, a_device_that_lags_one_input_behind_is_no_matter_of_order) {
  Bench b;
  for (std::size_t s = 2; s > 0; --s) b.device[s] = b.device[s - 1];
  for (std::size_t s = 0; s < 3; ++s) b.device[s].at("x") = b.sent[s].at("x");
  const Verdict v = b.judged();
  ASSERT_FALSE(v.suspects.empty()) << v.summary;
  ASSERT_NE(v.suspects[0].cause(), nullptr);
  EXPECT_EQ(v.suspects[0].cause()->fault->name, "stale-input");
}

TEST(BadCapture, one_answer_to_all_inputs_is_one_inference_or_an_output_that_is_not_written_again) {
  Bench b;
  b.sent = test::random_samples(b.graph, 6);
  b.expected = b.reference.run(b.sent)->samples;
  b.device.assign(6, b.expected[2]);
  for (Sample& s : b.device) s.erase("x");
  const Verdict v = b.judged();
  EXPECT_NE(v.summary.find("all 6 samples are what the reference makes of input 3"), v.summary.npos)
      << v.summary;
  EXPECT_NE(v.summary.find("not written again"), v.summary.npos) << v.summary;
}

TEST(BadCapture,
     a_device_that_keeps_its_first_answer_is_faulty_where_a_later_input_has_that_answer_too) {
  Bench b;
  b.sent = test::random_samples(b.graph, 6);
  b.sent[4] = b.sent[0];
  b.expected = b.reference.run(b.sent)->samples;
  b.device.assign(6, b.expected[0]);
  for (std::size_t s = 0; s < 6; ++s) b.device[s].at("x") = b.sent[s].at("x");
  const Verdict v = b.judged();
  ASSERT_FALSE(v.suspects.empty()) << v.summary;
  ASSERT_NE(v.suspects[0].cause(), nullptr);
  EXPECT_TRUE(v.suspects[0].cause()->spec.find("frozen") != std::string::npos)
      << v.suspects[0].cause()->spec;
}

TEST(BadCapture, inputs_that_go_round_may_be_answered_one_run_late) {
  Bench b;
  for (Sample& s : b.device) s.erase("x");
  std::rotate(b.device.begin(), b.device.end() - 1, b.device.end());
  const Verdict v = b.judged();
  EXPECT_NE(v.summary.find("3, 1, 2; where the device goes through these inputs again and again, "
                           "it answers one run late"),
            v.summary.npos)
      << v.summary;
}

TEST(BadCapture, a_recording_that_lost_its_first_inference_is_recognized) {
  Bench b;
  b.sent = test::random_samples(b.graph, 4);
  b.expected = b.reference.run(b.sent)->samples;
  b.device = b.expected;
  for (Sample& s : b.device) s.erase("x");
  std::rotate(b.device.begin(), b.device.begin() + 1, b.device.end());
  b.device.back() = b.reference.run(test::random_samples(b.graph, 9))->samples.back();
  b.device.back().erase("x");
  const Verdict v = b.judged();
  EXPECT_NE(v.summary.find("of the input after its own"), v.summary.npos) << v.summary;
  EXPECT_NE(v.summary.find("3 samples from input 2 on"), v.summary.npos) << v.summary;
}

TEST(BadCapture, a_run_before_the_first_input_is_said_where_it_was_on_anything) {
  Bench b;
  b.sent = test::random_samples(b.graph, 4);
  b.expected = b.reference.run(b.sent)->samples;
  for (std::size_t s = 3; s > 0; --s) b.device.resize(4), b.device[s] = b.expected[s - 1];
  b.device[0] = b.reference.run(test::random_samples(b.graph, 9))->samples.back();
  for (Sample& s : b.device) s.erase("x");
  const Verdict v = b.judged();
  EXPECT_NE(v.summary.find("a run came before these inputs"), v.summary.npos) << v.summary;
}

TEST(BadCapture, a_stream_whose_state_was_kept_is_recognized_where_each_sample_starts_anew) {
  Bench b;
  b.reference = test::state_network();
  b.graph = b.reference.graph();
  b.sent = test::random_samples(b.graph, 3);
  b.expected = b.reference.run(b.sent)->samples;
  RunOptions options;
  options.state = StateMode::keep;
  b.device = b.reference.run(b.sent, {}, options)->samples;
  const Verdict v = b.judged();
  EXPECT_NE(v.summary.find("with --state keep"), v.summary.npos) << v.summary;
  const std::string& made = b.graph.value(b.graph.states()[0].out).name;
  b.device[2].at(made).bytes()[0] ^= std::byte{1};
  EXPECT_EQ(b.judged().summary.find("with --state keep"), std::string::npos)
      << "one value is not it";
}

TEST(BadCapture, names_that_are_swapped_are_recognized) {
  Bench b;
  test::RealNet net({1, 64});
  net.node("neg", "Neg", {"x"}, "p").node("relu", "Relu", {"x"}, "q");
  b.graph = std::move(net).graph({"x"}, {"p", "q"});
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 2);
  b.expected = b.reference.run(b.sent)->samples;
  b.device = b.expected;
  for (Sample& s : b.device) std::swap(s.at("p"), s.at("q"));
  const Verdict v = b.judged();
  EXPECT_NE(v.summary.find("names are swapped"), v.summary.npos) << v.summary;
  EXPECT_TRUE(v.suspects.empty());
}

// Inputs that are fed into each other's place leave the same recording, where nothing but the
// outputs was recorded.
TEST(BadCapture, outputs_that_one_cause_exchanges_are_explained_and_the_doubt_said) {
  Bench b;
  test::RealNet net({1, 64});
  net.node("left", "Relu", {"x"}, "p")
      .node("right", "Relu", {"z"}, "q")
      .node("first", "Neg", {"p"}, "u")
      .node("second", "Neg", {"q"}, "v");
  b.graph = std::move(net).graph({"x", "z"}, {"u", "v"});
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 3);
  b.expected = b.reference.run(b.sent)->samples;
  b.device.clear();
  for (const Sample& s : b.expected) b.device.push_back({{"u", s.at("v")}, {"v", s.at("u")}});
  const Verdict v = b.judged();
  ASSERT_FALSE(v.suspects.empty()) << v.summary;
  ASSERT_NE(v.suspects[0].cause(), nullptr);
  EXPECT_EQ(v.suspects[0].cause()->fault->name, "inputs-exchanged");
  EXPECT_FALSE(v.suspects[0].cause()->certain);
  EXPECT_TRUE(std::ranges::any_of(
      v.notes, [](const std::string& n) { return n.find("names are swapped") != n.npos; }));
}

// A permuted input was once taken for swapped names: what reads the two tensors tells the two
// apart.
TEST(BadCapture, tensors_that_are_read_as_they_were_recorded_have_their_own_names) {
  Bench b;
  test::RealNet net({1, 64});
  net.node("left", "Relu", {"x"}, "p")
      .node("right", "Relu", {"z"}, "q")
      .node("sub", "Sub", {"p", "q"}, "y");
  b.graph = std::move(net).graph({"x", "z"}, {"y"});
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 2);
  b.expected = b.reference.run(b.sent)->samples;
  std::vector<Sample> exchanged = b.sent;
  for (Sample& s : exchanged) std::swap(s.at("x"), s.at("z"));
  b.device = b.reference.run(exchanged)->samples;
  for (std::size_t i = 0; i < b.device.size(); ++i)
    for (const char* name : {"x", "z"}) b.device[i].insert_or_assign(name, b.sent[i].at(name));
  const Verdict v = b.judged();
  EXPECT_FALSE(v.healthy);
  EXPECT_EQ(v.summary.find("names are swapped"), v.summary.npos) << v.summary;
}

// Channels exchanged in a joined tensor were once taken for swapped names of the parts that it is
// split into again.
TEST(BadCapture, tensors_that_follow_from_what_was_recorded_before_have_their_own_names) {
  Bench b;
  test::RealNet net({1, 64});
  net.node("left", "Relu", {"x"}, "p")
      .node("right", "Relu", {"z"}, "q")
      .node("first", "Neg", {"p"}, "u")
      .node("second", "Neg", {"q"}, "v");
  b.graph = std::move(net).graph({"x", "z"}, {"u", "v"});
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 2);
  b.expected = b.reference.run(b.sent)->samples;
  b.device = b.expected;
  for (Sample& s : b.device) std::swap(s.at("p"), s.at("q")), std::swap(s.at("u"), s.at("v"));
  const Verdict v = b.judged();
  EXPECT_FALSE(v.healthy);
  EXPECT_EQ(v.summary.find("'u' and 'v' hold"), v.summary.npos) << v.summary;
  std::vector<std::string> wrong;
  for (const Suspect& s : v.suspects) wrong.push_back(v.comparison.rows[s.row].tensor);
  EXPECT_EQ(wrong, (std::vector<std::string>{"p", "q"})) << v.summary;
}

TEST(BadCapture, values_that_are_not_finite_are_counted) {
  Bench b;
  b.device[1].at("t2").set_number(3, std::numeric_limits<double>::quiet_NaN());
  const Verdict v = b.judged();
  EXPECT_FALSE(v.healthy);
  ASSERT_FALSE(v.notes.empty());
  EXPECT_NE(v.notes[0].find("'t2' holds a value that is NaN"), v.notes[0].npos) << v.notes[0];
}

TEST(BadCapture, an_output_that_never_moves_is_said_beside_any_cause) {
  Bench b;
  for (Sample& s : b.device) {
    s = Sample{{"y", b.expected[0].at("y")}};
    s.at("y").set_number(0, 7);
  }
  const Verdict v = b.judged();
  EXPECT_FALSE(v.healthy);
  EXPECT_TRUE(std::ranges::any_of(
      v.notes, [](const std::string& n) { return n.find("the same in all 3 samples") != n.npos; }));
}

// One value an inference, five inputs above zero and the fourth below: only its output is 0.
struct OneValue : Bench {
  OneValue() {
    GraphBuilder b("one", "onnx");
    ValueId last = no_id;
    for (const char* name : {"x", "t", "y"}) {
      Value v;
      v.name = name;
      v.shape = {1, 1};
      const ValueId next = b.add_value(v);
      if (last == no_id)
        b.add_input(next);
      else
        b.add_node({"relu_" + std::string(name), "Relu", {}, {last}, {next}, {}});
      last = next;
    }
    b.add_output(last);
    graph = *std::move(b).finish();
    reference = test::executor(graph);
    sent.clear();
    for (const double x : {1.0, 2.5, 0.75, -1.0, 3.0, 1.5}) {
      Tensor t(DType::f32, {1, 1});
      t.set_number(0, x);
      sent.push_back({{"x", t}});
    }
    expected = reference.run(sent)->samples;
  }
  Verdict judged_if_always(double y) {
    device.assign(sent.size(), Sample{{"y", expected[0].at("y")}});
    for (Sample& s : device) s.at("y").set_number(0, y);
    return judged();
  }
};

TEST(BadCapture, one_value_that_is_another_samples_by_chance_is_explained_and_the_doubt_said) {
  const Verdict v = OneValue().judged_if_always(0);
  ASSERT_FALSE(v.suspects.empty()) << v.summary;
  ASSERT_NE(v.suspects[0].cause(), nullptr);
  EXPECT_FALSE(v.suspects[0].cause()->certain);
  EXPECT_TRUE(std::ranges::any_of(v.notes, [](const std::string& n) {
    return n.find("one inference recorded 6 times") != n.npos;
  }));
}

TEST(BadCapture, one_value_of_one_input_in_all_samples_is_one_inference_where_no_cause_makes_it) {
  const Verdict v = OneValue().judged_if_always(2.5);
  EXPECT_TRUE(v.suspects.empty());
  EXPECT_NE(v.summary.find("input 2: one inference recorded 6 times"), v.summary.npos) << v.summary;
}

}  // namespace
}  // namespace lockstep
