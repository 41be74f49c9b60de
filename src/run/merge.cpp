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

struct Difference {
  std::string name;
  std::int64_t wrong = 0, values = 0;
};

// Of what both hold: each tensor that is not the same.
std::vector<Difference> differences(const Capture& all, const Capture& next) {
  std::vector<Difference> found;
  for (const std::string& name : next.order) {
    Difference d{name, 0, 0};
    for (std::size_t s = 0; s < next.samples.size(); ++s) {
      const auto a = all.samples[s].find(name), b = next.samples[s].find(name);
      if (a == all.samples[s].end() || b == next.samples[s].end()) continue;
      d.values += a->second.count();
      d.wrong += differing(a->second, b->second);
    }
    if (d.wrong) found.push_back(std::move(d));
  }
  return found;
}

std::string listed(const std::vector<std::string>& names) {
  return names.size() > 4 ? std::to_string(names.size()) + " tensors" : join(names, ", ");
}

void add(Capture& all, const Capture& next, const Build& first, const Build& other) {
  const SameBuild same = same_build(first, other);
  const std::string whose = next.source + (other.known() ? " (" + other.text() + ")" : "");
  const std::vector<Difference> unlike = differences(all, next);
  for (const Difference& d : unlike)
    all.notes.push_back(
        "'" + d.name + "' differs between " + all.source + " and " + whose + " in " +
        std::to_string(d.wrong) + " of " + std::to_string(d.values) + " values: " +
        (same == SameBuild::yes ? "one build that does not answer alike from run to run"
                                : "these builds do not compute alike, and what one of them shows "
                                  "is no evidence about the other"));
  std::vector<std::string> own;
  for (const std::string& name : next.order)
    if (!all.infos.contains(name)) own.push_back(name);
  if (own.empty()) return;
  if (!unlike.empty() && same != SameBuild::yes) {
    all.notes.push_back("left out, as of another build: " + listed(own) + " of " + whose);
    return;
  }
  for (const std::string& name : own) {
    all.order.push_back(name);
    all.infos.emplace(name, next.infos.at(name));
    for (std::size_t s = 0; s < next.samples.size(); ++s)
      if (const auto it = next.samples[s].find(name); it != next.samples[s].end())
        all.samples[s].emplace(name, it->second);
  }
  if (same != SameBuild::yes)
    all.notes.push_back("from " + whose + " alone, another build: " + listed(own));
}

}  // namespace

Result<Capture> merge_captures(std::span<const Capture> captures, std::span<const Build> builds) {
  Capture all = captures.front();
  for (std::size_t i = 1; i < captures.size(); ++i) {
    const Capture& next = captures[i];
    if (next.samples.size() != all.samples.size())
      return Error{next.source, std::to_string(next.samples.size()) + " samples",
                   std::to_string(all.samples.size()) + " as in " + all.source,
                   "run every variant with the same inputs"};
    for (const std::string& note : next.notes)
      if (std::ranges::find(all.notes, note) == all.notes.end()) all.notes.push_back(note);
    add(all, next, builds.empty() ? Build{} : builds[0], i < builds.size() ? builds[i] : Build{});
  }
  return all;
}

}  // namespace lockstep
