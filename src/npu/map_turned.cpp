#include "npu/map_turned.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "npu/layout.h"
#include "npu/software.h"
#include "npu/software_moves.h"

namespace lockstep {
namespace {

bool turns(const NpuEpoch& e) {
  return !e.hardware() && software_function(e).ends_with("Transpose");
}

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// Follows the elements of one tensor through one call, a byte of their numbers at a time.
class Followed {
 public:
  Followed(const NpuProgram& program, const NpuMapping& map, NpuMemory memory)
      : program_(program), map_(map), memory_(std::move(memory)) {
    memory_.assume_written();
  }

  // Which element of the model's tensor lies at each of `to`; nothing when it is not known.
  std::optional<std::vector<std::int64_t>> through(const NpuEpoch& e, const NpuBuffer& from,
                                                   const NpuBuffer& to) {
    const std::vector<std::int64_t> order = value_order(from, *map_.find(from.name)),
                                    in = memory_order(from), out = memory_order(to);
    if (order.size() != in.size() || out.size() != in.size()) return std::nullopt;
    std::vector<std::int64_t> found(out.size(), 0);
    for (int shift = 0; shift < 32; shift += 8) {
      std::vector<std::uint8_t> bytes(in.size());
      for (std::size_t i = 0; i < in.size(); ++i)
        bytes[at(in[i])] = static_cast<std::uint8_t>(order[i] >> shift);
      NpuCounts counts;
      if (!memory_.write(from.address(), bytes, "map").ok() ||
          !run_software_epoch(program_, e, memory_, counts).ok())
        return std::nullopt;
      const auto moved = memory_.read(to.address(), out.size(), "map");
      if (!moved.ok()) return std::nullopt;
      for (std::size_t i = 0; i < out.size(); ++i)
        found[i] |= static_cast<std::int64_t>((*moved)[at(out[i])]) << shift;
    }
    return found;
  }

  // The mapped tensor that the call reads whole.
  const NpuBuffer* read_by(const NpuEpoch& e) {
    NpuMemory::Trace trace;
    memory_.set_trace(&trace);
    NpuCounts counts;
    const bool ran = run_software_epoch(program_, e, memory_, counts).ok();
    memory_.set_trace(nullptr);
    const NpuBuffer* latest = nullptr;
    for (const NpuBuffer& b : program_.buffers)
      for (const auto& [low, high] : trace.reads)
        if (ran && b.epoch < e.number && !b.is_param && map_.find(b.name) && low == b.address() &&
            high - low == static_cast<std::uint64_t>(b.bytes()) &&
            (!latest || b.epoch >= latest->epoch))
          latest = &b;
    return latest;
  }

 private:
  const NpuProgram& program_;
  const NpuMapping& map_;
  NpuMemory memory_;
};

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
  Followed followed(program, map, std::move(memory).value());
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
