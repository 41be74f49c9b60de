#include "run/merge.h"

#include <algorithm>

#include "base/text.h"

namespace lockstep {
namespace {

std::int64_t differing(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.count() != b.count()) return std::max(a.count(), b.count());
  const std::size_t width = size_of(a.dtype());
  std::int64_t n = 0;
  for (std::size_t i = 0; i < a.bytes().size(); i += width)
    n += !std::ranges::equal(a.bytes().subspan(i, width), b.bytes().subspan(i, width));
  return n;
}

void add(Capture& all, const Capture& next) {
  std::vector<std::string> own;
  for (const std::string& name : next.order) {
    if (!all.infos.contains(name)) {
      own.push_back(name);
      all.order.push_back(name);
      all.infos.emplace(name, next.infos.at(name));
      for (std::size_t s = 0; s < next.samples.size(); ++s)
        if (const auto it = next.samples[s].find(name); it != next.samples[s].end()) all.samples[s].emplace(name, it->second);
      continue;
    }
    std::int64_t wrong = 0, values = 0;
    for (std::size_t s = 0; s < next.samples.size(); ++s) {
      const Sample& held = all.samples[s];
      const auto a = held.find(name), b = next.samples[s].find(name);
      if (a == held.end() || b == next.samples[s].end()) continue;
      values += a->second.count();
      wrong += differing(a->second, b->second);
    }
    if (wrong)
      all.notes.push_back("'" + name + "' differs between " + all.source + " and " + next.source + " in " + std::to_string(wrong) + " of " +
                          std::to_string(values) + " values: these builds do not compute alike, and what one of them "
                          "shows is no evidence about the other");
  }
  if (!own.empty())
    all.notes.push_back("from " + next.source + " alone, another build: " +
                        (own.size() > 4 ? std::to_string(own.size()) + " tensors" : join(own, ", ")));
}

}  // namespace

Result<Capture> merge_captures(std::span<const Capture> captures) {
  Capture all = captures.front();
  for (const Capture& next : captures.subspan(1)) {
    if (next.samples.size() != all.samples.size())
      return Error{next.source, std::to_string(next.samples.size()) + " samples",
                   std::to_string(all.samples.size()) + " as in " + all.source, "run every variant with the same inputs"};
    for (const std::string& note : next.notes)
      if (std::ranges::find(all.notes, note) == all.notes.end()) all.notes.push_back(note);
    add(all, next);
  }
  return all;
}

}  // namespace lockstep
