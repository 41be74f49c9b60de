#include "support/kernel_contract.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <limits>

#include "arith/arith.h"
#include "base/random.h"
#include "base/text.h"
#include "kernel/kernel.h"
#include "op/op.h"

namespace lockstep::test {
namespace {

// One node of its own graph, and contents for every input.
struct Problem {
  Graph graph;
  std::vector<Tensor> tensors;
  std::string text;
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::int64_t from(std::int64_t low, std::int64_t high) { return random_.between(low, high); }
  bool coin() { return from(0, 1) == 1; }
  double scale() { return static_cast<double>(static_cast<float>(0.002 + 0.05 * random_.unit())); }
  QuantParams quant(DType t, std::int64_t channels = 1, int axis = -1, bool zero_point = true) {
    QuantParams q;
    const CodeRange r = code_range(t);
    for (std::int64_t c = 0; c < channels; ++c) {
      q.scale.push_back(scale());
      q.zero.push_back(!zero_point ? 0
                                   : static_cast<std::int32_t>(coin()   ? from(r.low, r.high)
                                                               : coin() ? r.low
                                                                        : r.high));
    }
    if (channels > 1) q.axis = axis;
    return q;
  }
  // All kinds of contents: extremes alone, one code throughout, or anything.
  Tensor codes(DType t, Shape shape) {
    Tensor x(t, std::move(shape));
    const CodeRange r = code_range(t);
    const std::int64_t kind = from(0, 3), all = coin() ? r.low : r.high;
    for (std::int64_t i = 0; i < x.count(); ++i)
      x.set_code(i, kind == 0 ? all : kind == 1 ? (coin() ? r.low : r.high) : from(r.low, r.high));
    return x;
  }
  Tensor bias(std::int64_t n) {
    Tensor x(DType::i32, {n});
    const std::int64_t most = coin() ? 2000 : 2147483647;
    for (std::int64_t i = 0; i < n; ++i) x.set_code(i, from(-most, most));
    return x;
  }
  Tensor reals(Shape shape) {
    Tensor x(DType::f32, std::move(shape));
    for (float& v : x.as<float>()) v = static_cast<float>(random_.unit() * 8 - 4);
    return x;
  }

 private:
  Random random_;
};

class NodeBuilder {
 public:
  explicit NodeBuilder(std::string op) : graph_("problem", "onnx") {
    node_.name = "n", node_.op = std::move(op);
  }
  void input(Tensor t, QuantParams q, bool constant) {
    Value v;
    v.name = "i" + std::to_string(tensors_.size());
    v.dtype = t.dtype();
    v.shape = t.shape();
    v.quant = std::move(q);
    if (constant) v.constant = std::make_shared<const Tensor>(t);
    const ValueId id = graph_.add_value(v);
    if (!constant) graph_.add_input(id);
    node_.inputs.push_back(id);
    tensors_.push_back(std::move(t));
  }
  Node& node() { return node_; }
  std::optional<Problem> finish(DType y, QuantParams q) {
    Value v;
    v.name = "y";
    v.dtype = y;
    v.quant = std::move(q);
    const ValueId id = graph_.add_value(v);
    node_.outputs = {id};
    const auto facts = find_op(node_.op)->infer(NodeView{graph_.so_far(), node_});
    if (!facts.ok()) return {};
    graph_.value(id).shape = (*facts)[0].shape;
    if (count_of((*facts)[0].shape) < 1) return {};
    graph_.add_node(node_);
    graph_.add_output(id);
    auto graph = std::move(graph_).finish();
    if (!graph.ok()) return {};
    Problem p{std::move(graph).value(), std::move(tensors_), ""};
    for (const Value& value : p.graph.values())
      p.text +=
          " " + value.name + " " + std::string(name_of(value.dtype)) + shape_text(value.shape);
    for (const char* key : {"strides", "pads", "dilations"})
      p.text += std::string(" ") + key + shape_text(p.graph.nodes()[0].attrs.integers(key));
    p.text += " group " + std::to_string(p.graph.nodes()[0].attrs.integer("group", 1)) + " " +
              p.graph.nodes()[0].attrs.text("layout", "");
    return p;
  }

