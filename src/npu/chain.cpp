#include "npu/chain.h"

#include <algorithm>

namespace lockstep {

std::optional<NpuUnitId> npu_fed_back(const NpuEpochForm& form, NpuUnitId reader) {
  const auto* r = form.find<NpuStream>(reader);
  if (!r || r->writes()) return std::nullopt;
  for (const auto& [id, unit] : form.units) {
    const auto* w = std::get_if<NpuStream>(&unit);
    if (!w || !w->writes() || w->address() != r->address()) continue;
    const auto link = form.links.find({id, 0});
    if (link != form.links.end() && link->second.from[0].source.unit.kind == NpuKind::conv)
      return id;
  }
  return std::nullopt;
}

std::vector<NpuUnitId> npu_chain_of(const NpuEpochForm& form, NpuUnitId id) {
  std::vector<NpuUnitId> chain = {id};
  for (;;) {
    const auto link = form.links.find({chain.front(), 2});
    const auto* c = form.find<NpuConv>(chain.front());
    if (!c || c->accumulate == 0 || link == form.links.end()) return chain;
    NpuUnitId source = link->second.from[0].source.unit;
    if (const auto writer = npu_fed_back(form, source); writer) {
      source = form.links.at({*writer, 0}).from[0].source.unit;
      if (std::ranges::count(chain, source) == 0)
        return npu_chain_of(form, source);  // the chain's true end
      return chain;
    }
    if (source.kind != NpuKind::conv || std::ranges::count(chain, source) > 0) return chain;
    chain.insert(chain.begin(), source);
  }
}

bool npu_takes_partial(const NpuConv& c, std::int64_t f) {
  if (c.afilt_mode == "AFILT_MODE_FRAMEZERO")
    return f % c.afilt_tot >= c.afilt_first && f % c.afilt_tot <= c.afilt_last;
  return f > 0 || c.accumulate_first != 0;
}

std::size_t npu_repeats_of(const NpuConv& c) {
  return c.fstat != 0 ? static_cast<std::size_t>(c.fstatcnt) + 1 : 1;
}

}  // namespace lockstep
