#include "diff/diff.h"

#include "diff/local.h"
#include "support/nets.h"

namespace lockstep {
namespace {

struct Bench {
  Graph graph = test::relu_chain(3);
  Executor reference = test::executor(graph);
  std::vector<Sample> sent = test::random_samples(graph, 2);
  std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device = expected;
  Result<Comparison> compared(const Tolerance& tolerance = {}) {
    return compare(reference, {sent, expected, device, StateMode::reset}, tolerance);
  }
};

const Row& row_of(const Comparison& c, const std::string& tensor) {
  for (const Row& row : c.rows)
    if (row.tensor == tensor) return row;
  ADD_FAILURE() << tensor;
  return c.rows[0];
}

TEST(Compare, an_equal_device_is_exact_on_every_tensor) {
  Bench b;
  const auto c = b.compared();
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->rows.size(), 4u);
  EXPECT_EQ(c->first_wrong(), -1);
  EXPECT_TRUE(c->identical());
  for (const Row& row : c->rows) EXPECT_EQ(row.state, Judgement::exact);
}

TEST(Compare, tells_the_wrong_operation_from_those_after_it) {
  Bench b;
  for (Sample& s : b.device) {
    for (const char* name : {"t2", "y"}) s.at(name).set_number(5, 9);
  }
  const auto c = b.compared();
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->rows[static_cast<std::size_t>(c->first_wrong())].name, "r2");
  EXPECT_EQ(row_of(*c, "t1").state, Judgement::exact);
  EXPECT_EQ(row_of(*c, "y").state, Judgement::exact);
  EXPECT_TRUE(row_of(*c, "y").inherited);
  EXPECT_FALSE(row_of(*c, "y").whole.identical());
}

TEST(Compare, an_error_that_vanished_does_not_taint) {
  Bench b;
  for (Sample& s : b.device) s.at("t1").set_number(5, -9);  // the next Relu makes it 0
  for (Sample& s : b.device)
    for (const char* name : {"t2", "y"}) s.at(name).set_number(5, 0);
  for (Sample& s : b.expected)
    for (const char* name : {"t2", "y"}) s.at(name).set_number(5, 0);
  const auto c = b.compared();
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(row_of(*c, "t1").state, Judgement::wrong);
  EXPECT_FALSE(row_of(*c, "y").inherited);
}

TEST(Compare, recomputes_over_operations_that_were_not_captured) {
  Bench b;
  for (Sample& s : b.device) {
    s.erase("t1");
    s.erase("t2");
    s.at("y").set_number(7, 3);
  }
  const auto c = b.compared();
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->rows.size(), 2u);
  EXPECT_EQ(row_of(*c, "y").segment.size(), 3u);
  EXPECT_EQ(row_of(*c, "y").state, Judgement::wrong);
  EXPECT_EQ(c->left_reference, (std::vector<std::string>{"t1", "t2"}));
}

// y = x + relu(w): the weights pass through an operation of the graph.
Graph with_made_weights() {
  GraphBuilder b("weights", "onnx");
  const auto value = [&](const char* name) {
    Value v;
    v.name = name;
    v.shape = {1, 4};
    return v;
  };
  const ValueId x = b.add_value(value("x"));
  Value w = value("w");
  w.constant =
      std::make_shared<const Tensor>(Tensor::of<float>({1, 4}, std::vector<float>{-1, 2, -3, 4}));
  const ValueId weight = b.add_value(w), made = b.add_value(value("made")),
                y = b.add_value(value("y"));
  b.add_node({"prepare", "Relu", {}, {weight}, {made}, {}});
  b.add_node({"sum", "Add", {}, {x, made}, {y}, {}});
  b.add_input(x);
  b.add_output(y);
  return std::move(std::move(b).finish()).value();
}

TEST(Compare, weights_that_the_graph_itself_makes_need_no_capture) {
  const Graph graph = with_made_weights();
  const Executor reference = test::executor(graph);
  const auto sent = test::random_samples(graph, 1);
  const std::string wanted[] = {"x", "y"};
  const auto device = reference.run(sent, wanted)->samples;
  const auto c = compare(reference, {sent, device, device, StateMode::reset}, {});
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->tensors, 2);
  EXPECT_EQ(row_of(*c, "y").segment.size(), 1u);
  EXPECT_EQ(row_of(*c, "y").state, Judgement::exact);
}

