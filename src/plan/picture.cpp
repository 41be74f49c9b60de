// The picture of a memory plan, as text and as SVG.
#include <fmt/format.h>

#include <algorithm>

#include "plan/plan.h"

namespace lockstep {
namespace {

constexpr int columns = 64;

std::vector<std::size_t> by_address(const MemoryPlan& plan, int pool) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.buffers.size(); ++i)
    if (plan.places[i].pool == pool) order.push_back(i);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return std::pair(plan.places[a].offset, plan.buffers[a].first) <
           std::pair(plan.places[b].offset, plan.buffers[b].first);
  });
  return order;
}

std::string bar(const Buffer& b, int steps) {
  std::string out(static_cast<std::size_t>(std::min(steps, columns)), '.');
  for (int s = b.first; s <= b.last; ++s)
    out[static_cast<std::size_t>(steps <= columns ? s : s * columns / steps)] = '#';
  return out;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string picture_text(const MemoryPlan& plan) {
  std::string out;
  for (std::size_t p = 0; p < plan.pools.size(); ++p) {
    const Pool& pool = plan.pools[p];
    out += fmt::format(
        "pool {}  {} bytes used{}{}{}\n", pool.name, plan.used[p],
        pool.size > 0 ? fmt::format(" of {}", pool.size) : "",
        pool.base >= 0 ? fmt::format(", at {:#x}", pool.base) : "",
        plan.pools.size() > 1 ? fmt::format(", speed {}, rights {}", pool.speed, pool.rights) : "");
    for (const std::size_t i : by_address(plan, static_cast<int>(p))) {
      const Buffer& b = plan.buffers[i];
      const std::int64_t at = plan.places[i].offset;
      out += fmt::format("{:8} {:8}  {}  {}\n", at, at + b.bytes, bar(b, plan.steps), b.name);
    }
  }
  out += fmt::format("total {} bytes, largest live set {}, {} steps from left to right\n",
                     plan.total, plan.largest_live, plan.steps);
  return out;
}

std::string picture_svg(const MemoryPlan& plan) {
  constexpr double width = 960, height = 320, left = 70, top = 30;
  std::string out;
  double y = 0;
  for (std::size_t p = 0; p < plan.pools.size(); ++p) {
    const double scale = height / static_cast<double>(std::max<std::int64_t>(plan.used[p], 1));
    const double step = width / std::max(plan.steps, 1);
    out += fmt::format("<text x=\"4\" y=\"{:.1f}\">{} ({} bytes)</text>\n", y + top - 8,
                       escaped(plan.pools[p].name), plan.used[p]);
    for (const std::size_t i : by_address(plan, static_cast<int>(p))) {
      const Buffer& b = plan.buffers[i];
      const std::int64_t at = plan.places[i].offset;
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
          "fill=\"hsl({},55%,70%)\" "
          "stroke=\"#333\" stroke-width=\"0.5\"><title>{}: bytes {} to {}, steps {} to "
          "{}</title></rect>\n",
          left + b.first * step, y + top + height - static_cast<double>(at + b.bytes) * scale,
          (b.last - b.first + 1) * step, static_cast<double>(b.bytes) * scale, (i * 47) % 360,
          escaped(b.name), at, at + b.bytes, b.first, b.last);
    }
    y += top + height + 10;
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" "
             "font-family=\"sans-serif\" "
             "font-size=\"12\">\n",
             left + width + 10, y + 10) +
         out + "</svg>\n";
}

}  // namespace lockstep
