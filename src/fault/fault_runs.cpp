#include "fault/fault_runs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "base/random.h"
#include "fault/fault_work.h"

namespace lockstep {
namespace {

std::string key(std::int64_t run, std::size_t i, const char* what) {
  return "r" + std::to_string(run) + "." + std::to_string(i) + "." + what;
}

std::int64_t byte_count(const Tensor& t) {
  return static_cast<std::int64_t>(t.bytes().size());
}

}  // namespace

void put_stretches(Params& params, std::int64_t run, const std::vector<Stretch>& stretches) {
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    params[key(run, i, "first")] = static_cast<double>(stretches[i].first);
    params[key(run, i, "count")] = static_cast<double>(stretches[i].count);
  }
}

std::vector<Stretch> stretches_of(const Params& params, std::int64_t run) {
  std::vector<Stretch> out;
  for (std::size_t i = 0;; ++i) {
    const auto first = params.find(key(run, i, "first")), count = params.find(key(run, i, "count"));
    if (first == params.end() || count == params.end()) return out;
    out.push_back(
        {static_cast<std::int64_t>(first->second), static_cast<std::int64_t>(count->second)});
  }
}

bool names_stretches(const Params& params) {
  return std::ranges::any_of(params, [](const auto& p) { return p.first.ends_with(".first"); });
}

std::vector<Stretch> differing_blocks(const Tensor& a, const Tensor& b, std::int64_t size) {
  std::vector<Stretch> out;
  const std::int64_t bytes = std::min(byte_count(a), byte_count(b));
  for (std::int64_t first = 0; first < bytes; first += size) {
    const std::int64_t count = std::min(size, bytes - first);
    if (std::memcmp(a.bytes().data() + first, b.bytes().data() + first,
                    static_cast<std::size_t>(count)) == 0)
      continue;
    if (!out.empty() && out.back().first + out.back().count == first)
      out.back().count += count;
    else
      out.push_back({first, count});
  }
  return out;
}

std::vector<Stretch> drawn_blocks(std::int64_t bytes, std::int64_t size, double share, double seed,
                                  std::int64_t run) {
  Random random(static_cast<std::uint64_t>(seed) * 1000003u + static_cast<std::uint64_t>(run));
  std::vector<Stretch> out;
  const std::int64_t blocks = (bytes + size - 1) / size;
  const std::int64_t sure = blocks > 0 ? random.between(0, blocks - 1) : 0;
  for (std::int64_t b = 0; b < blocks; ++b)
    if (random.unit() < share || b == sure)
      out.push_back({b * size, std::min(size, bytes - b * size)});
  return out;
}

void copy_bytes(Tensor& to, const Tensor& from, const std::vector<Stretch>& stretches) {
  for (const Stretch& s : stretches)
    if (s.first >= 0 && s.first + s.count <= std::min(byte_count(to), byte_count(from)))
      std::memcpy(to.bytes().data() + s.first, from.bytes().data() + s.first,
                  static_cast<std::size_t>(s.count));
}

bool equal_bytes(const Tensor& a, const Tensor& b, const std::vector<Stretch>& stretches) {
  return std::ranges::all_of(stretches, [&](const Stretch& s) {
    return s.first + s.count <= std::min(byte_count(a), byte_count(b)) &&
           std::memcmp(a.bytes().data() + s.first, b.bytes().data() + s.first,
                       static_cast<std::size_t>(s.count)) == 0;
  });
}

std::int64_t total(const std::vector<Stretch>& stretches) {
  std::int64_t n = 0;
  for (const Stretch& s : stretches) n += s.count;
  return n;
}

std::vector<Params> stale_blocks(const Evidence& evidence, std::int64_t size) {
  for (const bool shown : {false, true}) {
    Params params;
    bool some = false, all = true;
    for (const Evidence::Item& item : evidence.items) {
      if (!item.observed || !item.expected) continue;
      const auto blocks = differing_blocks(*item.observed, *item.expected, size);
      if (blocks.empty()) continue;
      const Tensor* earlier = shown ? item.previous_shown : item.previous;
      all = all && earlier && equal_bytes(*item.observed, *earlier, blocks);
      some = true;
      put_stretches(params, item.run, blocks);
    }
    if (!some || !all) continue;
    if (shown) params["shown"] = 1;
    return {params};
  }
  return {};
}

