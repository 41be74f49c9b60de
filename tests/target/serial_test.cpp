#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "link/emulator.h"
#include "support/temporary.h"
#include "target/target.h"

namespace lockstep {
namespace {

// The emulator's built-in network has these inputs and outputs; nothing of the reference is run
// here.
Graph stand_in() {
  GraphBuilder g("m.onnx", "onnx");
  Value x, y;
  x.name = "x";
  x.dtype = DType::u8;
  x.shape = {1, 8, 8, 3};
  y.name = "y";
  y.shape = {1, 10};
  Value axes;
  axes.name = "flat";
  axes.shape = {1, 192};
  axes.dtype = DType::u8;
  Node flatten;
  flatten.name = "flatten";
  flatten.op = "Flatten";
  flatten.inputs = {g.add_value(x)};
  flatten.outputs = {g.add_value(axes)};
  Value w;
  w.name = "w";
  w.dtype = DType::u8;
  w.shape = {192, 10};
  w.constant = std::make_shared<Tensor>(DType::u8, Shape{192, 10});
  Value sums;
  sums.name = "sums";
  sums.dtype = DType::i32;
  sums.shape = {1, 10};
  Node product;
  product.name = "product";
  product.op = "MatMulInteger";
  product.inputs = {flatten.outputs[0], g.add_value(w)};
  product.outputs = {g.add_value(sums)};
  Node cast;
  cast.name = "cast";
  cast.op = "Cast";
  cast.attrs.set("to", std::int64_t{1});
  cast.inputs = {product.outputs[0]};
  cast.outputs = {g.add_value(y)};
  g.add_node(flatten);
  g.add_node(product);
  g.add_node(cast);
  g.add_input(flatten.inputs[0]);
  g.add_output(cast.outputs[0]);
  return std::move(std::move(g).finish()).value();
}

std::vector<Sample> one_sample() {
  Tensor x(DType::u8, {1, 8, 8, 3});
  for (std::int64_t i = 0; i < x.count(); ++i) x.set_code(i, i);
  Sample s;
  s.emplace("x", x);
  return {s};
}

TEST(SerialTarget, runs_each_sample_twice_and_says_so) {
  const test::TemporaryFolder folder;
  test::Emulator emulator("--stock --framing 1", folder / "tty");
  const Graph graph = stand_in();
  auto target =
      open_target("serial:" + (folder / "tty") + ":921600", {graph, *find_arithmetic("ort-noopt")});
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto capture = (*target)->run(one_sample(), {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const Tensor& y = capture->samples[0].at("y");
  double first = 0;
  for (int i = 0; i < 192; i += 10) first += i;
  EXPECT_EQ(y.number(0), first);
  EXPECT_NE(
      testing::PrintToString(capture->notes).find("every sample ran 2 times with equal results"),
      std::string::npos);
}

TEST(SerialTarget, a_damaged_byte_is_a_link_fault_and_no_result) {
  const test::TemporaryFolder folder;
  test::Emulator emulator("--stock --framing 1 --flip 0.05", folder / "tty");
  const Graph graph = stand_in();
  auto target = open_target("serial:" + (folder / "tty"), {graph, *find_arithmetic("ort-noopt")});
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto capture = (*target)->run(one_sample(), {});
  ASSERT_FALSE(capture.ok());
  EXPECT_EQ(capture.error().blame, Blame::target);
}

TEST(SerialTarget, a_port_that_is_none_is_out_of_reach) {
  const Graph graph = stand_in();
  const test::TemporaryFolder folder;
  std::ofstream(folder / "file") << "no port";
  for (const std::string& path : {folder / "absent", folder / "file"}) {
    const auto target = open_target("serial:" + path, {graph, *find_arithmetic("ort-noopt")});
    ASSERT_FALSE(target.ok());
    EXPECT_EQ(target.error().blame, Blame::target);
    EXPECT_NE(target.error().where.find(path), std::string::npos);
  }
}

}  // namespace
}  // namespace lockstep
