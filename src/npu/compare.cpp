#include "npu/compare.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/core.h>

#include "npu/layout.h"

namespace lockstep {
namespace {

NpuRow& row_for(std::vector<NpuRow>& rows, int epoch, const std::string& buffer,
                const std::string& value) {
  for (NpuRow& r : rows)
    if (r.epoch == epoch && r.value == value) return r;
  rows.push_back({.epoch = epoch, .buffer = buffer, .value = value});
  return rows.back();
}

double as_printed(double v, int decimals) {
  return std::strtod(fmt::format("{:.{}f}", v, decimals).c_str(), nullptr);
}

void add(NpuRow& row, const Metrics& m) {
  row.max_lsb = std::max(row.max_lsb, m.max_lsb);
  row.cosine = std::min(row.cosine, m.cosine);
  row.share += m.share_differing();
  row.mean_lsb += m.mean_lsb;
  row.shown_percent += as_printed(100 * m.share_differing(), 3);
  row.shown_mean += as_printed(m.mean_lsb, 4);
  ++row.samples;
}

// The reference's codes for a mapped buffer; nothing when it is not mapped or not recorded.
Result<std::optional<Tensor>> wanted(const NpuBuffer& b, const Graph& model,
                                     const NpuMapping& mapping, const Sample& reference) {
  const NpuPair* pair = mapping.find(b.name);
  const auto it = pair ? reference.find(pair->value) : reference.end();
  if (it == reference.end()) return std::optional<Tensor>();
  LOCKSTEP_TRY(Tensor codes,
               codes_for(b, *pair, model.value(model.find_value(pair->value)), it->second));
  return std::optional<Tensor>(std::move(codes));
}

// [N,C,H,W] as [N,H,W,C], or the other way where `back`.
Tensor turned(const Tensor& x, bool back) {
  const Shape& s = x.shape();
  const Shape to = back ? Shape{s[0], s[3], s[1], s[2]} : Shape{s[0], s[2], s[3], s[1]};
  const std::int64_t outer = back ? s[1] * s[2] : s[1], inner = back ? s[3] : s[2] * s[3];
  Tensor out(x.dtype(), to);
  const std::size_t by = size_of(x.dtype());
  for (std::int64_t n = 0; n < s[0]; ++n)
    for (std::int64_t i = 0; i < outer; ++i)
      for (std::int64_t j = 0; j < inner; ++j)
        std::copy_n(x.bytes().begin() + ((n * outer + i) * inner + j) * static_cast<int>(by), by,
                    out.bytes().begin() + ((n * inner + j) * outer + i) * static_cast<int>(by));
  return out;
}

// The application may be asked for its input in another order than the model: extents tell.
Tensor as_fed(const NpuBuffer& b, const Tensor& x) {
  const Shape plain = plain_shape(b), &s = x.shape();
  if (plain.size() != 4 || s.size() != 4 || plain == s) return x;
  if (plain == Shape{s[0], s[2], s[3], s[1]}) return turned(x, false);
  if (plain == Shape{s[0], s[3], s[1], s[2]}) return turned(x, true);
  return x;
}

}  // namespace

std::optional<NpuMode> npu_mode_named(std::string_view name) {
  if (name == "chained") return NpuMode::chained;
  if (name == "forced") return NpuMode::forced;
  if (name == "exact") return NpuMode::exact;
  return std::nullopt;
}

Result<Sample> simulator_inputs(const NpuSimulator& simulator, const Graph& model,
                                const NpuMapping& mapping, const Sample& reference) {
  Sample codes;
  for (const NpuBuffer* b : simulator.inputs()) {
    LOCKSTEP_TRY(std::optional<Tensor> known, wanted(*b, model, mapping, reference));
    if (known) {
      codes.emplace(b->name, std::move(*known));
      continue;
    }
    const Tensor* x = nullptr;
    for (const ValueId id : model.inputs()) {
      const auto it = reference.find(model.value(id).name);
      if (it != reference.end() && it->second.count() == b->count()) x = &it->second;
    }
    if (!x)
      return Error{simulator.program().file,
                   "no tensor for its input " + b->name,
                   fmt::format("a network input of {} elements", b->count()),
                   {}};
    LOCKSTEP_TRY(Tensor quantized, input_codes(*b, as_fed(*b, *x), simulator.program().file));
    codes.emplace(b->name, std::move(quantized));
  }
  return codes;
}

Result<void> force_epoch(const NpuProgram& program, const NpuEpoch& epoch, const Graph& model,
                         const NpuMapping& mapping, const Sample& reference, NpuMemory& memory) {
  const std::string where = fmt::format("{}: epoch {}", program.file, epoch.number);
  for (const NpuBuffer* b : program.made_by(epoch.number)) {
    LOCKSTEP_TRY(const std::optional<Tensor> codes, wanted(*b, model, mapping, reference));
    if (codes) LOCKSTEP_CHECK(write_buffer(*b, *codes, memory, where));
  }
  return {};
}

Result<std::vector<NpuRow>> compare_epochs(NpuSimulator& simulator, const Graph& model,
                                           const NpuMapping& mapping,
                                           std::span<const Sample> reference, NpuMode mode) {
  NpuRules rules = simulator.rules();
  rules.exact = mode == NpuMode::exact;
  simulator.set_rules(rules);
  std::vector<NpuRow> rows;
  for (const Sample& sample : reference) {
    LOCKSTEP_TRY(const Sample inputs, simulator_inputs(simulator, model, mapping, sample));
    const auto observe = [&](const NpuEpoch& epoch, NpuMemory& memory) -> Result<void> {
      std::vector<std::string> counted;
      for (const NpuBuffer* b : simulator.program().made_by(epoch.number)) {
        LOCKSTEP_TRY(const std::optional<Tensor> expected, wanted(*b, model, mapping, sample));
        if (!expected) continue;
        const std::string where =
            fmt::format("{}: epoch {}", simulator.program().file, epoch.number);
        LOCKSTEP_TRY(const Tensor got, read_buffer(*b, memory, where));
        const std::string& value = mapping.find(b->name)->value;
        if (std::ranges::count(counted, value) == 0) {
          // Cosine over the codes as they lie: comparable with what a dump of the memory gives.
          LOCKSTEP_TRY(const Metrics m,
                       measure(*expected, got, {.scale = b->scale, .zero = {0}, .axis = -1}));
          add(row_for(rows, epoch.number, b->name, value), m);
          counted.push_back(value);
        }
        if (mode != NpuMode::chained) LOCKSTEP_CHECK(write_buffer(*b, *expected, memory, where));
      }
      return {};
    };
    LOCKSTEP_CHECK(simulator.run(inputs, observe));
  }
  for (NpuRow& r : rows)
    r.share /= r.samples, r.mean_lsb /= r.samples, r.shown_percent /= r.samples,
        r.shown_mean /= r.samples;
  return rows;
}

}  // namespace lockstep
