#include "npu/split.h"

#include <algorithm>

#include <fmt/core.h>

namespace lockstep {
namespace {

NpuSplit& row_for(std::vector<NpuSplit>& rows, int epoch, const std::string& value) {
  for (NpuSplit& r : rows)
    if (r.value == value) return r;
  rows.push_back({.epoch = epoch, .value = value});
  return rows.back();
}

void count(NpuSplit& row, const Tensor& device, const Tensor& reference, const Tensor& program) {
  for (std::int64_t i = 0; i < device.count(); ++i) {
    const std::int64_t d = device.code(i), off = d - program.code(i);
    ++row.count;
    if (d == reference.code(i)) continue;
    ++row.differing;
    ++(off == 0 ? row.explained : off == 1 || off == -1 ? row.near : row.unexplained);
  }
}

}  // namespace

Result<std::vector<NpuSplit>> split_differences(NpuSimulator& simulator, const Graph& model,
                                                const NpuMapping& mapping,
                                                std::span<const Sample> device,
                                                std::span<const Sample> reference) {
  std::vector<NpuSplit> rows;
  for (std::size_t s = 0; s < device.size() && s < reference.size(); ++s) {
    LOCKSTEP_TRY(const Sample inputs, simulator_inputs(simulator, model, mapping, device[s]));
    std::vector<std::string> counted;
    const auto observe = [&](const NpuEpoch& epoch, NpuMemory& memory) -> Result<void> {
      const std::string where = fmt::format("{}: epoch {}", simulator.program().file, epoch.number);
      for (const NpuBuffer* b : simulator.program().made_by(epoch.number)) {
        const NpuPair* pair = mapping.find(b->name);
        const auto own = pair ? device[s].find(pair->value) : device[s].end();
        if (own == device[s].end() || !is_integer(own->second.dtype())) continue;
        const Value& value = model.value(model.find_value(pair->value));
        LOCKSTEP_TRY(const Tensor codes, codes_for(*b, *pair, value, own->second));
        const auto wanted = reference[s].find(pair->value);
        if (wanted != reference[s].end() && is_integer(wanted->second.dtype()) &&
            std::ranges::count(counted, pair->value) == 0) {
          LOCKSTEP_TRY(const Tensor want, codes_for(*b, *pair, value, wanted->second));
          LOCKSTEP_TRY(const Tensor made, read_buffer(*b, memory, where));
          count(row_for(rows, epoch.number, pair->value), codes, want, made);
          counted.push_back(pair->value);
        }
        LOCKSTEP_CHECK(write_buffer(*b, codes, memory, where));
      }
      return {};
    };
    LOCKSTEP_CHECK(simulator.run(inputs, observe));
  }
  return rows;
}

}  // namespace lockstep
