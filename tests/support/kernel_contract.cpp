#include "support/kernel_contract.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "arith/arith.h"
#include "kernel/kernel_dnnl.h"
#include "run/node_kernels.h"
#include "support/kernel_case.h"

namespace lockstep::test {
namespace {

// An output for each of the node's, none where nobody wants it.
std::vector<Tensor> outputs_of(const NodeView& view) {
  std::vector<Tensor> y;
  for (const ValueId v : view.node.outputs)
    y.push_back(v == no_id ? Tensor()
                           : Tensor(view.graph.value(v).dtype, view.graph.value(v).shape));
  return y;
}

// What the kernel makes of the problem, in the tensors' own order.
std::vector<Tensor> by_kernel(const Kernel& kernel, const KernelProblem& p,
                              const KernelCase& problem, int threads, bool last) {
  const NodeView& view = p.view;
  last &= kernel.order == Order::any && view.input(0).shape.size() > 2;
  const bool moves = last || moves_channels(kernel, view);
  const auto aligned = [](std::vector<std::byte>& v) {
    return v.data() + (64 - reinterpret_cast<std::uintptr_t>(v.data()) % 64) % 64;
  };
  const auto prepared = kernel.prepare(p);
  std::vector<std::vector<std::byte>> rooms(problem.tensors.size());
  std::vector<const std::byte*> in;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    const Tensor& t = problem.tensors[i];
    rooms[i].assign(t.bytes().size() + kernel_slack + 64, std::byte{0xa5});
    in.push_back(p.constants[i] || !view.has_input(i) ? nullptr : aligned(rooms[i]));
    if (!in.back()) continue;
    if (moves && t.shape().size() > 2)
      move_channels_last(t.bytes().data(), aligned(rooms[i]), t.shape()[0], t.shape()[1],
                         t.count() / t.shape()[0] / t.shape()[1], size_of(t.dtype()));
    else
      std::memcpy(aligned(rooms[i]), t.bytes().data(), t.bytes().size());
  }
  std::vector<Tensor> out = outputs_of(view);
  std::vector<std::byte> scratch(prepared->scratch_bytes(threads) + 128, std::byte{0x5a});
  std::vector<std::byte*> to;
  for (Tensor& t : out) to.push_back(t.bytes().data());
  Workers workers(threads);
  prepared->run({in.data(), to.data(), aligned(scratch), workers, last});
  const Shape& y = out[0].shape();
  if (!moves || y.size() < 3) return out;
  Tensor moved(out[0].dtype(), y);
  move_channels_last(to[0], moved.bytes().data(), y[0], moved.count() / y[0] / y[1], y[1],
                     size_of(moved.dtype()));
  out[0] = std::move(moved);
  return out;
}

// A problem in one arithmetic, by the operator's own `eval` and by the kernel.
struct Trial {
  const Kernel& kernel;
  const Arithmetic& arithmetic;
  const KernelCase& problem;
  std::uint64_t seed;
  NodeView view;
  std::vector<const Tensor*> constants, in;

