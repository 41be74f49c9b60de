#include "run/build.h"

#include <fmt/format.h>

#include "base/text.h"

namespace lockstep {

std::string Build::text() const {
  std::vector<std::string> parts;
  if (!hash.empty()) parts.push_back("hash " + hash);
  if (!stamp.empty()) parts.push_back(stamp);
  if (hash.empty() && stamp.empty() && !model.empty()) parts.push_back("model " + model);
  if (!exposed.empty())
    parts.push_back(fmt::format("{} exposed", exposed.size() == 1
                                                  ? exposed[0]
                                                  : fmt::format("{} tensors", exposed.size())));
  return parts.empty() ? "an unnamed build" : join(parts, ", ");
}

SameBuild same_build(const Build& a, const Build& b) {
  const auto differ = [](const std::string& x, const std::string& y) {
    return !x.empty() && !y.empty() && x != y;
  };
  if (differ(a.hash, b.hash) || differ(a.stamp, b.stamp) || differ(a.model, b.model))
    return SameBuild::no;
  // One model file compiles to many builds.
  return !a.hash.empty() && !b.hash.empty() ? SameBuild::yes : SameBuild::unsaid;
}

std::string model_hash(std::span<const std::byte> bytes) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const std::byte b : bytes) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
  return fmt::format("fnv1a64:{:016x}", h);
}

}  // namespace lockstep