 private:
  GraphBuilder graph_;
  Node node_;
  std::vector<Tensor> tensors_;
};

DType byte_type(Maker& m) {
  return m.coin() ? DType::i8 : DType::u8;
}

std::optional<Problem> convolution(Maker& m, bool real) {
  const bool nhwc = m.coin();
  const auto rank = static_cast<std::size_t>(m.from(1, 5) == 5 ? 3 : m.from(1, 2));
  const bool depthwise = m.from(0, 2) == 0;
  const std::int64_t group = depthwise           ? m.from(1, m.coin() ? 4 : 70)
                             : m.from(0, 4) == 0 ? m.from(2, 3)
                                                 : 1;
  const std::int64_t ic = depthwise ? 1 : m.from(1, 3) == 1 ? m.from(1, 80) : m.from(1, 9);
  const std::int64_t og = depthwise           ? (m.from(0, 4) == 0 ? 2 : 1)
                          : m.from(1, 3) == 1 ? m.from(1, 100)
                                              : m.from(1, 20);
  Shape x{m.from(1, 2)}, w;
  std::vector<std::int64_t> strides, dilations, pads(2 * rank);
  for (std::size_t a = 0; a < rank; ++a) {
    x.push_back(m.from(1, rank == 1 ? 40 : 11));
    w.push_back(m.coin() ? 1 : m.from(1, 5));
    strides.push_back(m.coin() ? 1 : m.from(1, 3));
    dilations.push_back(m.from(0, 3) ? 1 : m.from(1, 3));
    pads[a] = m.coin() ? 0 : m.from(0, 3);
    pads[rank + a] = m.coin() ? 0 : m.from(0, 3);
  }
  std::string order = "OIHW";
  const std::int64_t oc = og * group;
  int axis = 0;
  if (nhwc) {
    x.push_back(ic * group);
    order = depthwise && m.coin() ? "1HWO" : "OHWI";
    w.insert(w.begin(), order == "OHWI" ? oc : 1);
    w.push_back(order == "OHWI" ? ic : oc);
    if (order == "1HWO") axis = static_cast<int>(w.size()) - 1;
  } else {
    x.insert(x.begin() + 1, ic * group);
    w.insert(w.begin(), {oc, ic});
  }
  NodeBuilder b("Conv");
  const DType tx = byte_type(m), tw = m.from(0, 3) ? DType::i8 : DType::u8;
  if (real) {
    b.input(m.reals(x), {}, false);
    b.input(m.reals(w), {}, true);
    if (m.coin()) b.input(m.reals({oc}), {}, true);
    if (m.coin()) b.node().attrs.set("kernel", std::string("blocked"));
  } else {
    b.input(m.codes(tx, x), m.quant(tx), false);
    b.input(m.codes(tw, w), m.quant(tw, m.coin() ? oc : 1, axis, m.from(0, 3) == 0), true);
    if (m.coin()) b.input(m.bias(oc), {}, true);
  }
  Attrs& a = b.node().attrs;
  a.set("layout", std::string(nhwc ? "NHWC" : "NCHW"));
  a.set("weights", order);
  a.set("group", group);
  a.set("strides", strides);
  a.set("dilations", dilations);
  a.set("pads", pads);
  if (real) return b.finish(DType::f32, {});
  if (m.coin()) a.set("activation", std::string(m.coin() ? "relu" : "relu6"));
  const DType ty = m.from(0, 3) ? tx : byte_type(m);
  return b.finish(ty, m.quant(ty));
}

std::optional<Problem> product(Maker& m) {
  const bool gemm = m.coin(), trans = m.coin(), real = m.from(0, 3) == 0;
  const std::int64_t rows = m.from(1, 20), k = m.from(1, 90), n = m.from(1, 90);
  NodeBuilder b(gemm ? "Gemm" : "MatMul");
  const DType tx = byte_type(m), tw = m.from(0, 3) ? DType::i8 : DType::u8;
  const bool deep = m.coin();
  b.input(m.codes(tx, deep && !gemm ? Shape{2, rows, k} : Shape{rows, k}), m.quant(tx), false);
  const bool by_channel = m.coin() && (gemm || !trans);
  b.input(m.codes(tw, trans ? Shape{n, k} : Shape{k, n}),
          m.quant(tw, by_channel ? n : 1, trans ? 0 : 1, m.from(0, 3) == 0), true);
  if (gemm && m.coin()) b.input(m.bias(n), {}, true);
  b.node().attrs.set("transB", std::int64_t{trans});
  const DType ty = m.from(0, 3) ? tx : byte_type(m);
  return real ? b.finish(DType::f32, {}) : b.finish(ty, m.quant(ty));
}

Shape places_shape(Maker& m) {
  Shape s;
  for (std::int64_t rank = m.from(1, 4); rank > 0; --rank)
    s.push_back(m.from(1, rank == 1 ? 90 : 5));
  return s;
}

std::optional<Problem> scaled(Maker& m, const std::string& op) {
  NodeBuilder b(op);
  const DType t = byte_type(m);
  const Shape shape = places_shape(m);
  const QuantParams q = m.quant(t);
  Tensor zero(t, {});
  zero.set_code(0, q.zero[0]);
  if (op == "QuantizeLinear") {
    Tensor x = m.reals(shape);
    for (float& v : x.as<float>()) {
      const auto kind = m.from(0, 9);
      // Ties, far values, and what is no number.
      if (kind == 0)
        v = (static_cast<float>(m.from(-300, 300)) + 0.5f) * static_cast<float>(q.scale[0]);
      if (kind == 1) v = m.coin() ? 3e38f : -std::numeric_limits<float>::infinity();
      if (kind == 2) v = std::numeric_limits<float>::quiet_NaN();
    }
    b.input(std::move(x), {}, false);
  } else {
    b.input(m.codes(t, shape), q, false);
  }
  b.input(Tensor::scalar(static_cast<float>(q.scale[0])), {}, true);
  if (q.zero[0] != 0 || m.coin()) b.input(zero, {}, true);
  return op == "QuantizeLinear" ? b.finish(t, q) : b.finish(DType::f32, {});
}

std::optional<Problem> pair(Maker& m, const std::string& op) {
  NodeBuilder b(op);
  const Shape shape = places_shape(m);
  if (m.from(0, 2) == 0) {
    b.input(m.reals(shape), {}, false);
    b.input(m.reals(shape), {}, false);
    return b.finish(DType::f32, {});
  }
  const DType t = byte_type(m);
  for (int i = 0; i < 2; ++i) b.input(m.codes(t, shape), m.quant(t), false);
  if (t == DType::i8 && m.coin()) b.node().attrs.set("codes", std::string("unsigned"));
  if (m.coin()) b.node().attrs.set("activation", std::string(m.coin() ? "relu" : "relu6"));
  return b.finish(t, m.quant(t));
}

std::optional<Problem> pooling(Maker& m, const std::string& op) {
  NodeBuilder b(op);
  const bool nhwc = m.coin();
  Shape x{m.from(1, 2), m.from(1, 12), m.from(1, 12)};
  const std::int64_t channels = m.from(1, 150);
  nhwc ? x.push_back(channels) : static_cast<void>(x.insert(x.begin() + 1, channels));
  const DType t = op == "MaxPool" && m.from(0, 2) == 0 ? DType::f32 : byte_type(m);
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string(nhwc ? "NHWC" : "NCHW"));
  if (op != "GlobalAveragePool") {
    a.set("kernel_shape", std::vector<std::int64_t>{m.from(1, 4), m.from(1, 4)});
    a.set("strides", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3)});
    a.set("pads",
          std::vector<std::int64_t>{m.from(0, 1), m.from(0, 1), m.from(0, 1), m.from(0, 1)});
    if (t != DType::f32 && m.coin()) a.set("activation", std::string("relu"));
    return b.finish(t, op == "MaxPool" || m.coin() ? q : m.quant(t));
  }
  return b.finish(t, m.quant(t));
}

