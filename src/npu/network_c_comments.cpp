// What the comments of a generated network.c say: nodes of epochs, the compiler, memories.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "npu/network_c_reader.h"

namespace lockstep {

void NetworkReader::comment(std::string_view c) {
  const auto after = [&](std::string_view key) -> std::string_view {
    const std::size_t at = c.find(key);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = c.substr(at + key.size());
    return rest.substr(0, rest.find_first_of(" \n\r\t,"));
  };
  if (NpuEpoch* e = epoch(); e && !after("kind=").empty() && !after("node=").empty()) {
    const std::string node(after("node="));
    if (std::ranges::find(e->nodes, node, &std::pair<std::string, std::string>::first) ==
        e->nodes.end())
      e->nodes.emplace_back(node, std::string(after("kind=")));
  }
  if (program_.compiler.empty() &&
      (c.find("ersion") != std::string_view::npos || c.find("atonn") != std::string_view::npos))
    for (std::size_t i = 0; i < c.size(); ++i) {
      const std::size_t end = std::min(c.size(), c.find_first_not_of("0123456789.-", i));
      std::string_view v = c.substr(i, end - i);
      while (v.ends_with('-') || v.ends_with('.')) v.remove_suffix(1);
      if (std::ranges::count(v, '.') == 2 && v.find('-') != std::string_view::npos &&
          std::isdigit(static_cast<unsigned char>(v[0])) && program_.compiler.empty())
        program_.compiler = "atonn " + std::string(v);
      if (end > i) i = end;
    }
  if (epoch() == nullptr && !after("name=").empty() && after(" offset=").starts_with("0x") &&
      !after(" size=").empty())
    pool(c);
}

// "index=4 file postfix=xSPI1 name=hyperRAM offset=0x90000000 absolute_mode size=16777208
// READ_WRITE .."
void NetworkReader::pool(std::string_view c) {
  const auto after = [&](std::string_view key) -> std::string_view {
    const std::size_t at = c.find(key);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = c.substr(at + key.size());
    return rest.substr(0, rest.find_first_of(" \n\r\t,"));
  };
  NpuPool p;
  p.name = after(" name=").empty() ? after("name=") : after(" name=");
  const std::string_view base = after(" offset="), size = after(" size=");
  std::from_chars(base.data() + 2, base.data() + base.size(), p.base, 16);
  std::from_chars(size.data(), size.data() + size.size(), p.size);
  p.read_only = c.find("READ_ONLY") != std::string_view::npos ||
                c.find("rights=R ") != std::string_view::npos;
  p.postfix = after("file postfix=");
  if (p.size == 0 || p.size > (std::uint64_t{1} << 28)) return;
  const bool known = std::ranges::any_of(
      program_.pools, [&](const NpuPool& o) { return o.name == p.name && o.base == p.base; });
  if (!known) program_.pools.push_back(std::move(p));
}

}  // namespace lockstep
