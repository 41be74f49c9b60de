#include "run/recording_names.h"

#include <cctype>
#include <charconv>
#include <regex>

#include "base/text.h"

namespace lockstep {
namespace {

// Letters and digits only: "/block0/add:0" and "_block0_add_0" agree.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

std::string unescape(const std::string& name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    unsigned code = 0;
    const char* digits = name.data() + i + 1;
    if (name[i] == '%' && i + 2 < name.size() &&
        std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2) {
      out += static_cast<char>(code);
      i += 2;
    } else {
      out += name[i];
    }
  }
  return out;
}

std::optional<StPort> st_port(const std::string& name) {
  static const std::regex form("(?:.*_)?([mc])_(inputs|outputs)(?:_([0-9]{1,4}))?");
  std::smatch m;
  if (name.size() > 256 || !std::regex_match(name, m, form)) return std::nullopt;
  const std::size_t number = m[3].matched ? static_cast<std::size_t>(std::stoi(m[3])) : 1;
  if (number == 0) return std::nullopt;
  return StPort{m[1] == "c", m[2] == "outputs", number - 1};
}

ModelNames::ModelNames(const Graph& model) : model_(model) {
  // Two tensors that read alike: neither is meant.
  const auto add = [](std::map<std::string, ValueId>& to, std::string_view name, ValueId id) {
    const auto [it, is_new] = to.emplace(plain(name), id);
    if (!is_new && it->second != id) it->second = no_id;
  };
  for (std::size_t i = 0; i < model.values().size(); ++i) {
    const Value& v = model.values()[i];
    if (v.constant && !v.folded) continue;
    add(plain_, v.name, static_cast<ValueId>(i));
    const std::vector<std::string> parts = split(v.name, ';');
    for (std::size_t part = 0; part < parts.size() && parts.size() > 1; ++part)
      add(part == 0 ? first_parts_ : parts_, parts[part], static_cast<ValueId>(i));
  }
  for (const Node& n : model.nodes())
    if (n.outputs.size() == 1 && n.outputs[0] != no_id) add(parts_, n.name, n.outputs[0]);
}

ValueId ModelNames::find(const std::string& name) const {
  const ValueId exact = model_.find_value(name);
  if (exact != no_id) return exact;
  if (const ValueId whole = model_.find_value(unescape(name)); whole != no_id) return whole;
  const auto it = plain_.find(plain(unescape(name)));
  return it == plain_.end() ? abridged(name) : it->second;
}

ValueId ModelNames::abridged(const std::string& name) const {
  constexpr std::size_t telling = 24;  // letters and digits of a beginning
  const std::string own = plain(unescape(name));
  for (const auto* parts : {&first_parts_, &parts_})
    if (const auto part = parts->find(own); part != parts->end() && part->second != no_id)
      return part->second;
  if (own.size() < telling) return no_id;
  const auto begins = plain_.lower_bound(own);
  if (begins == plain_.end() || !begins->first.starts_with(own)) return no_id;
  const auto next = std::next(begins);
  return next != plain_.end() && next->first.starts_with(own) ? no_id : begins->second;
}

ValueId ModelNames::at(const StPort& port) const {
  const auto list = port.output ? model_.outputs() : model_.inputs();
  return port.index < list.size() ? list[port.index] : no_id;
}

ValueId ModelNames::meant(const std::string& name) const {
  const ValueId own = find(name);
  const auto port = own == no_id ? st_port(name) : std::nullopt;
  return port ? at(*port) : own;
}

}  // namespace lockstep
