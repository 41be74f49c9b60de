#include "target/target_places.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace lockstep {
namespace {

using Json = nlohmann::json;
using Symbols = std::map<std::string, ElfSymbol, std::less<>>;

Result<std::uint32_t> function_at(const Symbols& symbols, const std::string& name, const std::string& elf) {
  const auto it = symbols.find(name);
  if (it != symbols.end() && it->second.function) return it->second.address;
  std::vector<std::string> names;
  for (const auto& [n, s] : symbols)
    if (s.function) names.push_back(n);
  const std::string near = nearest(name, names);
  return Error{elf, "no function '" + name + "'", "the firmware that was built with this network", near.empty() ? "" : "did you mean ,run=" + near + "?"};
}

Result<void> set_elements(DeviceTensor& t, const std::string& where) {
  t.elements = 1;
  for (const std::int64_t extent : t.shape) {
    if (extent < 0 || extent > (std::int64_t{1} << 30) || t.elements * extent > (std::int64_t{1} << 30))
      return Error{where, "tensor '" + t.name + "' has shape " + shape_text(t.shape), "a shape that fits a device", ""};
    t.elements *= extent;
  }
  return {};
}

// network.json of `generate`: pools by symbol or base, tensors by pool and offset.
class Manifest {
 public:
  Manifest(const Json& j, const Symbols& symbols, const std::string& path, const std::string& elf) : j_(j), symbols_(symbols), path_(path), elf_(elf) {}

  Result<PlacedNetwork> read(const std::string& run) {
    PlacedNetwork n;
    n.name = j_.at("name").get<std::string>();
    n.model_hash = j_.value("model_hash", "");
    LOCKSTEP_CHECK(read_pools());
    for (const Json& t : j_.at("inputs")) LOCKSTEP_CHECK(add(t, n.inputs));
    for (const Json& t : j_.at("outputs")) LOCKSTEP_CHECK(add(t, n.outputs));
    for (const Json& s : j_.value("states", Json::array())) LOCKSTEP_CHECK(add(s.at("in"), n.states));
    for (const Json& node : j_.at("nodes")) {
      PlacedNode placed{node.at("name").get<std::string>(), {}};
      for (const Json& t : node.at("outputs"))
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
    for (const Json& p : j_.at("pools")) {
      const auto name = p.at("name").get<std::string>();
      const auto bytes = p.at("bytes").get<std::uint32_t>();
      if (p.contains("base")) {
        pools_[name] = {p.at("base").get<std::uint32_t>(), bytes, false};
        continue;
      }
      const auto symbol = p.at("symbol").get<std::string>();
      const auto it = symbols_.find(symbol);
      if (bytes == 0) continue;
      if (it == symbols_.end() || it->second.size < bytes)
        return Error{elf_, "no variable '" + symbol + "' of " + std::to_string(bytes) + " bytes", "the firmware that was built with " + path_, ""};
      pools_[name] = it->second;
    }
    return {};
  }

  Result<void> add(const Json& j, std::vector<DeviceTensor>& to) {
    DeviceTensor t;
    t.name = j.at("name").get<std::string>();
    t.dtype = dtype_named(j.at("dtype").get<std::string>());
    t.shape = j.at("shape").get<std::vector<std::int64_t>>();
    LOCKSTEP_CHECK(set_elements(t, path_));
    if (j.contains("scale") && j["scale"].is_array() && j["scale"].size() == 1) {
      t.scale = j["scale"][0].get<double>();
      t.zero = j.value("zero", Json::array({0}))[0].get<std::int32_t>();
    }
    const auto offset = j.at("offset").get<std::uint64_t>();
    const auto pool = pools_.find(j.at("pool").get<std::string>());
    if (!t.dtype || pool == pools_.end() || offset > pool->second.size || t.bytes() > pool->second.size - offset)
      return Error{path_, "tensor '" + t.name + "' lies outside its pool", "offset and size within the pool", ""};
    t.format = format_of_dtype(*t.dtype);
    t.address = pool->second.address + static_cast<std::uint32_t>(offset);
    to.push_back(std::move(t));
    return {};
  }

  const Json& j_;
  const Symbols& symbols_;
  const std::string &path_, &elf_;
  std::map<std::string, ElfSymbol> pools_;
};

// c_info.json of ST's compiler (schema 2.0): buffers with pool and offset, nodes with the ids of their buffers.
class CInfo {
 public:
  CInfo(const Json& j, const Symbols& symbols, const std::string& path, const std::string& elf) : j_(j), symbols_(symbols), path_(path), elf_(elf) {}

