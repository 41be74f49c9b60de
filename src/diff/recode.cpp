#include "diff/recode.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lockstep {
namespace {

constexpr double agree = 0.9;  // share of codes within a step
constexpr std::int64_t enough = 8;

void move_by_128(Tensor& t) {
  for (std::byte& b : t.bytes()) b ^= std::byte{0x80};
}

// Over all samples; `moved` says how the device's codes are read.
bool agrees(std::span<const Sample> expected, const std::vector<Sample>& device,
            const std::string& name, bool moved) {
  std::int64_t near = 0, count = 0;
  for (std::size_t s = 0; s < std::min(expected.size(), device.size()); ++s) {
    const auto e = expected[s].find(name), d = device[s].find(name);
    if (e == expected[s].end() || d == device[s].end() || e->second.count() != d->second.count())
      continue;
    Tensor read = d->second;
    if (moved) move_by_128(read);
    for (std::int64_t i = 0; i < read.count(); ++i)
      near += std::abs(read.number(i) - e->second.number(i)) <= 1;
    count += read.count();
  }
  return count >= enough && static_cast<double>(near) >= agree * static_cast<double>(count);
}

}  // namespace

std::string recode(std::span<const Sample> expected, Pairing& pairing) {
  std::size_t stand = 0, moved = 0, all = 0;
  std::string first;
  for (const Pair& pair : pairing.pairs) {
    if (!pair.other_sign) continue;
    if (++all == 1) first = pair.device;
    const bool as_it_stands = agrees(expected, pairing.samples, pair.reference, false);
    const bool once_moved = agrees(expected, pairing.samples, pair.reference, true);
    stand += as_it_stands && !once_moved;
    moved += once_moved && !as_it_stands;
  }
  if (moved == 0 || moved < 4 * stand) return "";
  for (const Pair& pair : pairing.pairs)
    for (Sample& sample : pairing.samples)
      if (const auto it = sample.find(pair.reference); pair.other_sign && it != sample.end())
        move_by_128(it->second);
  return fmt::format(
      "{} tensor{} ('{}'{}) {} recorded in bytes of the other sign, 128 away, zero point{} too: "
      "moved back before comparing",
      all, all > 1 ? "s" : "", first, all > 1 ? ", ..." : "", all > 1 ? "are" : "is",
      all > 1 ? "s" : "");
}

}  // namespace lockstep
