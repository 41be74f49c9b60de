#include "run/recording_names.h"

#include <cctype>
#include <charconv>
#include <regex>

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
  for (std::size_t i = 0; i < model.values().size(); ++i) {
    const Value& v = model.values()[i];
    if (v.constant && !v.folded) continue;
    auto [it, is_new] = plain_.emplace(plain(v.name), static_cast<ValueId>(i));
    if (!is_new) it->second = no_id;  // two tensors read alike: neither is meant
  }
}

ValueId ModelNames::find(const std::string& name) const {
  const ValueId exact = model_.find_value(name);
  if (exact != no_id) return exact;
  if (const ValueId whole = model_.find_value(unescape(name)); whole != no_id) return whole;
  const auto it = plain_.find(plain(unescape(name)));
  return it == plain_.end() ? no_id : it->second;
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
