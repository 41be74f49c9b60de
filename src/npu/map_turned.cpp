#include "npu/map_turned.h"

#include <algorithm>

#include <fmt/core.h>

#include "npu/followed.h"
#include "npu/layout.h"
#include "npu/software.h"

namespace lockstep {
namespace {

bool turns(const NpuEpoch& e) {
  return !e.hardware() && software_function(e).ends_with("Transpose");
}

// Sets the pair right, or leaves it out with its copies.
void settle(NpuMapping& map, const NpuBuffer& to, const std::vector<std::int64_t>& lies) {
  const auto pair = std::ranges::find(map.pairs, to.name, &NpuPair::buffer);
  if (value_order(to, *pair) == lies) return;
  if (plain_shape(to).size() > 2) {
    NpuPair other = *pair;
    other.channels_last = !pair->channels_last;
    if (value_order(to, other) == lies) {
      *pair = std::move(other);
      return;
    }
  }
  const std::string stem = without_copies(to.name);
  map.unmapped.push_back(
      fmt::format("{}: {} with its axes in another order", to.name, pair->value));
  std::erase_if(map.pairs, [&](const NpuPair& p) { return without_copies(p.buffer) == stem; });
}

}  // namespace

void drop_turned(const NpuProgram& program, NpuMapping& map) {
  if (std::ranges::none_of(program.epochs, turns)) return;
  Result<NpuMemory> memory = NpuMemory::make(program);
  if (!memory.ok()) return;
  NpuFollowed followed(program, map, std::move(memory).value());
  for (const NpuEpoch& e : program.epochs) {
    const NpuBuffer* from = turns(e) ? followed.read_by(e) : nullptr;
    if (!from) continue;
    for (const NpuBuffer* to : program.made_by(e.number)) {
      const NpuPair *x = map.find(from->name), *y = map.find(to->name);
      if (!x || !y || x->value != y->value || to->count() != from->count()) continue;
      if (const auto lies = followed.through(e, *from, *to)) settle(map, *to, *lies);
    }
  }
}

}  // namespace lockstep