  Result<PlacedNetwork> read(const std::string& run) {
    PlacedNetwork n;
    const Json& graph = j_.at("graphs").at(0);
    n.name = graph.value("name", "network");
    LOCKSTEP_CHECK(read_buffers());
    std::map<long, int> made, used;
    for (const Json& node : graph.at("nodes")) {
      PlacedNode placed{node.at("name").get<std::string>(), {}};
      for (const Json& id : node.value("inputs", Json::array())) ++used[id.get<long>()];
      for (const Json& id : node.value("outputs", Json::array())) {
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
    for (const Json& p : j_.at("memory_pools")) {
      const Json& address = p.at("address");
      std::uint64_t base = 0;
      if (address.is_string()) {
        const auto text = address.get<std::string>();
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), base);
        if (failure != std::errc() || end != text.data() + text.size()) return Error{path_, "pool address '" + text + "'", "a decimal number", ""};
      } else {
        base = address.get<std::uint64_t>();
      }
      pools[p.at("id").get<long>()] = {base, p.at("size_bytes").get<std::uint64_t>()};
    }
    for (const Json& b : j_.at("buffers")) {
      if (b.value("is_param", false)) continue;
      const auto pool = pools.find(b.at("mpool_id").get<long>());
      if (pool == pools.end()) continue;  // no memory of its own
      LOCKSTEP_TRY(DeviceTensor t, tensor(b));
      const auto offset = b.at("offset_start").get<std::uint64_t>();
      const auto [base, room] = pool->second;
      const std::uint64_t address = base + offset;
      const std::uint64_t bytes = std::max(b.at("size_bytes").get<std::uint64_t>(), static_cast<std::uint64_t>(t.bytes()));
      if (base > 0xFFFFFFFFu || offset > room || bytes > room - offset || address > 0xFFFFFFFFu)
        return Error{path_, "buffer '" + t.name + "' lies outside its pool", "offset and size within the pool", ""};
      t.address = static_cast<std::uint32_t>(address);
      buffers_.emplace(b.at("id").get<long>(), std::move(t));
    }
    return {};
  }

  Result<DeviceTensor> tensor(const Json& b) const {
    DeviceTensor t;
    t.name = b.at("name").get<std::string>();
    t.shape = b.at("shape").get<std::vector<std::int64_t>>();
    if (t.shape.empty() || t.shape[0] != 1) t.shape.insert(t.shape.begin(), 1);
    LOCKSTEP_CHECK(set_elements(t, path_));
    const auto bits = b.value("nbits", 8);
    const bool is_signed = !b.contains("qmn") || !b["qmn"].is_object() || b["qmn"].value("sign", 1) != 0;
    const std::string format = lower(b.value("format", ""));
    if (format.find("float") != std::string::npos && bits == 32) t.dtype = DType::f32;
    else if (bits == 8) t.dtype = is_signed ? DType::i8 : DType::u8;
    else if (bits == 16) t.dtype = is_signed ? DType::i16 : DType::u16;
    else if (bits == 32) t.dtype = DType::i32;
    if (t.dtype) t.format = format_of_dtype(*t.dtype);
    if (b.contains("intq") && b["intq"].is_object() && b["intq"].value("scales", Json::array()).size() == 1) {
      t.scale = b["intq"]["scales"][0].get<double>();
      t.zero = b["intq"].value("offsets", Json::array({0}))[0].get<std::int32_t>();
    }
    return t;
  }

  // An epoch's outputs are intact when the next epoch's start function is entered.
  void find_stops(PlacedNetwork& n) const {
    for (std::size_t i = 1; i < n.nodes.size(); ++i) {
      const std::size_t mark = n.nodes[i].name.rfind('_');
      const std::string number = mark == std::string::npos ? "" : n.nodes[i].name.substr(mark + 1);
      const auto start = symbols_.find("LL_ATON_Start_EpochBlock_" + number);
      if (start != symbols_.end() && start->second.function) n.stops.push_back({start->second.address, i, false});
    }
  }

