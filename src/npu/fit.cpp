#include "npu/fit.h"

#include <algorithm>

#include <fmt/core.h>

#include "npu/record.h"

namespace lockstep {
namespace {

struct Stage {
  std::string_view name;
  NpuTie NpuRules::*rule;
  std::span<const NpuTie> choices;
};
constexpr NpuTie nearest[] = {NpuTie::away, NpuTie::up,   NpuTie::even,
                              NpuTie::odd,  NpuTie::zero, NpuTie::down};
constexpr NpuTie shifts[] = {NpuTie::floor, NpuTie::away, NpuTie::up, NpuTie::even};
constexpr Stage stages[] = {{"convolution", &NpuRules::conv, nearest},
                            {"arithmetic", &NpuRules::arith, nearest},
                            {"pooling", &NpuRules::pool, nearest},
                            {"activation", &NpuRules::activ, nearest},
                            {"operand shifts", &NpuRules::operand, shifts}};

struct Count {
  std::int64_t compared = 0, differing = 0;
};

Result<void> compare_tensor(const NpuBuffer& b, const NpuPair& pair, const Value& value,
                            const Tensor& captured, const NpuMemory& memory,
                            const std::string& where, Count& count) {
  LOCKSTEP_TRY(const Tensor want, codes_for(b, pair, value, captured));
  LOCKSTEP_TRY(const Tensor got, read_buffer(b, memory, where));
  for (std::int64_t i = 0; i < want.count(); ++i)
    ++count.compared, count.differing += want.code(i) != got.code(i);
  return {};
}

Result<Count> count_codes(NpuSimulator& sim, const Graph& model, const NpuMapping& mapping,
                          std::span<const Sample> captured) {
  Count count;
  for (const Sample& sample : captured) {
    LOCKSTEP_TRY(const Sample inputs, simulator_inputs(sim, model, mapping, sample));
    std::vector<std::string> counted;
    const auto observe = [&](const NpuEpoch& epoch, NpuMemory& memory) -> Result<void> {
      for (const NpuBuffer* b : sim.program().made_by(epoch.number)) {
        const NpuPair* pair = mapping.find(b->name);
        const auto it = pair ? sample.find(pair->value) : sample.end();
        if (it == sample.end() || !is_integer(it->second.dtype())) continue;
        const std::string where = fmt::format("{}: epoch {}", sim.program().file, epoch.number);
        const Value& value = model.value(model.find_value(pair->value));
        if (std::ranges::count(counted, pair->value) == 0) {
          LOCKSTEP_CHECK(compare_tensor(*b, *pair, value, it->second, memory, where, count));
          counted.push_back(pair->value);
        }
        LOCKSTEP_TRY(const Tensor codes, codes_for(*b, *pair, value, it->second));
        LOCKSTEP_CHECK(write_buffer(*b, codes, memory, where));
      }
      return {};
    };
    LOCKSTEP_CHECK(sim.run(inputs, observe));
  }
  return count;
}

}  // namespace

std::string_view name_of(NpuProof proof) {
  constexpr std::string_view names[] = {"proven", "excluded", "best", "undecided", "untouched"};
  return names[static_cast<int>(proof)];
}

NpuProof proof_of(const std::vector<NpuFitRow>& rows, const NpuFitRow& row) {
  std::int64_t least = row.differing, most = row.differing;
  int as_good = 0;
  for (const NpuFitRow& r : rows)
    if (r.stage == row.stage)
      least = std::min(least, r.differing), most = std::max(most, r.differing);
  for (const NpuFitRow& r : rows) as_good += r.stage == row.stage && r.differing == least;
  if (least == most) return NpuProof::untouched;
  if (row.differing > least) return NpuProof::excluded;
  if (as_good > 1) return NpuProof::undecided;
  return least == 0 ? NpuProof::proven : NpuProof::best;
}

Result<std::vector<NpuFitRow>> fit_npu_rules(NpuSimulator& simulator, const Graph& model,
                                             const NpuMapping& mapping,
                                             std::span<const Sample> captured) {
  const NpuRules defaults;
  std::vector<NpuFitRow> rows;
  for (const Stage& stage : stages)
    for (const NpuTie rule : stage.choices) {
      NpuRules rules = defaults;
      rules.*stage.rule = rule;
      simulator.set_rules(rules);
      LOCKSTEP_TRY(const Count count, count_codes(simulator, model, mapping, captured));
      rows.push_back({std::string(stage.name), rule, rule == defaults.*stage.rule, count.compared,
                      count.differing});
    }
  simulator.set_rules(defaults);
  if (!rows.empty() && rows[0].compared == 0)
    return Error{simulator.program().file,
                 "no captured tensor that the program makes",
                 "outputs or inner tensors under the model's names",
                 {}};
  return rows;
}

}  // namespace lockstep
