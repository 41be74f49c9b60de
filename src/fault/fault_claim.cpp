#include "fault/fault_claim.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace lockstep {
namespace {

// The end of the brace that opens at `from`.
std::size_t closing(std::string_view text, std::size_t from) {
  int depth = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return text.size();
}

// "0:a|1:{b|c}" at its outer bars.
std::vector<std::string_view> cases_of(std::string_view text) {
  std::vector<std::string_view> cases;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '{') ++depth;
    if (i < text.size() && text[i] == '}') --depth;
    if (i < text.size() && (text[i] != '|' || depth > 0)) continue;
    cases.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  return cases;
}

bool holds(std::string_view key, double value) {
  if (key.empty()) return true;
  const bool below = key.front() == '<';
  if (below) key.remove_prefix(1);
  double than = 0;
  std::from_chars(key.data(), key.data() + key.size(), than);
  return below ? value < than : value == than;
}

std::string counted(double number, std::string_view noun) {
  const bool one = number == 1;
  std::string text = number_text(number) + " " + std::string(noun);
  if (one) return text;
  if (text.ends_with('y')) return text.substr(0, text.size() - 1) + "ies";
  return text + "s";
}

// Splits a claim into plain text and what stands in braces.
template <class Plain, class Braces>
void walk(std::string_view claim, Plain&& plain, Braces&& braces) {
  for (std::size_t at = 0; at < claim.size();) {
    const std::size_t open = std::min(claim.find('{', at), claim.size());
    plain(claim.substr(at, open - at));
    if (open == claim.size()) return;
    const std::size_t end = closing(claim, open);
    braces(claim.substr(open + 1, end - open - 1));
    at = end + 1;
  }
}

struct Speaker {
  const Site& site;
  const FaultDef& fault;
  const Params& params;

  std::string tensor(double number) const {
    const Graph& g = site.graph();
    if (number >= 0 && number < static_cast<double>(g.values().size()))
      return g.value(static_cast<ValueId>(number)).name;
    const auto ids = fault.reads ? fault.reads(site, params) : std::vector<ValueId>{};
    return ids.empty() ? "another" : g.value(ids[0]).name;
  }

  std::string filled(std::string_view inside) const {
    if (inside == "@")
      return site.node == no_id ? site.graph().value(site.input).name
                                : site.graph().node(site.node).name;
    const std::size_t end = std::min(inside.find_first_of("?#"), inside.size());
    const bool opposite = inside.starts_with('-');
    const std::string_view name = inside.substr(opposite, end - opposite);
    const double value = param(fault, params, name);
    if (end == inside.size())
      return name == "other" ? tensor(value) : number_text(opposite ? -value : value);
    if (inside[end] == '#') return counted(std::fabs(value), inside.substr(end + 1));
    for (const std::string_view c : cases_of(inside.substr(end + 1)))
      if (const std::size_t colon = c.find(':');
          colon != c.npos && holds(c.substr(0, colon), value))
        return said(c.substr(colon + 1));
    return "";
  }

  std::string said(std::string_view claim) const {
    std::string text;
    walk(
        claim, [&](std::string_view s) { text += s; },
        [&](std::string_view s) { text += filled(s); });
    return text;
  }
};

std::string outlined(std::string_view claim) {
  std::string text;
  walk(
      claim, [&](std::string_view s) { text += s; },
      [&](std::string_view inside) {
        const std::size_t end = std::min(inside.find_first_of("?#"), inside.size());
        const std::string name(
            inside.substr(inside.starts_with('-'), end - inside.starts_with('-')));
        if (end == inside.size()) {
          text += name == "@" ? "this one" : "{" + name + "}";
          return;
        }
        if (inside[end] == '#') {
          text += "{" + name + "} " + std::string(counted(2, inside.substr(end + 1))).substr(2);
          return;
        }
        std::string list;
        bool may_lack = false;  // a case that says nothing
        for (const std::string_view c : cases_of(inside.substr(end + 1))) {
          const std::string one = c.find(':') == c.npos ? "" : outlined(c.substr(c.find(':') + 1));
          may_lack = may_lack || one.empty();
          if (!one.empty()) list += (list.empty() ? "" : " | ") + one;
        }
        text += may_lack ? "[" + list + "]" : "(" + list + ")";
      });
  return text;
}

}  // namespace

std::string number_text(double x) {
  return fmt::format("{:.6g}", x);
}

std::string claim_text(const Site& site, const FaultDef& fault, const Params& params) {
  std::string text = Speaker{site, fault, params}.said(fault.claim);
  // Which one, where the network has several.
  constexpr std::string_view input = "the input";
  if (site.node == no_id && site.graph().inputs().size() > 1)
    if (const std::size_t at = text.find(input); at != text.npos)
      text.replace(at, input.size(), "input " + site.graph().value(site.input).name);
  return text;
}

std::string claim_outline(const FaultDef& fault) {
  return outlined(fault.claim);
}

}  // namespace lockstep
