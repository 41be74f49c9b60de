#include <gtest/gtest.h>

#include "pass/qdq.h"

namespace lockstep {
namespace {

// conv on codes -> (Sigmoid on codes) -> Resize -> (conv on codes), NCHW.
Graph chain(bool sigmoid, bool second, std::int64_t rows, const std::string& mode = "linear") {
  GraphBuilder b("chain", "onnx");
  int count = 0;
  const auto value = [&](Shape shape) {
    Value v;
    v.name = "v" + std::to_string(count++);
    v.dtype = DType::u8;
    v.shape = std::move(shape);
    v.quant = {{0.5}, {3}, -1};
    return b.add_value(std::move(v));
  };
  const auto add = [&](std::string op, std::vector<ValueId> in, Shape shape) {
    Node n;
    n.op = std::move(op);
    n.name = "n" + std::to_string(count);
    n.inputs = std::move(in);
    n.outputs = {value(std::move(shape))};
    const ValueId out = n.outputs[0];
    b.add_node(std::move(n));
    return out;
  };
  const auto weights = [&] {
    const ValueId w = value({2, 2, 1, 1});
    b.value(w).constant = std::make_shared<const Tensor>(DType::u8, Shape{2, 2, 1, 1});
    return w;
  };
  ValueId x = value({1, 2, 4, 4});
  b.add_input(x);
  x = add("Conv", {x, weights()}, {1, 2, 4, 4});
  if (sigmoid) x = add("Sigmoid", {x}, {1, 2, 4, 4});
  x = add("Resize", {x}, {1, 2, rows, 8});
  if (second) x = add("Conv", {x, weights()}, {1, 2, rows, 8});
  b.add_output(x);
  for (NodeId n = 0; n < count; ++n)
    if (static_cast<std::size_t>(n) < b.so_far().nodes().size() && b.node(n).op == "Resize")
      b.node(n).attrs.set("mode", mode);
  auto g = std::move(b).finish();
  EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
  return std::move(g).value();
}

bool is_marked(const Graph& g) {
  auto patch = resize_channels_last(g);
  EXPECT_TRUE(patch.ok());
  return !patch.value().empty();
}

TEST(ResizeChannelsLast, marks_a_resize_right_behind_an_integer_convolution) {
  EXPECT_TRUE(is_marked(chain(false, false, 8)));
  EXPECT_TRUE(is_marked(chain(false, true, 8)));
}

TEST(ResizeChannelsLast, passes_other_operators_only_on_the_way_to_another_convolution) {
  EXPECT_FALSE(is_marked(chain(true, false, 8)));
  EXPECT_TRUE(is_marked(chain(true, true, 8)));
}

// The transposition passes linear Resize always, cubic only on its way to another.
TEST(ResizeChannelsLast, a_cubic_resize_is_marked_only_before_another_convolution) {
  EXPECT_TRUE(is_marked(chain(false, true, 8, "cubic")));
  EXPECT_FALSE(is_marked(chain(false, false, 8, "cubic")));
}

TEST(ResizeChannelsLast, leaves_a_resize_that_keeps_the_rows) {
  EXPECT_FALSE(is_marked(chain(false, true, 4)));
}

}  // namespace
}  // namespace lockstep
