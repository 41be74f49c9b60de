#include "support/kernel_contract.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "arith/arith.h"
#include "support/kernel_case.h"

namespace lockstep::test {
namespace {

// What the kernel makes of the problem, in the tensor's own order.
Tensor by_kernel(const Kernel& kernel, const KernelProblem& p, const KernelCase& problem,
                 int threads, bool last) {
  const NodeView& view = p.view;
  last &= kernel.order == Order::any && view.input(0).shape.size() > 2;
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
    const auto problem = kernel_case(*kernel, seed);
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
