#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/workers.h"
#include "op/op.h"

namespace lockstep {

// A kernel computes what an operator's `eval` computes, faster and never differently. It has no
// meaning of its own: tests/kernel runs each against `eval`. One exception: a kernel that calls a
// library takes sums in the library's order, in the arithmetic `float` alone, within N6.

// What a kernel asks of the processor.
enum class Isa : std::uint8_t { any, avx2, avxvnni, avx512, avx512vnni };
std::string_view name_of(Isa isa);
bool runs_here(Isa isa);

// How a kernel wants its tensors in memory: as their shape says, or with axis 1 moved to the end.
// Tensors of nodes whose own layout is NHWC lie so already. any: all operands in one order.
enum class Order : std::uint8_t { as_shaped, channels_last, any };

// One node to be computed. `constants` has an entry for each input: null comes with every run.
struct KernelProblem {
  NodeView view;
  const Numerics& num;
  std::span<const Tensor* const> constants;
};

// One evaluation: contents of inputs (null where constant or absent) and outputs in the kernel's
// order. Behind an input stand at least `kernel_slack` bytes that may be read, whatever they hold.
inline constexpr std::size_t kernel_slack = 256;
struct KernelRun {
  const std::byte* const* in;
  std::byte* const* out;
  std::byte* scratch;  // scratch_bytes, aligned to 64
  Workers& workers;
  bool channels_last = false;  // to a kernel of any order: operands of three axes and more lie so
};

// A kernel made ready for one node: weights packed, multipliers computed. Shared by threads; a run
// allocates nothing.
class PreparedKernel {
 public:
  virtual ~PreparedKernel() = default;
  virtual void run(const KernelRun& r) const = 0;
  virtual std::size_t scratch_bytes(int threads) const = 0;
  virtual std::size_t resident_bytes() const { return 0; }  // packed weights and tables
};

struct Kernel {
  std::string_view name = {};  // "dot_avx512vnni"
  std::span<const std::string_view> ops = {};
  Isa isa = Isa::any;
  int speed = 0;  // the greatest that fits is taken
  std::string_view meaning = {};
  Order order = Order::as_shaped;
  bool (*fits)(const KernelProblem& p) = nullptr;
  std::unique_ptr<PreparedKernel> (*prepare)(const KernelProblem& p) = nullptr;
  // A library that it calls, and whether that loads; null: none.
  const char* library = nullptr;
  bool (*loads)() = nullptr;
};

std::span<const Kernel* const> kernel_table();  // generated, sorted by file name
const Kernel* find_kernel(std::string_view name);

// Only the named kernels are taken from now on ("scalar": none); an empty list: all. For the whole
// process, before the first Executor is made. Errors: a name that is none, one that cannot run
// here.
Result<void> force_kernels(std::span<const std::string> names);
// The kernel for this node, null: the operator's own `eval`.
const Kernel* pick_kernel(const KernelProblem& p);

// [batch][channels][positions] of elements of `width` bytes to [batch][positions][channels], or
// back.
void move_channels_last(const std::byte* from, std::byte* to, std::int64_t batch,
                        std::int64_t channels, std::int64_t positions, std::size_t width);

}  // namespace lockstep