std::optional<Problem> move(Maker& m, const std::string& op) {
  NodeBuilder b(op);
  Shape x;
  const auto rank = static_cast<std::size_t>(m.from(1, 4));
  for (std::size_t a = 0; a < rank; ++a) x.push_back(m.from(1, 9));
  const DType t = m.coin() ? DType::f32 : byte_type(m);
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  const auto list = [&](std::int64_t low, std::int64_t high, std::size_t n) {
    Tensor v(DType::i64, {static_cast<std::int64_t>(n)});
    for (auto& e : v.as<std::int64_t>()) e = m.from(low, high);
    return v;
  };
  if (op == "Transpose") {
    std::vector<std::int64_t> perm;
    for (std::size_t a = 0; a < rank; ++a)
      perm.insert(perm.begin() + m.from(0, static_cast<std::int64_t>(a)),
                  static_cast<std::int64_t>(a));
    b.node().attrs.set("perm", perm);
  } else if (op == "Pad") {
    b.input(list(0, 4, 2 * rank), {}, true);
    if (m.coin())
      b.input(t == DType::f32 ? Tensor::scalar(1.5f) : m.codes(t, {}), {}, true);
    else if (m.coin())
      b.node().attrs.set("fill", std::string("zero_point"));
  } else {
    b.input(list(0, 4, rank), {}, true);
    b.input(list(3, 12, rank), {}, true);
    Tensor axes(DType::i64, {static_cast<std::int64_t>(rank)});
    for (std::size_t a = 0; a < rank; ++a)
      axes.as<std::int64_t>()[a] = static_cast<std::int64_t>(a);
    if (op == "Slice") b.input(std::move(axes), {}, true);
    b.input(list(1, 2, rank), {}, true);
  }
  return b.finish(t, q);
}

