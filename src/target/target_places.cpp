#include "target/target_places.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "target/target_places_read.h"

namespace lockstep {

Result<std::uint32_t> function_at(const ElfSymbols& symbols, const std::string& name,
                                  const std::string& elf) {
  const auto it = symbols.find(name);
  if (it != symbols.end() && it->second.function) return it->second.address;
  std::vector<std::string> names;
  for (const auto& [n, s] : symbols)
    if (s.function) names.push_back(n);
  const std::string near = nearest(name, names);
  return Error{elf, "no function '" + name + "'", "the firmware that was built with this network",
               near.empty() ? "" : "did you mean ,run=" + near + "?"};
}

Result<void> set_elements(DeviceTensor& t, const std::string& where) {
  t.elements = 1;
  for (const std::int64_t extent : t.shape) {
    if (extent < 0 || extent > (std::int64_t{1} << 30) ||
        t.elements * extent > (std::int64_t{1} << 30))
      return Error{where, "tensor '" + t.name + "' has shape " + shape_text(t.shape),
                   "a shape that fits a device", ""};
    t.elements *= extent;
  }
  return {};
}

namespace {

std::map<std::uint32_t, std::string> functions_of(const ElfSymbols& symbols) {
  std::map<std::uint32_t, std::string> functions;
  for (const auto& [name, symbol] : symbols)
    if (symbol.function) functions.emplace(symbol.address, name);
  return functions;
}

// A tensor of the model where the user says that it stands.
Result<DeviceTensor> tensor_at(const Value& v, const std::string& place, const ElfSymbols& symbols,
                               const std::string& elf) {
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
    const auto [end, failure] =
        std::from_chars(place.data() + 2, place.data() + place.size(), t.address, 16);
    if (failure == std::errc() && end == place.data() + place.size()) return t;
    return Error{place, "is no address", "0x and hexadecimal digits, or a symbol of " + elf, ""};
  }
  const auto it = symbols.find(place);
  if (it == symbols.end() || it->second.function ||
      (it->second.size > 0 && it->second.size < t.bytes())) {
    std::vector<std::string> names;
    for (const auto& [n, s] : symbols)
      if (!s.function) names.push_back(n);
    const std::string near = nearest(place, names);
    return Error{elf,
                 "no variable '" + place + "' of " + std::to_string(t.bytes()) + " bytes or more",
                 "the memory of '" + v.name + "'",
                 near.empty() || near == place ? "" : "did you mean '" + near + "'?"};
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

Result<PlacedNetwork> place_network(const std::string& description, const std::string& elf,
                                    const std::string& run) {
  LOCKSTEP_TRY(const Bytes file, read_file(description, std::uint64_t{1} << 28));
  LOCKSTEP_TRY(const ElfSymbols symbols, read_elf_symbols(elf));
  return place_described({reinterpret_cast<const char*>(file.data()), file.size()}, description,
                         symbols, elf, run);
}

Result<PlacedNetwork> place_described(std::string_view text, const std::string& description,
                                      const ElfSymbols& symbols, const std::string& elf,
                                      const std::string& run) {
  try {
    const auto j = nlohmann::json::parse(text);
    Result<PlacedNetwork> placed = Error{};
    if (j.value("format", "") == "lockstep-network")
      placed = placed_by_manifest(j, symbols, description, elf, run);
    else if (j.contains("buffers") && j.contains("memory_pools"))
      placed = placed_by_c_info(j, symbols, description, elf, run);
    else
      placed = Error{description, "describes no network",
                     "network.json of lockstep generate, or ST's c_info.json", ""};
    if (placed.ok()) placed->functions = functions_of(symbols);
    return placed;
  } catch (const std::exception& e) {
    return Error{description, e.what(), "network.json of lockstep generate, or ST's c_info.json",
                 ""};
  }
}

Result<PlacedNetwork> place_by_symbols(const Graph& model, const std::string& elf,
                                       const std::string& run,
                                       const std::vector<std::string>& inputs,
                                       const std::vector<std::string>& outputs) {
  LOCKSTEP_TRY(const ElfSymbols symbols, read_elf_symbols(elf));
  if (run.empty())
    return Error{elf, "the function of one inference is not named", ",run=FUNCTION", ""};
  if (inputs.size() != model.inputs().size() || outputs.size() != model.outputs().size())
    return Error{
        model.file(),
        fmt::format("{} places of inputs and {} of outputs", inputs.size(), outputs.size()),
        fmt::format("{} and {}, as the model has", model.inputs().size(), model.outputs().size()),
        ",input=SYMBOL,output=SYMBOL for each in the model's order"};
  PlacedNetwork n;
  n.name = run;
  n.functions = functions_of(symbols);
  LOCKSTEP_TRY(n.run, function_at(symbols, run, elf));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    LOCKSTEP_TRY(DeviceTensor t,
                 tensor_at(model.value(model.inputs()[i]), inputs[i], symbols, elf));
    n.inputs.push_back(std::move(t));
  }
  PlacedNode all{run, {}};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    LOCKSTEP_TRY(DeviceTensor t,
                 tensor_at(model.value(model.outputs()[i]), outputs[i], symbols, elf));
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
