#include <cmath>

#include <fmt/format.h>

#include "report/report.h"

namespace lockstep {

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), " ");
  return n < 0 ? "-" + digits : digits;
}

std::string percent(double share) {
  const double p = share * 100;
  if (p == 0) return "0 %";
  if (p < 0.05) return "< 0.1 %";
  if (p < 100 && p >= 99.95) return "99.9 %";  // never 100 while something is missing
  return p == 100 ? "100 %" : fmt::format("{:.1f} %", p);
}

}  // namespace lockstep