std::optional<Problem> problem_for(const Kernel& kernel, std::uint64_t seed) {
  Maker m(seed);
  const std::string_view op = kernel.ops[static_cast<std::size_t>(
      m.from(0, static_cast<std::int64_t>(kernel.ops.size()) - 1))];
  if (op == "Conv") return convolution(m, kernel.name.starts_with("reals"));
  if (op == "Gemm" || op == "MatMul") return product(m);
  if (op == "QuantizeLinear" || op == "DequantizeLinear") return scaled(m, std::string(op));
  if (op == "Add" || op == "Sub" || op == "Mul") return pair(m, std::string(op));
  if (op == "Transpose" || op == "Pad" || op == "Slice" || op == "StridedSlice")
    return move(m, std::string(op));
  if (op == "MaxPool" || op == "AveragePool" || op == "GlobalAveragePool")
    return pooling(m, std::string(op));
  return {};
}

// What the kernel makes of the problem, in the tensor's own order.
Tensor by_kernel(const Kernel& kernel, const KernelProblem& p, const Problem& problem, int threads,
                 bool last) {
  const NodeView& view = p.view;
  last &= kernel.order == Order::any && view.input(0).shape.size() > 2 &&
          view.output(0).shape.size() > 2;
  const bool moves =
      last || (kernel.order == Order::channels_last && view.node.op != "Gemm" &&
               view.node.op != "MatMul" && view.attrs().text("layout", "NCHW") != "NHWC");
  const auto aligned = [](std::vector<std::byte>& v) {
    return v.data() + (64 - reinterpret_cast<std::uintptr_t>(v.data()) % 64) % 64;
  };
  const auto prepared = kernel.prepare(p);
  std::vector<std::vector<std::byte>> rooms(problem.tensors.size());
  std::vector<const std::byte*> in;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    const Tensor& t = problem.tensors[i];
    rooms[i].assign(t.bytes().size() + kernel_slack + 64, std::byte{0xa5});
    in.push_back(p.constants[i] ? nullptr : aligned(rooms[i]));
    if (moves && t.shape().size() > 2)
      move_channels_last(t.bytes().data(), aligned(rooms[i]), t.shape()[0], t.shape()[1],
                         t.count() / t.shape()[0] / t.shape()[1], size_of(t.dtype()));
    else
      std::memcpy(aligned(rooms[i]), t.bytes().data(), t.bytes().size());
  }
  const Value& y = view.output(0);
  Tensor out(y.dtype, y.shape), moved(y.dtype, y.shape);
  std::vector<std::byte> scratch(prepared->scratch_bytes(threads) + 128, std::byte{0x5a});
  std::byte* const to = out.bytes().data();
  Workers workers(threads);
  prepared->run({in.data(), &to, aligned(scratch), workers, last});
  if (!moves || y.shape.size() < 3) return out;
  move_channels_last(to, moved.bytes().data(), y.shape[0], out.count() / y.shape[0] / y.shape[1],
                     y.shape[1], size_of(y.dtype));
  return moved;
}

}  // namespace

