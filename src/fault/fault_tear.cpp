#include "fault/fault_tear.h"

#include <algorithm>

#include "fault/fault_search.h"

namespace lockstep {

std::vector<Params> torn(const Evidence& evidence) {
  Params params;
  bool some = false;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    const auto differing = differing_blocks(*item.observed, *item.expected, 1);
    if (differing.empty()) continue;
    const auto bytes = static_cast<std::int64_t>(item.observed->bytes().size());
    const std::vector<Stretch> rest = {{differing[0].first, bytes - differing[0].first}};
    if (!item.previous || !equal_bytes(*item.observed, *item.previous, rest)) return {};
    put_stretches(params, item.run, rest);
    some = true;
  }
  if (some) return {params};
  const bool seen = std::ranges::any_of(
      evidence.items, [](const Evidence::Item& i) { return i.observed && i.expected; });
  return seen || evidence.items.size() < 2 ? std::vector<Params>()
                                           : std::vector<Params>{{{"at", 0.5}}};
}

std::vector<Params> fit_tear(std::int64_t count, const Misfit& misfit) {
  const auto share = [&](std::int64_t i) {
    return static_cast<double>(i) / static_cast<double>(count);
  };
  const auto found = least_misfit(
      [&](std::int64_t i) {
        return misfit({{"at", (share(i) + share(i + 1)) / 2}});
      },
      0, count - 1);
  if (!found) return {};
  const auto i = static_cast<std::int64_t>(found->low);
  const double wishes[] = {0.5, 0.25, 0.75};
  return {{{"at", snap(share(i), share(i) + 0.999 * (share(i + 1) - share(i)), wishes)}}};
}

void tear(Replay& r, double at) {
  if (!r.previous || r.previous->bytes().size() != r.out[0].bytes().size()) return;
  const auto bytes = static_cast<std::int64_t>(r.out[0].bytes().size());
  const auto width = static_cast<std::int64_t>(size_of(r.out[0].dtype()));
  const auto first =
      static_cast<std::int64_t>(std::clamp(at, 0.0, 1.0) * static_cast<double>(bytes / width)) *
      width;
  copy_bytes(r.out[0], *r.previous,
             names_stretches(r.params) ? stretches_of(r.params, r.run)
                                       : std::vector<Stretch>{{first, bytes - first}});
}

}  // namespace lockstep
