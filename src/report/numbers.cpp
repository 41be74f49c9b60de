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

std::string percent(double share) {
  const double p = share * 100;
  if (p == 0) return "0 %";
  if (p < 0.05) return "< 0.1 %";
  if (p < 100 && p >= 99.95) return "99.9 %";  // never 100 while something is missing
  return p == 100 ? "100 %" : fmt::format("{:.1f} %", p);
}

}  // namespace lockstep
