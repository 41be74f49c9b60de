#include <algorithm>
#include <cmath>
#include <regex>

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
  const auto rest = [](std::ptrdiff_t n, const char* what) {
    return fmt::format(" and {} more {}{}, in --json", n, what, n == 1 ? "" : "s");
  };
  if (const std::size_t whole = spec.rfind('+', most); whole != std::string::npos)
    return spec.substr(0, whole) +
           rest(std::count(spec.begin() + static_cast<std::ptrdiff_t>(whole), spec.end(), '+'),
                "fault");
  const std::size_t cut = spec.rfind(',', most);
  if (cut == std::string::npos) return spec;
  const auto left = std::count(spec.begin() + static_cast<std::ptrdiff_t>(cut), spec.end(), ',');
  return spec.substr(0, cut) + rest(left, "parameter");
}

namespace {

// "fault@site,k=1" -> {"fault", "site", ",k=1"}
struct Parts {
  std::string fault, site, parameters;
};

Parts parts_of(const std::string& spec) {
  static const std::regex form("([^@]*)@(.*?)((?:,[A-Za-z0-9_.]+=[-+0-9.a-z]+)*)");
  std::smatch m;
  return std::regex_match(spec, m, form) ? Parts{m[1], m[2], m[3]} : Parts{spec, "", ""};
}

}  // namespace

std::vector<std::string> specs_by_fault(const std::vector<std::string>& specs) {
  constexpr std::size_t most = 3;
  std::vector<std::pair<std::string, std::vector<std::string>>>
      groups;  // fault and parameters; places
  for (const std::string& spec : specs) {
    const Parts p = parts_of(spec);
    const std::string key =
        p.site.empty() || p.parameters.size() > 60 ? spec : p.fault + p.parameters;
    auto it =
        std::ranges::find(groups, key, &std::pair<std::string, std::vector<std::string>>::first);
    if (it == groups.end()) it = groups.insert(groups.end(), {key, {}});
    it->second.push_back(it->second.empty() ? spec : p.site);
  }
  std::vector<std::string> out;
  for (const auto& [key, places] : groups) {
    std::string text =
        places.size() == 1 ? short_spec(places[0]) : key + " at any of " + parts_of(places[0]).site;
    for (std::size_t i = 1; i < std::min(most, places.size()); ++i) text += ", " + places[i];
    if (places.size() > most)
      text += fmt::format(" and {} more place{}", places.size() - most,
                          places.size() > most + 1 ? "s" : "");
    out.push_back(std::move(text));
  }
  return out;
}

std::string percent(double share) {
  const double p = share * 100;
  if (p == 0) return "0 %";
  if (p < 0.05) return "< 0.1 %";
  if (p < 100 && p >= 99.95) return "99.9 %";  // never 100 while something is missing
  return p == 100 ? "100 %" : fmt::format("{:.1f} %", p);
}

}  // namespace lockstep
