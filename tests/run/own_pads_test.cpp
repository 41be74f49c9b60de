#include "run/own_pads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "arith/arith.h"
#include "base/text.h"
#include "run/session.h"
#include "support/kernel_case.h"

namespace lockstep {
namespace {

using test::CaseMaker;
using test::KernelCase;

// What a Pad before a convolution does that the convolution could not do for itself.
enum class Odd : std::uint8_t { nothing, another_code, a_channel, the_edge, cuts };

// x -> (Relu ->) Pad -> Conv: a generated convolution that finds its operand padded.
struct PaddedCase {
  Graph graph;
  Tensor x;
  NodeId pad = no_id, conv = no_id;
  ValueId padded = no_id;
  std::string text;
};

// `whole`: the shape that comes out of the Pad; `pads`: begins, ends.
std::optional<std::vector<std::int64_t>> draw_pads(CaseMaker& m, const Shape& whole, bool nhwc,
                                                   Odd odd) {
  const std::size_t rank = whole.size(), first = nhwc ? 1 : 2;
  std::vector<std::int64_t> pads(2 * rank);
  for (std::size_t a = first; a < first + rank - 2; ++a) {
    pads[a] = m.from(0, std::min<std::int64_t>(4, whole[a] - 1));
    pads[rank + a] = m.from(0, std::min<std::int64_t>(4, whole[a] - 1 - pads[a]));
  }
  if (odd == Odd::a_channel) {
    const std::size_t channel = nhwc ? rank - 1 : 1;
    if (whole[channel] < 2) return {};
    pads[rank + channel] = 1;
  }
  if (odd == Odd::cuts) pads[first] = -1;
  return pads;
}

std::optional<PaddedCase> padded_case(std::uint64_t seed, Odd odd) {
  CaseMaker m(seed);
  auto drawn = test::convolution_case(m, test::ConvolutionOf::bytes);
  if (!drawn) return {};
  Node conv = drawn->graph.nodes()[0];
  const Value whole = drawn->graph.value(conv.inputs[0]);
  const auto pads = draw_pads(m, whole.shape, conv.attrs.text("layout", "") == "NHWC", odd);
  if (!pads) return {};
  GraphBuilder b("padded", "onnx");
  for (Value v : drawn->graph.values()) {
    v.producer = no_id;
    b.add_value(std::move(v));
  }
  Value x = whole;
  x.name = "x";
  x.producer = no_id;
  for (std::size_t a = 0; a < x.shape.size(); ++a)
    x.shape[a] -= (*pads)[a] + (*pads)[x.shape.size() + a];
  ValueId from = b.add_value(x);
  b.add_input(from);
  if (m.coin()) {
    Value r = x;
    r.name = "r";
    Node relu;
    relu.name = relu.op = "Relu";
    relu.inputs = {from};
    from = b.add_value(r);
    relu.outputs = {from};
    b.add_node(relu);
  }
  Node pad;
  pad.name = pad.op = "Pad";
  pad.inputs = {from};
  pad.outputs = {conv.inputs[0]};
  pad.attrs.set("pads", *pads);
  if (odd == Odd::the_edge) pad.attrs.set("mode", std::string("edge"));
  if (odd == Odd::another_code || m.coin()) {
    Value code;
    code.name = "code";
    code.dtype = x.dtype;
    code.quant = x.quant;
    Tensor element(x.dtype, {});
    const std::int64_t zero = x.quant.zero_at(0);
    element.set_code(0, odd == Odd::another_code ? (zero > 0 ? zero - 1 : zero + 1) : zero);
    code.constant = std::make_shared<const Tensor>(element);
    pad.inputs = {from, no_id, b.add_value(code)};
  } else {
    pad.attrs.set("fill", std::string("zero_point"));
  }
  b.add_node(pad);
  b.add_node(conv);
  b.add_output(conv.outputs[0]);
  auto graph = std::move(b).finish();
  if (!graph.ok()) return {};
  PaddedCase c{std::move(graph).value(), m.codes(x.dtype, x.shape), {}, {}, {}, drawn->text};
  c.pad = c.graph.find_node("Pad");
  c.conv = c.graph.find_node(conv.name);
  c.padded = c.graph.node(c.conv).inputs[0];
  c.text += "; Pad " + shape_text(*pads) + ", seed " + std::to_string(seed);
  return c;
}

void add_one(Tensor& t) {
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.set_code(i, std::min(t.code(i) + 1, code_range(t.dtype()).high));
}

// Every value by the operators' own eval; `changed` yields one more. Empty where one refuses.
std::map<ValueId, Tensor> by_eval(const PaddedCase& c, const Numerics& num,
                                  NodeId changed = no_id) {
  const Graph& g = c.graph;
  std::map<ValueId, Tensor> known;
  known.emplace(g.inputs()[0], c.x);
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    const Node& node = g.nodes()[n];
    std::vector<const Tensor*> in;
    for (const ValueId v : node.inputs)
      in.push_back(v == no_id            ? nullptr
                   : g.value(v).constant ? g.value(v).constant.get()
                                         : &known.at(v));
    const Value& y = g.value(node.outputs[0]);
    std::vector<Tensor> out{Tensor(y.dtype, y.shape)};
    EvalContext context{{g, node}, num, in, out};
    if (!find_op(node.op)->eval(context).ok()) return {};
    if (static_cast<NodeId>(n) == changed) add_one(out[0]);
    known.emplace(node.outputs[0], std::move(out[0]));
  }
  return known;
}

bool runs_the_pad(Session& s) {
  return std::ranges::any_of(s.profile(), [](const Session::StepTime& t) {
    return t.what.find(" Pad 'Pad'") != std::string::npos;
  });
}

class Trial {
 public:
  Trial(const PaddedCase& c, const Arithmetic& a) : c_(c), a_(a), kernels_(c.graph, *a.numerics) {}

