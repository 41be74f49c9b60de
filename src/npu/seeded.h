#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "npu/compare.h"

namespace lockstep {

// A compiler's mistake that can be planted into any program that has a place for it.
struct NpuBugKind {
  std::string_view name;
  // Plants it at a random place; the epoch in which it must be found, or nothing where there is
  // none.
  std::optional<int> (*plant)(NpuProgram& program, Random& random);
};
std::span<const NpuBugKind> npu_bug_kinds();

struct NpuBugTrial {
  std::string_view kind;
  int epoch = 0;                          // planted there; 0: the program has no place for it
  bool by_audit = false, by_run = false;  // found at that very epoch
  // Not found, and on these samples no byte is another in any tensor; of one whose frames follow
  // each other in the same place, what is left there and what is made of it.
  bool without_effect = false;
  std::string first;  // the first finding, or the first departure of the simulation
};

// Plants each kind `seeds` times and looks for it: by the audit, then by teacher-forced simulation
// against the reference's samples. Errors: a program or a model that cannot be read at all.
Result<std::vector<NpuBugTrial>> try_npu_bugs(const NpuProgram& program, const Graph& model,
                                              const NpuMapping& mapping,
                                              std::span<const Sample> reference, int seeds,
                                              std::uint64_t first_seed);

}  // namespace lockstep
