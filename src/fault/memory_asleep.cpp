// y' = value (0) everywhere: writes are lost and reads answer with a constant.
#include <algorithm>

#include "fault/fault.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"value", "the byte that every read answers with", 0, Takes::up_to(255)}};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  // Not captured: what a bus answers with where no memory does.
  if (std::ranges::none_of(evidence.items, [](const Evidence::Item& i) { return i.observed; }))
    return {{{"value", 0}}, {{"value", 255}}};
  int value = -1;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || item.observed->bytes().empty()) continue;
    const auto bytes = item.observed->bytes();
    if (value < 0) value = static_cast<int>(bytes[0]);
    if (!std::ranges::all_of(bytes, [&](std::byte b) { return static_cast<int>(b) == value; }))
      return {};
  }
  if (value < 0) return {};
  return {{{"value", static_cast<double>(value)}}};
}

Result<void> replay(Replay& r) {
  const double value = param(params, r.params, "value");
  if (!(value >= 0 && value <= 255))
    return Error{"fault memory-asleep", "value " + std::to_string(value), "0 .. 255", ""};
  std::ranges::fill(r.out[0].bytes(), static_cast<std::byte>(static_cast<int>(value)));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_memory_asleep = {
    .name = "memory-asleep",
    .claim =
        "every byte of the output reads as {value}: its memory is asleep, without a clock, or "
        "access is denied",
    .advice =
        "wake the memory before the first run: clear its shutdown bit, read back, then enable its "
        "clock, in sleep too\n"
        "grant the accelerator access to the region, for reading and writing; test with a CPU-only "
        "inference",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
