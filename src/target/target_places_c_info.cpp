#include "target/target_places_read.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace lockstep {
namespace {

using nlohmann::json;

// c_info.json of ST's compiler (schema 2.0): buffers with pool and offset, nodes with the ids of
// their buffers.
class CInfo {
 public:
  CInfo(const json& j, const ElfSymbols& symbols, const std::string& path, const std::string& elf)
      : j_(j), symbols_(symbols), path_(path), elf_(elf) {}

  Result<PlacedNetwork> read(const std::string& run) {
    PlacedNetwork n;
    const json& graph = j_.at("graphs").at(0);
    n.name = graph.value("name", "network");
    LOCKSTEP_CHECK(read_buffers());
    std::map<long, int> made, used;
    for (const json& node : graph.at("nodes")) {
      PlacedNode placed{node.at("name").get<std::string>(), {}};
      for (const json& id : node.value("inputs", json::array())) ++used[id.get<long>()];
      for (const json& id : node.value("outputs", json::array())) {
        const auto it = buffers_.find(id.get<long>());
        ++made[id.get<long>()];
        if (it != buffers_.end()) placed.outputs.push_back(it->second);
      }
      n.nodes.push_back(std::move(placed));
    }
    for (const auto& [id, t] : buffers_) {
      if (used[id] > 0 && made[id] == 0) n.inputs.push_back(t);
      if (made[id] > 0 && used[id] == 0) n.outputs.push_back(t);
    }
    LOCKSTEP_TRY(n.run, function_at(symbols_, run.empty() ? "LL_ATON_RT_Main" : run, elf_));
    find_stops(n);
    return n;
  }

 private:
  Result<void> read_buffers() {
    std::map<long, std::pair<std::uint64_t, std::uint64_t>> pools;
    for (const json& p : j_.at("memory_pools")) {
      const json& address = p.at("address");
      std::uint64_t base = 0;
      if (address.is_string()) {
        const auto text = address.get<std::string>();
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), base);
        if (failure != std::errc() || end != text.data() + text.size())
          return Error{path_, "pool address '" + text + "'", "a decimal number", ""};
      } else {
        base = address.get<std::uint64_t>();
      }
      pools[p.at("id").get<long>()] = {base, p.at("size_bytes").get<std::uint64_t>()};
    }
    for (const json& b : j_.at("buffers")) {
      if (b.value("is_param", false)) continue;
      const auto pool = pools.find(b.at("mpool_id").get<long>());
      if (pool == pools.end()) continue;  // no memory of its own
      LOCKSTEP_TRY(DeviceTensor t, tensor(b));
      const auto offset = b.at("offset_start").get<std::uint64_t>();
      const auto [base, room] = pool->second;
      const std::uint64_t address = base + offset;
      const std::uint64_t bytes =
          std::max(b.at("size_bytes").get<std::uint64_t>(), static_cast<std::uint64_t>(t.bytes()));
      const bool inside = base <= 0xFFFFFFFFu && offset <= room && bytes <= room - offset;
      if (!inside || offset > 0xFFFFFFFFu || bytes > 0x100000000u || address > 0x100000000u - bytes)
        return Error{path_, "buffer '" + t.name + "' lies outside its pool",
                     "offset and size within the pool", ""};
      t.address = static_cast<std::uint32_t>(address);
      buffers_.emplace(b.at("id").get<long>(), std::move(t));
    }
    return {};
  }

  Result<DeviceTensor> tensor(const json& b) const {
    DeviceTensor t;
    t.name = b.at("name").get<std::string>();
    t.shape = b.at("shape").get<std::vector<std::int64_t>>();
    if (t.shape.empty() || t.shape[0] != 1) t.shape.insert(t.shape.begin(), 1);
    LOCKSTEP_CHECK(set_elements(t, path_));
    const auto bits = b.value("nbits", 8);
    const bool is_signed =
        !b.contains("qmn") || !b["qmn"].is_object() || b["qmn"].value("sign", 1) != 0;
    const std::string format = lower(b.value("format", ""));
    if (format.find("float") != std::string::npos && bits == 32)
      t.dtype = DType::f32;
    else if (bits == 8)
      t.dtype = is_signed ? DType::i8 : DType::u8;
    else if (bits == 16)
      t.dtype = is_signed ? DType::i16 : DType::u16;
    else if (bits == 32)
      t.dtype = DType::i32;
    if (t.dtype) t.format = format_of_dtype(*t.dtype);
    if (b.contains("intq") && b["intq"].is_object() &&
        b["intq"].value("scales", json::array()).size() == 1) {
      t.scale = b["intq"]["scales"][0].get<double>();
      t.zero = b["intq"].value("offsets", json::array({0}))[0].get<std::int32_t>();
    }
    return t;
  }

  // An epoch's outputs are intact when the next epoch's start function is entered.
  void find_stops(PlacedNetwork& n) const {
    for (std::size_t i = 1; i < n.nodes.size(); ++i) {
      const std::size_t mark = n.nodes[i].name.rfind('_');
      const std::string number = mark == std::string::npos ? "" : n.nodes[i].name.substr(mark + 1);
      const auto start = symbols_.find("LL_ATON_Start_EpochBlock_" + number);
      if (start != symbols_.end() && start->second.function)
        n.stops.push_back({start->second.address, i, false});
    }
  }

  const json& j_;
  const ElfSymbols& symbols_;
  const std::string &path_, &elf_;
  std::map<long, DeviceTensor> buffers_;
};

}  // namespace

Result<PlacedNetwork> placed_by_c_info(const json& j, const ElfSymbols& symbols,
                                       const std::string& path, const std::string& elf,
                                       const std::string& run) {
  return CInfo(j, symbols, path, elf).read(run);
}

}  // namespace lockstep
