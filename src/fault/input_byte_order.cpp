// x' = the input with the bytes of every word in reverse.
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"width", "bytes of a word: 2 or 4; 0: the input's own element, or 4 for bytes", 0}};

bool applies(const Site& site) {
  return site.input != no_id;
}

std::vector<Params> candidates(const Site& site, const Evidence&) {
  const std::size_t width = size_of(site.graph().value(site.input).dtype);
  if (width > 2) return {{{"width", static_cast<double>(width)}}, {{"width", 2}}};
  if (width > 1) return {{{"width", static_cast<double>(width)}}};
  return {{{"width", 4}}, {{"width", 2}}};
}

Result<void> replay(Replay& r) {
  auto width = static_cast<std::int64_t>(param(params, r.params, "width"));
  if (width == 0)
    width =
        size_of(r.out[0].dtype()) > 1 ? static_cast<std::int64_t>(size_of(r.out[0].dtype())) : 4;
  if (width < 2 || width > 8)
    return Error{"fault input-byte-order", "width " + std::to_string(width), "2 .. 8 bytes", ""};
  swap_bytes(r.out[0], width);
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_byte_order = {
    .name = "input-byte-order",
    .claim = "the bytes of every {width?0:|:{width}-byte }word of the input are reversed",
    .advice = "check the byte order of the source: audio samples, RGB565 words, network protocols",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