std::vector<Params> fit_blocks(const Evidence& evidence, std::int64_t size, const Misfit& misfit) {
  const auto earlier = [](const Evidence::Item& item, const Stretch& s) {
    return item.previous && !equal_bytes(*item.expected, *item.previous, {s});
  };
  if (auto found = fit_blocks(evidence, size, misfit, {.shows = earlier}))
    return {std::move(*found)};
  return {};
}

std::optional<Params> fit_blocks(const Evidence& evidence, std::int64_t size, const Misfit& misfit,
                                 const BlockChange& change) {
  constexpr std::size_t most_pairs = 96;
  struct Block {
    std::int64_t run;
    Stretch stretch;
    bool stale;
  };
  std::vector<Block> blocks;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.expected) continue;
    for (std::int64_t first = 0; first < byte_count(*item.expected); first += size) {
      const Stretch s{first, std::min(size, byte_count(*item.expected) - first)};
      if (change.shows(item, s)) blocks.push_back({item.run, s, false});
      if (blocks.size() > change.most) return std::nullopt;
    }
  }
  if (blocks.empty()) return std::nullopt;
  const auto params = [&] {
    std::map<std::int64_t, std::vector<Stretch>> stale;
    for (const Block& b : blocks) {
      if (!b.stale) continue;
      auto& list = stale[b.run];
      if (!list.empty() && list.back().first + list.back().count == b.stretch.first)
        list.back().count += b.stretch.count;
      else
        list.push_back(b.stretch);
    }
    Params p = change.others;
    for (const auto& [run, list] : stale) put_stretches(p, run, list);
    if (stale.empty()) p["r0.0.first"] = 0, p["r0.0.count"] = 0;  // none at all, not drawn ones
    return p;
  };
  // Infinite: no more replays are to be had.
  const auto tried = [&] {
    constexpr double of_block = 100;  // named among the parameters
    return spend(of_block * static_cast<double>(blocks.size()))
               ? misfit(params())
               : std::numeric_limits<double>::infinity();
  };
  double least = tried();
  for (int pass = 0; pass < 12 && least > 0; ++pass) {
    const double before = least;
    for (Block& b : blocks) {
      b.stale = !b.stale;
      const double now = tried();
      if (std::isinf(now)) {
        b.stale = !b.stale;
        return params();
      }
      if (now < least)
        least = now;
      else
        b.stale = !b.stale;
      if (least == 0) break;
    }
    if (least < before || least == 0) continue;
    if (blocks.size() > most_pairs) break;
    for (std::size_t a = 0; a < blocks.size() && least == before; ++a)
      for (std::size_t b = a + 1; b < blocks.size(); ++b) {
        if (blocks[a].run != blocks[b].run) continue;
        blocks[a].stale = !blocks[a].stale, blocks[b].stale = !blocks[b].stale;
        const double now = tried();
        if (now < least) {
          least = now;
          break;
        }
        blocks[a].stale = !blocks[a].stale, blocks[b].stale = !blocks[b].stale;
        if (std::isinf(now)) return params();
      }
    if (least == before) break;
  }
  return params();
}

void make_stale(Replay& r, std::int64_t size, double share, double seed) {
  const auto shown = r.params.find("shown");
  const Tensor* earlier =
      shown != r.params.end() && shown->second != 0 ? r.previous_shown : r.previous;
  if (!earlier || earlier->bytes().size() != r.out[0].bytes().size()) return;
  const auto blocks = names_stretches(r.params)
                          ? stretches_of(r.params, r.run)
                          : drawn_blocks(byte_count(r.out[0]), size, share, seed, r.run);
  copy_bytes(r.out[0], *earlier, blocks);
}

}  // namespace lockstep
