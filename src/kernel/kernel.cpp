#include "kernel/kernel.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "kernel/kernel_transpose.h"

namespace lockstep {
namespace {

struct Choice {
  bool all = true;
  std::vector<const Kernel*> only;
};

Result<Choice> choice_of(std::span<const std::string> names) {
  Choice choice;
  for (const std::string& name : names) {
    choice.all = false;
    if (name == "scalar") continue;
    const Kernel* const kernel = find_kernel(name);
    if (!kernel)
      return Error{"--kernel", "no kernel '" + name + "'", "scalar or a name of `lockstep kernels`",
                   ""};
    if (!runs_here(kernel->isa))
      return Error{"--kernel", "'" + name + "' needs " + std::string(name_of(kernel->isa)),
                   "a kernel that this processor can run", "lockstep kernels lists them"};
    if (kernel->loads && !kernel->loads())
      return Error{"--kernel", "'" + name + "' needs " + kernel->library, "the library installed",
                   ""};
    choice.only.push_back(kernel);
  }
  return choice;
}

// LOCKSTEP_KERNEL=a,b until a command says otherwise; what it misspells is ignored.
Choice& choice() {
  static Choice chosen = [] {
    std::vector<std::string> names;
    if (const char* const text = std::getenv("LOCKSTEP_KERNEL")) {
      std::string name;
      for (const char* c = text;; ++c) {
        if (*c != ',' && *c) {
          name += *c;
          continue;
        }
        if (!name.empty()) names.push_back(name);
        name.clear();
        if (!*c) break;
      }
    }
    auto made = choice_of(names);
    return made.ok() ? std::move(made).value() : Choice{};
  }();
  return chosen;
}

}  // namespace

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::any:
      return "any";
    case Isa::avx2:
      return "avx2";
    case Isa::avxvnni:
      return "avxvnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512vnni:
      return "avx512vnni";
  }
  return "";
}

bool runs_here(Isa isa) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  switch (isa) {
    case Isa::any:
      return true;
    case Isa::avx2:
      return avx2;
    case Isa::avxvnni: {
      static const bool vnni = [] {
        unsigned a = 7, b = 0, c = 1, d = 0;  // leaf 7, subleaf 1: eax bit 4
        __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        return (a >> 4 & 1) != 0;
      }();
      return avx2 && vnni;
    }
    case Isa::avx512:
      return avx512;
    case Isa::avx512vnni:
      return avx512 && __builtin_cpu_supports("avx512vnni");
  }
  return false;
#else
  return isa == Isa::any;
#endif
}

const Kernel* find_kernel(std::string_view name) {
  for (const Kernel* const kernel : kernel_table())
    if (kernel->name == name) return kernel;
  return nullptr;
}

Result<void> force_kernels(std::span<const std::string> names) {
  LOCKSTEP_TRY(choice(), choice_of(names));
  return {};
}

const Kernel* pick_kernel(const KernelProblem& p) {
  const Choice& chosen = choice();
  const Kernel* best = nullptr;
  for (const Kernel* const kernel :
       chosen.all ? kernel_table() : std::span<const Kernel* const>(chosen.only))
    if ((!best || kernel->speed > best->speed) && runs_here(kernel->isa) &&
        std::ranges::count(kernel->ops, p.view.node.op) > 0 && kernel->fits(p))
      best = kernel;
  return best;
}

void move_channels_last(const std::byte* from, std::byte* to, std::int64_t batch,
                        std::int64_t channels, std::int64_t positions, std::size_t width) {
  const std::size_t bytes = static_cast<std::size_t>(channels * positions) * width;
  for (std::int64_t n = 0; n < batch; ++n, from += bytes, to += bytes) {
    if (channels == 1 || positions == 1)
      std::memcpy(to, from, bytes);
    else
      transpose(from, to, channels, positions, width);
  }
}

}  // namespace lockstep