TEST(Compare, wrong_weights_that_the_graph_makes_are_wrong_whether_they_are_captured_or_not) {
  const Graph graph = with_made_weights();
  const Executor reference = test::executor(graph);
  const auto sent = test::random_samples(graph, 1);
  const auto expected = reference.run(sent)->samples;
  auto device = expected;
  device[0].at("made").set_number(1, 5);
  device[0].at("y").set_number(1, device[0].at("y").number(1) + 3);
  const auto shown = compare(reference, {sent, expected, device, StateMode::reset}, {});
  ASSERT_TRUE(shown.ok());
  ASSERT_GE(shown->first_wrong(), 0);
  EXPECT_EQ(shown->rows[static_cast<std::size_t>(shown->first_wrong())].name, "prepare");
  EXPECT_EQ(row_of(*shown, "y").state, Judgement::wrong)
      << "recomputed from the reference's own weights";
  device[0].erase("made");
  const auto hidden = compare(reference, {sent, expected, device, StateMode::reset}, {});
  ASSERT_TRUE(hidden.ok());
  EXPECT_EQ(hidden->rows[static_cast<std::size_t>(hidden->first_wrong())].name, "sum");
}

TEST(Compare, an_input_that_is_not_what_was_sent_is_wrong) {
  Bench b;
  for (Sample& s : b.device) s.at("x").set_number(0, 1.5);
  const auto c = b.compared();
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->first_wrong(), 0);
  EXPECT_EQ(c->rows[0].op, "input");
}

TEST(Compare, floats_are_right_within_their_rounding_unless_exactness_is_asked) {
  Bench b;
  for (Sample& s : b.device) s.at("y").set_number(7, s.at("y").number(7) + 1e-6);
  EXPECT_EQ(b.compared()->first_wrong(), -1);
  EXPECT_GE(b.compared(*parse_tolerance("exact"))->first_wrong(), 0);
}

TEST(Compare, tolerances_are_read_strictly) {
  EXPECT_EQ(parse_tolerance("lsb:2")->lsb, 2);
  EXPECT_FALSE(parse_tolerance("lsb:").ok());
  EXPECT_FALSE(parse_tolerance("lsb:-1").ok());
  EXPECT_FALSE(parse_tolerance("lsb:2x").ok());
  EXPECT_FALSE(parse_tolerance("loose").ok());
}

// y = held + x, the next held = y; starts at {3, -1}.
Graph sum_with_state() {
  GraphBuilder b("sum.onnx", "onnx");
  const auto real = [&](const char* name) {
    Value v;
    v.name = name;
    v.shape = {2};
    return b.add_value(std::move(v));
  };
  const ValueId x = real("x"), before = real("before"), y = real("y");
  b.add_input(x);
  b.add_node({"add", "Add", {}, {before, x}, {y}, {}});
  const std::vector<float> start{3, -1};
  b.add_state({before, y, std::make_shared<const Tensor>(Tensor::of<float>({2}, start))});
  b.add_output(y);
  return std::move(b).finish().value();
}

TEST(LocalTest,
     an_operation_that_reads_a_state_reads_its_start_in_the_first_run_and_the_devices_own_later) {
  const Graph graph = sum_with_state();
  const Executor reference = test::executor(graph);
  const std::vector<Sample> sent = test::random_samples(graph, 2);
  RunOptions keep;
  keep.state = StateMode::keep;
  const std::vector<Sample> expected = reference.run(sent, {}, keep)->samples;
  std::vector<Sample> device = expected;
  for (Sample& s : device) s.erase("before");
  device[0].at("y").set_number(0, 7);
  const Recorded recorded{sent, expected, device, StateMode::keep};
  const LocalTest local(reference, recorded);
  EXPECT_EQ(local.inputs_of(0, 0).value()[0].number(0), 3);
  EXPECT_EQ(local.inputs_of(0, 0).value()[0].number(1), -1);
  EXPECT_EQ(local.inputs_of(0, 1).value()[0].number(0), 7);
}

}  // namespace
}  // namespace lockstep