  KernelProblem kernel_problem() const { return {view, *arithmetic.numerics, constants}; }
  std::vector<Tensor> by_kernel(int threads) const {
    return test::by_kernel(kernel, kernel_problem(), problem, threads, seed % 2 == 1);
  }
  std::optional<std::vector<Tensor>> by_eval(std::span<const Tensor* const> operands) const {
    std::vector<Tensor> y = outputs_of(view);
    EvalContext context{view, *arithmetic.numerics, operands, y};
    if (!find_op(view.node.op)->eval(context).ok()) return {};
    return y;
  }
  std::string text() const {
    return "\n  " + view.node.op + problem.text + "\n  LOCKSTEP_PROBLEM=" + std::to_string(seed) +
           " runs it alone";
  }
};

// Calls check(trial, what eval makes of it) for `problems` trials, until it returns false.
template <class Check>
void each_trial(std::string_view name, int problems, std::uint64_t seeds, Check&& check) {
  const Kernel* const kernel = find_kernel(name);
  ASSERT_NE(kernel, nullptr) << name;
  if (!runs_here(kernel->isa))
    GTEST_SKIP() << name << " needs " << name_of(kernel->isa) << ": " << problems
                 << " problems skipped";
  const char* const alone = std::getenv("LOCKSTEP_PROBLEM");
  const std::uint64_t first = alone ? std::strtoull(alone, nullptr, 10) : 1;
  const std::uint64_t last = alone ? first : static_cast<std::uint64_t>(problems) * seeds;
  int computed = 0;
  for (std::uint64_t seed = first; seed <= last && computed < problems; ++seed) {
    const auto problem = kernel_case(*kernel, seed);
    if (!problem) continue;
    for (const Arithmetic* const arithmetic : arith_table()) {
      const NodeView view{problem->graph, problem->graph.nodes()[0]};
      if (arithmetic->unsupported && !arithmetic->unsupported(view).empty()) continue;
      Trial trial{*kernel, *arithmetic, *problem, seed, view, {}, {}};
      for (std::size_t i = 0; i < problem->tensors.size(); ++i) {
        trial.constants.push_back(view.constant(i));
        trial.in.push_back(view.has_input(i) ? &problem->tensors[i] : nullptr);
      }
      if (!kernel->fits(trial.kernel_problem())) continue;
      const auto want = trial.by_eval(trial.in);
      if (!want) continue;
      ++computed;
      if (!check(trial, *want)) return;
    }
  }
  EXPECT_GE(computed, alone ? 1 : problems) << "too few problems fit " << name;
}

// Places where two tensors differ in their bytes, and the first of them.
std::pair<std::int64_t, std::int64_t> differing(const Tensor& a, const Tensor& b) {
  std::int64_t differ = 0, at = -1;
  const std::size_t width = size_of(a.dtype());
  for (std::int64_t i = 0; i < a.count(); ++i)
    if (std::memcmp(a.bytes().data() + static_cast<std::size_t>(i) * width,
                    b.bytes().data() + static_cast<std::size_t>(i) * width, width) != 0) {
      if (at < 0) at = i;
      ++differ;
    }
  return {differ, at};
}

// The sums of absolute values that N6 measures by: eval of operands without their signs.
Tensor magnitudes(const Trial& trial) {
  std::vector<Tensor> operands;
  std::vector<const Tensor*> in;
  for (const Tensor* const t : trial.in) {
    operands.push_back(*t);
    for (float& v : operands.back().as<float>()) v = std::abs(v);
  }
  for (const Tensor& t : operands) in.push_back(&t);
  Node plain = trial.view.node;
  plain.attrs.set("activation", std::string("none"));
  std::vector<Tensor> y{Tensor(DType::f32, trial.view.output(0).shape)};
  EvalContext context{{trial.view.graph, plain}, *trial.arithmetic.numerics, in, y};
  EXPECT_TRUE(find_op(plain.op)->eval(context).ok());
  return std::move(y[0]);
}

std::int64_t terms_of(const NodeView& v) {
  const Shape& w = v.input(1).shape;
  if (v.node.op == "Gemm" || v.node.op == "MatMul")
    return w[w.size() - (v.attrs().integer("transB", 0) != 0 ? 1 : 2)];
  if (v.node.op == "Conv") return find_op("Conv")->cost(v).macs / count_of(v.output(0).shape);
  return v.attrs().text("weights", "") == "OHWI"
             ? count_of(w) / w[0]
             : count_of(w) / w[1] / v.attrs().integer("group", 1);
}

}  // namespace

void expect_equal_to_eval(std::string_view name, int problems) {
  each_trial(name, problems, 4, [&](const Trial& t, const std::vector<Tensor>& all) {
    const std::vector<Tensor> made = t.by_kernel(t.seed % 5 == 0 ? 3 : 1);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Tensor &got = made[i], &want = all[i];
      const auto [differ, at] = differing(got, want);
      if (differ == 0) continue;
      ADD_FAILURE() << name << ", " << t.arithmetic.name << ": " << differ << " of " << got.count()
                    << " differ, the first at " << at << ": " << got.number(at) << ", eval "
                    << want.number(at) << t.text();
      return false;
    }
    return true;
  });
}

void expect_within_any_order(std::string_view name, int problems) {
  const Kernel* const kernel = find_kernel(name);
  ASSERT_TRUE(kernel && kernel->loads && kernel->loads()) << name << " needs " << dnnl_library;
  std::int64_t elements = 0, unequal = 0;
  double nearest = 0;
  each_trial(name, problems, 60, [&](const Trial& t, const std::vector<Tensor>& all) {
    const Tensor& want = all[0];
    EXPECT_EQ(t.arithmetic.name, "float") << t.text();
    const Tensor got = t.by_kernel(1)[0], together = t.by_kernel(3)[0], size = magnitudes(t);
    EXPECT_EQ(got, together) << "by threads" << t.text();
    const std::int64_t terms = terms_of(t.view);
    for (std::int64_t i = 0; i < got.count(); ++i) {
      const double off = std::abs(got.number(i) - want.number(i)),
                   bound = any_order_bound(terms, size.number(i));
      unequal += off != 0;
      nearest = std::max(nearest, off / bound);
      if (!(off <= bound)) {
        ADD_FAILURE() << name << ": " << got.number(i) << " at " << i << ", eval " << want.number(i)
                      << ", bound " << bound << t.text();
        return false;
      }
    }
    elements += got.count();
    return true;
  });
  std::printf("%s: %lld of %lld elements differ from eval, at most %.3f of the bound\n",
              std::string(name).c_str(), static_cast<long long>(unequal),
              static_cast<long long>(elements), nearest);
}

}  // namespace lockstep::test