  Session::Options options(int threads) const {
    Session::Options o;
    o.given.assign(c_.graph.inputs().begin(), c_.graph.inputs().end());
    o.goals.assign(c_.graph.outputs().begin(), c_.graph.outputs().end());
    o.threads = threads;
    return o;
  }
  std::vector<ValueId> activations() const {
    std::vector<ValueId> all;
    for (const Node& n : c_.graph.nodes()) all.push_back(n.outputs[0]);
    return all;
  }
  const Numerics* numerics() const { return a_.numerics; }
  bool has_kernel() const { return kernels_.kernel(c_.conv) != nullptr; }

  // Runs twice over what `want` says of the given values, and compares all goals and what can be
  // read. Returns whether the Pad was among the steps.
  bool check(const Session::Options& o, const std::map<ValueId, Tensor>& want,
             const std::map<ValueId, Tensor>& unchanged) const {
    const std::string where = std::string(a_.name) + " " + std::to_string(o.threads) + c_.text;
    auto made = Session::make(c_.graph, *a_.numerics, kernels_, o);
    EXPECT_TRUE(made.ok()) << where << (made.ok() ? "" : made.error().line());
    if (!made.ok()) return false;
    Session& s = **made;
    const auto on_hook = [](std::size_t, auto, std::span<Tensor> out) -> Result<void> {
      add_one(out[0]);
      return {};
    };
    for (int run = 0; run < 2; ++run) {
      for (const ValueId v : s.given())
        std::ranges::copy(unchanged.at(v).bytes(), s.input(v).begin());
      EXPECT_TRUE(s.run(on_hook).ok()) << where;
      for (const ValueId v : o.goals)
        EXPECT_TRUE(std::ranges::equal(s.value(v), want.at(v).bytes()))
            << c_.graph.value(v).name << " " << where;
      for (const ValueId v : o.readable) {
        Tensor got(want.at(v).dtype(), want.at(v).shape());
        EXPECT_TRUE(s.read(v, got.bytes()).ok()) << where;
        EXPECT_EQ(got, want.at(v)) << c_.graph.value(v).name << " read, " << where;
      }
    }
    return o.hooks.empty() && runs_the_pad(s);
  }