void expect_equal_to_eval(std::string_view name, int problems) {
  const Kernel* const kernel = find_kernel(name);
  ASSERT_NE(kernel, nullptr) << name;
  if (!runs_here(kernel->isa))
    GTEST_SKIP() << name << " needs " << name_of(kernel->isa) << ": " << problems
                 << " problems skipped";
  const char* const alone = std::getenv("LOCKSTEP_PROBLEM");
  const std::uint64_t first = alone ? std::strtoull(alone, nullptr, 10) : 1;
  const std::uint64_t last = alone ? first : static_cast<std::uint64_t>(problems) * 4;
  int computed = 0;
  for (std::uint64_t seed = first; seed <= last && computed < problems; ++seed) {
    const auto problem = problem_for(*kernel, seed);
    if (!problem) continue;
    for (const Arithmetic* const arithmetic : arith_table()) {
      const NodeView view{problem->graph, problem->graph.nodes()[0]};
      if (arithmetic->unsupported && !arithmetic->unsupported(view).empty()) continue;
      std::vector<const Tensor*> constants, in;
      for (std::size_t i = 0; i < problem->tensors.size(); ++i) {
        constants.push_back(view.constant(i));
        in.push_back(&problem->tensors[i]);
      }
      const KernelProblem p{view, *arithmetic->numerics, constants};
      if (!kernel->fits(p)) continue;
      std::vector<Tensor> want{Tensor(view.output(0).dtype, view.output(0).shape)};
      EvalContext context{view, *arithmetic->numerics, in, want};
      const auto done = find_op(view.node.op)->eval(context);
      if (!done.ok()) continue;
      const int threads = seed % 5 == 0 ? 3 : 1;
      const Tensor got = by_kernel(*kernel, p, *problem, threads, seed % 2 == 1);
      ++computed;
      std::int64_t differ = 0, at = -1;
      const std::size_t width = size_of(got.dtype());
      for (std::int64_t i = 0; i < got.count(); ++i)
        if (std::memcmp(got.bytes().data() + static_cast<std::size_t>(i) * width,
                        want[0].bytes().data() + static_cast<std::size_t>(i) * width, width) != 0) {
          if (at < 0) at = i;
          ++differ;
        }
      if (differ == 0) continue;
      ADD_FAILURE() << name << ", " << arithmetic->name << ": " << differ << " of " << got.count()
                    << " differ, the first at " << at << ": " << got.number(at) << ", eval "
                    << want[0].number(at) << "\n  " << view.node.op << problem->text
                    << "\n  LOCKSTEP_PROBLEM=" << seed << " runs it alone";
      return;
    }
  }
  EXPECT_GE(computed, alone ? 1 : problems) << "too few problems fit " << name;
}

}  // namespace lockstep::test