  const Json& j_;
  const Symbols& symbols_;
  const std::string &path_, &elf_;
  std::map<long, DeviceTensor> buffers_;
};

std::map<std::uint32_t, std::string> functions_of(const Symbols& symbols) {
  std::map<std::uint32_t, std::string> functions;
  for (const auto& [name, symbol] : symbols)
    if (symbol.function) functions.emplace(symbol.address, name);
  return functions;
}

// A tensor of the model where the user says that it stands.
Result<DeviceTensor> tensor_at(const Value& v, const std::string& place, const Symbols& symbols, const std::string& elf) {
  DeviceTensor t;
  t.name = v.name;
  t.dtype = v.dtype;
  t.format = format_of_dtype(v.dtype);
  t.shape = v.shape;
  LOCKSTEP_CHECK(set_elements(t, elf));
  if (is_integer(v.dtype) && v.quant.quantized() && !v.quant.per_channel()) {
    t.scale = v.quant.scale_at(0);
    t.zero = v.quant.zero_at(0);
  }
  if (place.starts_with("0x")) {
    const auto [end, failure] = std::from_chars(place.data() + 2, place.data() + place.size(), t.address, 16);
    if (failure == std::errc() && end == place.data() + place.size()) return t;
    return Error{place, "is no address", "0x and hexadecimal digits, or a symbol of " + elf, ""};
  }
  const auto it = symbols.find(place);
  if (it == symbols.end() || it->second.function || (it->second.size > 0 && it->second.size < t.bytes())) {
    std::vector<std::string> names;
    for (const auto& [n, s] : symbols)
      if (!s.function) names.push_back(n);
    const std::string near = nearest(place, names);
    return Error{elf, "no variable '" + place + "' of " + std::to_string(t.bytes()) + " bytes or more", "the memory of '" + v.name + "'", near.empty() || near == place ? "" : "did you mean '" + near + "'?"};
  }
  t.address = it->second.address;
  return t;
}

bool overlap(const DeviceTensor& a, const DeviceTensor& b) {
  return a.address < b.address + b.bytes() && b.address < a.address + a.bytes();
}

}  // namespace

std::string PlacedNetwork::function_around(std::uint32_t address) const {
  auto it = functions.upper_bound(address);
  return it == functions.begin() ? "" : " (in " + (--it)->second + ")";
}

Result<PlacedNetwork> place_network(const std::string& description, const std::string& elf, const std::string& run) {
  LOCKSTEP_TRY(const Bytes file, read_file(description, std::uint64_t{1} << 28));
  LOCKSTEP_TRY(const auto symbols, read_elf_symbols(elf));
  try {
    const Json j = Json::parse(reinterpret_cast<const char*>(file.data()), reinterpret_cast<const char*>(file.data()) + file.size());
    Result<PlacedNetwork> placed = Error{};
    if (j.value("format", "") == "lockstep-network") placed = Manifest(j, symbols, description, elf).read(run);
    else if (j.contains("buffers") && j.contains("memory_pools")) placed = CInfo(j, symbols, description, elf).read(run);
    else placed = Error{description, "describes no network", "network.json of lockstep generate, or ST's c_info.json", ""};
    if (placed.ok()) placed->functions = functions_of(symbols);
    return placed;
  } catch (const std::exception& e) {
    return Error{description, e.what(), "network.json of lockstep generate, or ST's c_info.json", ""};
  }
}

Result<PlacedNetwork> place_by_symbols(const Graph& model, const std::string& elf, const std::string& run, const std::vector<std::string>& inputs,
                                       const std::vector<std::string>& outputs) {
  LOCKSTEP_TRY(const auto symbols, read_elf_symbols(elf));
  if (run.empty()) return Error{elf, "the function of one inference is not named", ",run=FUNCTION", ""};
  if (inputs.size() != model.inputs().size() || outputs.size() != model.outputs().size())
    return Error{model.file(), fmt::format("{} places of inputs and {} of outputs", inputs.size(), outputs.size()), fmt::format("{} and {}, as the model has", model.inputs().size(), model.outputs().size()),
                 ",input=SYMBOL,output=SYMBOL for each in the model's order"};
  PlacedNetwork n;
  n.name = run;
  n.functions = functions_of(symbols);
  LOCKSTEP_TRY(n.run, function_at(symbols, run, elf));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    LOCKSTEP_TRY(DeviceTensor t, tensor_at(model.value(model.inputs()[i]), inputs[i], symbols, elf));
    n.inputs.push_back(std::move(t));
  }
  PlacedNode all{run, {}};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    LOCKSTEP_TRY(DeviceTensor t, tensor_at(model.value(model.outputs()[i]), outputs[i], symbols, elf));
    all.outputs.push_back(t);
    n.outputs.push_back(std::move(t));
  }
  n.nodes.push_back(std::move(all));
  return n;
}

std::vector<std::size_t> surviving(const PlacedNetwork& network) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    bool whole = !network.nodes[i].outputs.empty();
    for (std::size_t k = i + 1; k < network.nodes.size(); ++k)
      for (const DeviceTensor& later : network.nodes[k].outputs)
        for (const DeviceTensor& t : network.nodes[i].outputs) whole = whole && !overlap(t, later);
    if (whole) kept.push_back(i);
  }
  return kept;
}

}  // namespace lockstep
