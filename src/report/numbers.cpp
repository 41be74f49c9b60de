#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/report.h"

namespace lockstep {

std::string grouped(std::int64_t n) {
  const std::string digits = std::to_string(n < 0 ? -n : n);
  std::string text = n < 0 ? "-" : "";
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) text += ' ';
    text += digits[at];
  }
  return text;
}

std::string short_spec(const std::string& spec) {
  constexpr std::size_t most = 120;
  if (spec.size() <= most) return spec;
  const std::size_t cut = spec.rfind(',', most);
  if (cut == std::string::npos) return spec;
  const auto left = std::count(spec.begin() + static_cast<std::ptrdiff_t>(cut), spec.end(), ',');
  return spec.substr(0, cut) + fmt::format(" and {} more parameters, in --json", left);
}

std::string percent(double share) {
  const double p = share * 100;
  if (p == 0) return "0 %";
  if (p < 0.05) return "< 0.1 %";
  if (p < 100 && p >= 99.95) return "99.9 %";  // never 100 while something is missing
  return p == 100 ? "100 %" : fmt::format("{:.1f} %", p);
}

}  // namespace lockstep
