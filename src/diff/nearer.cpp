#include "diff/nearer.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "diff/recode.h"

namespace lockstep {
namespace {

std::int64_t nearer(const Tensor& first, const Tensor& second, const Tensor& device) {
  if (first.count() != device.count() || second.count() != device.count()) return 0;
  std::int64_t balance = 0;
  for (std::int64_t i = 0; i < device.count(); ++i) {
    const double to_first = std::abs(device.number(i) - first.number(i)),
                 to_second = std::abs(device.number(i) - second.number(i));
    balance += (to_first < to_second) - (to_second < to_first);
  }
  return balance;
}

bool of_other_sign(const Pairing& pairing) {
  return std::ranges::any_of(pairing.pairs, [](const Pair& p) { return p.other_sign; });
}

}  // namespace

std::int64_t nearer(std::span<const Sample> first, std::span<const Sample> second,
                    const Pairing& device) {
  std::optional<Pairing> moved;
  if (of_other_sign(device)) {
    moved = device;
    if (recode(first, *moved).empty()) recode(second, *moved);
  }
  const std::vector<Sample>& samples = moved ? moved->samples : device.samples;
  std::int64_t balance = 0;
  for (std::size_t s = 0; s < std::min({first.size(), second.size(), samples.size()}); ++s)
    for (const auto& [name, tensor] : samples[s]) {
      const auto a = first[s].find(name), b = second[s].find(name);
      if (a != first[s].end() && b != second[s].end())
        balance += nearer(a->second, b->second, tensor);
    }
  return balance;
}

}  // namespace lockstep
