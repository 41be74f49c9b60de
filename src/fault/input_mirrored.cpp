// x'[h,w] = x[h, W-1-w], x[H-1-h, w] or a turn: the picture arrives mirrored or turned, its bytes
// read as H rows of W.
#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"how",
                                 "0: left and right change places; 1: top and bottom; 2: both, "
                                 "half a turn; 3: a quarter turn clockwise; 4: one the other way; "
                                 "5: mirrored along the other diagonal. Without pictures: 0 "
                                 "reverses the last axis, 1 the one before",
                                 0, Takes::up_to(5)}};
constexpr int kWays = 6;

// The two axes that a picture lies in, or the last two; -1 where there is none.
struct Plane {
  int down = -1, across = -1;
};

Plane plane_of(const Site& site) {
  const int rank = static_cast<int>(site_value(site).shape.size());
  if (rank == 4) return channels_last(site) ? Plane{1, 2} : Plane{2, 3};
  return {rank >= 2 ? rank - 2 : -1, rank - 1};
}

// Which element of the sent bytes is read for each; empty where nothing moves.
std::vector<std::int64_t> source_of(const Site& site, int how) {
  const Shape& shape = site_value(site).shape;
  const Plane p = plane_of(site);
  const std::int64_t width = p.across < 0 ? 1 : shape[static_cast<std::size_t>(p.across)];
  const std::int64_t height = p.down < 0 ? 1 : shape[static_cast<std::size_t>(p.down)];
  if ((how != 1 && width < 2) || (how != 0 && height < 2)) return {};
  const Shape strides = strides_of(shape);
  const std::int64_t right = strides[static_cast<std::size_t>(p.across)];
  const std::int64_t below = p.down < 0 ? 0 : strides[static_cast<std::size_t>(p.down)];
  std::vector<std::int64_t> source(static_cast<std::size_t>(count_of(shape)));
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const std::int64_t w = at / right % width, h = below ? at / below % height : 0;
    const std::int64_t n = h * width + w, row = n / height,
                       column = n % height;  // of the turned picture: W rows of H
    std::int64_t from_h = h, from_w = w;
    if (how == 0 || how == 2) from_w = width - 1 - w;
    if (how == 1 || how == 2) from_h = height - 1 - h;
    if (how == 3) from_h = height - 1 - column, from_w = row;
    if (how == 4) from_h = column, from_w = width - 1 - row;
    if (how == 5) from_h = height - 1 - column, from_w = width - 1 - row;
    source[i] = at + (from_h - h) * below + (from_w - w) * right;
  }
  return source;
}

bool applies(const Site& site) {
  return site.input != no_id && !site_value(site).shape.empty() &&
         (!source_of(site, 0).empty() || !source_of(site, 1).empty());
}

std::vector<Params> candidates(const Site& site, const Evidence&) {
  std::vector<Params> sets;
  for (int how = 0; how < kWays; ++how)
    if (!source_of(site, how).empty()) sets.push_back({{"how", how}});
  return sets;
}

Result<void> replay(Replay& r) {
  const double how = param(params, r.params, "how");
  const auto source = how >= 0 && how < kWays ? source_of(r.site, static_cast<int>(how))
                                              : std::vector<std::int64_t>();
  if (source.empty())
    return Error{"fault input-mirrored", "how " + std::to_string(how),
                 "0 .. 5, along axes that the input has", ""};
  gather(r.out[0], source);
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_mirrored = {
    .name = "input-mirrored",
    .claim =
        "the input arrives {how?0:mirrored, left for right|1:upside down|2:turned by half|3:turned "
        "by a quarter, clockwise|"
        "4:turned by a quarter, counterclockwise|5:mirrored along its second diagonal}",
    .advice =
        "show the camera a picture with a mark in one corner and compare where it stands\n"
        "set flip and rotation in the camera or the pixel pipeline, or turn the picture before it "
        "is sent",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