 private:
  const PaddedCase& c_;
  const Arithmetic& a_;
  const NodeKernels kernels_;
};

// Calls check(case, arithmetic, trial, what eval makes of it) for generated problems.
template <class Check>
int each_trial(int problems, Odd odd, Check&& check) {
  int done = 0;
  for (std::uint64_t seed = 1; seed < 4000 && done < problems; ++seed) {
    const auto c = padded_case(seed, odd);
    if (!c) continue;
    const Arithmetic* const a = arith_table()[seed % arith_table().size()];
    const NodeView conv{c->graph, c->graph.node(c->conv)};
    if (a->unsupported && !a->unsupported(conv).empty()) continue;
    const auto want = by_eval(*c, *a->numerics);
    if (want.empty()) continue;
    const Trial trial(*c, *a);
    if (!trial.has_kernel()) continue;
    ++done;
    check(*c, trial, want);
    if (testing::Test::HasFailure()) break;
  }
  return done;
}

TEST(OwnPads, a_convolution_pads_for_itself_and_every_byte_is_evals_observed_or_not) {
  if (!runs_here(Isa::avx2)) GTEST_SKIP() << "no kernel of convolutions of codes runs here";
  int without = 0;
  const int done =
      each_trial(250, Odd::nothing, [&](const auto&, const Trial& t, const auto& want) {
        for (const int threads : {1, 2, 3, 7}) {
          Session::Options o = t.options(threads);
          const bool pads = t.check(o, want, want);
          o.readable = t.activations();
          EXPECT_EQ(t.check(o, want, want), pads);  // what is only read costs no step
          without += !pads;
        }
      });
  std::printf("%d problems, %d of %d sessions without the Pad\n", done, without, 4 * done);
  EXPECT_EQ(done, 250);
  EXPECT_EQ(without, 4 * done);
}

TEST(OwnPads, a_pad_that_is_a_goal_runs) {
  EXPECT_EQ(each_trial(40, Odd::nothing,
                       [&](const PaddedCase& c, const Trial& t, const auto& want) {
                         Session::Options o = t.options(2);
                         o.goals.push_back(c.padded);
                         EXPECT_TRUE(t.check(o, want, want));
                       }),
            40);
}

TEST(OwnPads, a_pad_that_a_convolution_cannot_do_runs) {
  for (const Odd odd : {Odd::another_code, Odd::a_channel, Odd::the_edge, Odd::cuts}) {
    const int done = each_trial(40, odd, [&](const auto&, const Trial& t, const auto& want) {
      Session::Options o = t.options(2);
      o.readable = t.activations();
      EXPECT_TRUE(t.check(o, want, want)) << static_cast<int>(odd);
    });
    EXPECT_EQ(done, 40) << static_cast<int>(odd);
  }
}

TEST(OwnPads, changed_nodes_and_runs_resumed_from_known_values_yield_what_eval_does) {
  int runs = 0;
  each_trial(60, Odd::nothing, [&](const PaddedCase& c, const Trial& t, const auto& plain) {
    for (std::size_t n = 0; n < c.graph.nodes().size(); ++n)
      for (const bool resumed : {false, true}) {
        const auto changed = static_cast<NodeId>(n);
        Session::Options o = t.options(2);
        if (resumed) o.given.clear();
        o.resumed = resumed;
        o.hooks = {{changed, {}}};
        o.readable = t.activations();
        const auto want = by_eval(c, *t.numerics(), changed);
        t.check(o, want, plain);
        ++runs;
      }
  });
  EXPECT_GT(runs, 240);
}

TEST(OwnPads, a_known_padded_tensor_replaces_what_the_pad_would_make) {
  EXPECT_EQ(each_trial(40, Odd::nothing,
                       [&](const PaddedCase& c, const Trial& t, const auto&) {
                         const auto changed = by_eval(c, *t.numerics(), c.pad);
                         Session::Options o = t.options(3);
                         o.given.push_back(c.padded);
                         t.check(o, changed, changed);
                       }),
            40);
}

}  // namespace
}  // namespace lockstep
