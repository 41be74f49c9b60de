#include "target/target_times.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace lockstep {
namespace {

// What the NPU's firmware says of its epochs: which ran on the accelerator and which on the CPU.
std::string by_kind(const Times& times, double n) {
  static constexpr const char* kinds[] = {"hardware", "hardware inserted by the runtime",
                                          "software", "hybrid", "epoch-controller program"};
  std::string t;
  for (std::uint32_t kind = 0; kind < std::size(kinds); ++kind) {
    std::size_t count = 0;
    double spent = 0;
    for (std::size_t i = 0; i < times.steps.size(); ++i)
      if ((times.types[i] & 0xF) == kind) ++count, spent += times.steps[i] / n;
    if (count > 0)
      t += fmt::format("{} {} {} {:.3f} ms", t.empty() ? ";" : ",", count, kinds[kind], spent);
  }
  return t;
}

}  // namespace

void Times::add(const DeviceRun& run) {
  ++runs;
  whole += run.whole.milliseconds;
  steps.resize(std::max(steps.size(), run.steps.size()));
  types.resize(steps.size());
  for (std::size_t i = 0; i < run.steps.size(); ++i) types[i] = run.steps[i].type;
  for (std::size_t i = 0; i < run.steps.size(); ++i) steps[i] += run.steps[i].milliseconds;
}

std::string Times::text(bool npu) const {
  const double n = static_cast<double>(std::max<std::size_t>(runs, 1));
  std::string t = fmt::format("{:.3f} ms per inference on the device", whole / n);
  if (steps.empty()) return t;
  std::vector<std::size_t> order(steps.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return steps[a] > steps[b]; });
  t += fmt::format(", {} {}; the longest:", steps.size(), npu ? "epochs" : "nodes");
  for (std::size_t i = 0; i < std::min<std::size_t>(3, order.size()); ++i)
    t += fmt::format("{} {} {} {:.3f} ms", i ? "," : "", npu ? "epoch" : "node", order[i],
                     steps[order[i]] / n);
  return npu ? t + by_kind(*this, n) : t;
}

}  // namespace lockstep
