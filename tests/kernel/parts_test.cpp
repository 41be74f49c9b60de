#include <gtest/gtest.h>

#include <cstring>

#include "arith/arith.h"
#include "support/kernel_case.h"

namespace lockstep {
namespace {

struct Problem {
  Graph graph;
  Tensor x;
};

// A split of any rank along any axis, into equal or given parts, of bytes or words; some parts
// without a name.
Problem problem_of(test::CaseMaker& m) {
  GraphBuilder b("problem", "onnx");
  Shape shape;
  const auto rank = m.from(1, 5);
  for (std::int64_t a = 0; a < rank; ++a) shape.push_back(m.from(1, 7));
  const auto axis = static_cast<std::size_t>(m.from(0, rank - 1));
  std::vector<std::int64_t> parts;
  for (auto count = m.from(1, 4); count > 0; --count) parts.push_back(m.from(1, 6));
  shape[axis] = 0;
  for (const std::int64_t p : parts) shape[axis] += p;
  const DType t = m.coin() ? m.byte_type() : DType::f32;
  Value x;
  x.name = std::string("x");
  x.dtype = t;
  x.shape = shape;
  Node node;
  node.name = std::string("n");
  node.op = "Split";
  node.attrs.set(
      "axis", m.coin() ? static_cast<std::int64_t>(axis) : static_cast<std::int64_t>(axis) - rank);
  node.attrs.set("split", parts);
  node.inputs = {b.add_value(x)};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Value y = x;
    y.name = "y" + std::to_string(i);
    y.shape[axis] = parts[i];
    node.outputs.push_back(parts.size() > 1 && m.from(0, 5) == 0 ? no_id
                                                                 : b.add_value(std::move(y)));
  }
  b.add_input(node.inputs[0]);
  b.add_node(std::move(node));
  Tensor contents = t == DType::f32 ? m.reals(shape) : m.codes(t, shape);
  return {b.so_far(), std::move(contents)};
}

// In memory with axis 1 last.
std::vector<std::byte> channels_last(const Tensor& t) {
  std::vector<std::byte> out(t.bytes().size());
  const Shape& s = t.shape();
  move_channels_last(t.bytes().data(), out.data(), s[0], s[1], t.count() / s[0] / s[1],
                     size_of(t.dtype()));
  return out;
}

TEST(Parts, yields_the_bytes_of_eval_in_both_orders) {
  const Kernel* const kernel = find_kernel("parts");
  ASSERT_NE(kernel, nullptr);
  const Numerics& num = *find_arithmetic("ort")->numerics;
  for (std::uint64_t seed = 1; seed < 300; ++seed) {
    test::CaseMaker m(seed);
    const Problem made = problem_of(m);
    const NodeView view{made.graph, made.graph.nodes()[0]};
    const std::vector<const Tensor*> none{nullptr}, in{&made.x};
    const KernelProblem p{view, num, none};
    ASSERT_TRUE(kernel->fits(p)) << seed;
    std::vector<Tensor> want;
    for (const ValueId v : view.node.outputs)
      want.push_back(v == no_id ? Tensor() : Tensor(made.x.dtype(), made.graph.value(v).shape));
    EvalContext context{view, num, in, want};
    ASSERT_TRUE(find_op("Split")->eval(context).ok()) << seed;
    const bool last = made.x.shape().size() > 2 && m.coin();
    std::vector<std::byte> x =
        last ? channels_last(made.x)
             : std::vector<std::byte>(made.x.bytes().begin(), made.x.bytes().end());
    std::vector<std::vector<std::byte>> got;
    std::vector<std::byte*> to;
    for (const Tensor& t : want) got.emplace_back(t.bytes().size());
    for (std::size_t i = 0; i < got.size(); ++i)
      to.push_back(view.node.outputs[i] == no_id ? nullptr : got[i].data());
    const std::byte* const from = x.data();
    Workers workers(seed % 5 == 0 ? 3 : 1);
    kernel->prepare(p)->run({&from, to.data(), nullptr, workers, last});
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (!to[i]) continue;
      const std::vector<std::byte> expected =
          last ? channels_last(want[i])
               : std::vector<std::byte>(want[i].bytes().begin(), want[i].bytes().end());
      ASSERT_EQ(got[i], expected) << "seed " << seed << ", part " << i;
    }
  }
}

}  // namespace
}  // namespace lockstep
