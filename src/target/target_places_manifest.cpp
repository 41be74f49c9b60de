#include "target/target_places_read.h"
#include "target/target_wire.h"

namespace lockstep {
namespace {

using nlohmann::json;

// network.json of `generate`: pools by symbol or base, tensors by pool and offset.
class Manifest {
 public:
  Manifest(const json& j, const ElfSymbols& symbols, const std::string& path,
           const std::string& elf)
      : j_(j), symbols_(symbols), path_(path), elf_(elf) {}

  Result<PlacedNetwork> read(const std::string& run) {
    PlacedNetwork n;
    n.name = j_.at("name").get<std::string>();
    n.model_hash = j_.value("model_hash", "");
    LOCKSTEP_CHECK(read_pools());
    for (const json& t : j_.at("inputs")) LOCKSTEP_CHECK(add(t, n.inputs));
    for (const json& t : j_.at("outputs")) LOCKSTEP_CHECK(add(t, n.outputs));
    for (const json& s : j_.value("states", json::array()))
      LOCKSTEP_CHECK(add(s.at("in"), n.states));
    for (const json& node : j_.at("nodes")) {
      PlacedNode placed{node.at("name").get<std::string>(), {}};
      for (const json& t : node.at("outputs"))
        if (!t.is_null() && t.contains("pool")) LOCKSTEP_CHECK(add(t, placed.outputs));
      n.nodes.push_back(std::move(placed));
    }
    LOCKSTEP_TRY(n.run, function_at(symbols_, run.empty() ? n.name + "_run" : run, elf_));
    if (const auto init = function_at(symbols_, n.name + "_init", elf_); init.ok()) n.init = *init;
    if (const auto done = function_at(symbols_, n.name + "_node_done", elf_); done.ok())
      for (std::size_t i = 0; i < n.nodes.size(); ++i) n.stops.push_back({*done, i + 1, true});
    return n;
  }

 private:
  Result<void> read_pools() {
    for (const json& p : j_.at("pools")) {
      const auto name = p.at("name").get<std::string>();
      const auto bytes = p.at("bytes").get<std::uint32_t>();
      if (p.contains("base")) {
        const auto base = p.at("base").get<std::uint64_t>();
        if (base > 0xFFFFFFFFu || bytes > 0x100000000u - base)
          return Error{path_, "pool '" + name + "' lies beyond 4 GB",
                       "an address and size of 32 bits", ""};
        pools_[name] = {static_cast<std::uint32_t>(base), bytes, false};
        continue;
      }
      const auto symbol = p.at("symbol").get<std::string>();
      const auto it = symbols_.find(symbol);
      if (bytes == 0) continue;
      if (it == symbols_.end() || it->second.size < bytes)
        return Error{elf_, "no variable '" + symbol + "' of " + std::to_string(bytes) + " bytes",
                     "the firmware that was built with " + path_, ""};
      pools_[name] = it->second;
    }
    return {};
  }

  Result<void> add(const json& j, std::vector<DeviceTensor>& to) {
    DeviceTensor t;
    if (j.value("inner", false)) return {};
    t.name = j.at("name").get<std::string>();
    t.dtype = dtype_named(j.at("dtype").get<std::string>());
    t.shape = j.at("shape").get<std::vector<std::int64_t>>();
    if (j.contains("order")) {
      Shape lies;
      for (const auto& axis : j.at("order")) {
        const auto at = axis.get<std::size_t>();
        if (at >= t.shape.size() || j.at("order").size() != t.shape.size())
          return Error{path_, "order of tensor '" + t.name + "'", "each axis once", ""};
        lies.push_back(t.shape[at]);
      }
      t.shape = std::move(lies);
      t.flags |= channels_last_flag;
    }
    LOCKSTEP_CHECK(set_elements(t, path_));
    if (j.contains("scale") && j["scale"].is_array() && j["scale"].size() == 1) {
      t.scale = j["scale"][0].get<double>();
      t.zero = j.value("zero", json::array({0}))[0].get<std::int32_t>();
    }
    const auto offset = j.at("offset").get<std::uint64_t>();
    const auto pool = pools_.find(j.at("pool").get<std::string>());
    if (!t.dtype || pool == pools_.end() || offset > pool->second.size ||
        t.bytes() > pool->second.size - offset ||
        pool->second.address + offset + t.bytes() > std::uint64_t{1} << 32)
      return Error{path_, "tensor '" + t.name + "' lies outside its pool",
                   "offset and size within the pool", ""};
    t.format = format_of_dtype(*t.dtype);
    t.address = pool->second.address + static_cast<std::uint32_t>(offset);
    to.push_back(std::move(t));
    return {};
  }

  const json& j_;
  const ElfSymbols& symbols_;
  const std::string &path_, &elf_;
  std::map<std::string, ElfSymbol> pools_;
};

}  // namespace

Result<PlacedNetwork> placed_by_manifest(const json& j, const ElfSymbols& symbols,
                                         const std::string& path, const std::string& elf,
                                         const std::string& run) {
  return Manifest(j, symbols, path, elf).read(run);
}

}  // namespace lockstep
