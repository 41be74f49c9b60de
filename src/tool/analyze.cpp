#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <memory>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "device/device_analyze.h"
#include "import/import.h"
#include "tool/command.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

struct AnalyzeOptions {
  std::string model, device = "stm32n6", json;
};

std::string size_text(std::int64_t bytes) {
  return bytes < 1024 ? fmt::format("{} B", bytes)
                      : fmt::format("{} B ({:.2f} KiB)", bytes, static_cast<double>(bytes) / 1024);
}

// "input 1/1 : 'x', int8(1x3x224x224), 147.00 KBytes, QLinear(0.0078,-1,int8)"
void print_values(const char* what, std::span<const ValueId> values, const Graph& model) {
  int k = 0;
  for (const ValueId v : values) {
    const Value& x = model.value(v);
    std::string shape;
    for (const std::int64_t e : x.shape) shape += (shape.empty() ? "" : "x") + std::to_string(e);
    const double bytes =
        static_cast<double>(count_of(x.shape)) * static_cast<double>(size_of(x.dtype));
    std::string label = fmt::format("{} {}/{}", what, ++k, values.size());
    fmt::print("{:18} :   '{}', {}({}), {:.2f} KBytes{}\n", label, x.name, name_of(x.dtype), shape,
               bytes / 1024,
               x.quant.scale.size() == 1 ? fmt::format(", QLinear({:.9f},{},{})", x.quant.scale[0],
                                                       x.quant.zero_at(0), name_of(x.dtype))
                                         : "");
  }
}

void print_summary(const DeviceReport& r, const Graph& model) {
  fmt::print("Exec/report summary (analyze)\n{:-<100}\n", "");
  fmt::print(
      "model file         :   {}\ntype               :   {}\ntarget/series      :   {}, {}\n",
      r.model, model.format(), r.device->name, r.device->meaning);
  print_values("input", model.inputs(), model);
  print_values("output", model.outputs(), model);
  fmt::print(
      "macc               :   {}\nparams #           :   {} items\nweights (ro)       :   "
      "{}\nactivations (rw)   :   {}\nram (total)        :   {}\n",
      r.macs, r.parameters, size_text(r.weight_bytes), size_text(r.activation_bytes),
      size_text(r.activation_bytes));
}

void print_nodes(const DeviceReport& r) {
  fmt::print("\n{:>5}  {:44} {:18} {:18} {:>11} {:>12} {:>9}  {:9} {}\n{:-<150}\n", "m_id",
             "layer (type)", "op", "oshape", "param/size", "macc", "us", "mapping", "because", "");
  int id = 0;
  for (const DeviceNode& n : r.nodes)
    fmt::print("{:5}  {:44} {:18} {:18} {:>11} {:12} {:9.1f}  {:9} {}{}\n", id++,
               n.node.size() > 44 ? "..." + n.node.substr(n.node.size() - 41) : n.node, n.op,
               shape_text(n.shape), n.parameter_bytes, n.macs, n.cost.microseconds,
               name_of(n.placement.place), n.placement.rule,
               n.aligned || n.channels < 2 ? ""
                                           : fmt::format("; {} channels, no multiple of {}",
                                                         n.channels, r.device->channel_group));
}

// Operations by place, in the order of DevicePlace.
std::array<int, 5> count_places(const DeviceReport& r) {
  std::array<int, 5> count{};
  for (const DeviceNode& n : r.nodes) ++count[static_cast<std::size_t>(n.placement.place)];
  return count;
}

void print_totals(const DeviceReport& r) {
  const std::array<int, 5> count = count_places(r);
  fmt::print(
      "\nMapping            :   {} HW, {} DMA, {} CPU integer, {} CPU float, {} without work\n",
      count[0], count[1], count[2], count[3], count[4]);
  fmt::print("Predicted epochs   :   {}\n\nMemory usage\n{:-<100}\n", r.epochs, "");
  for (const DeviceMemoryUse& m : r.memories)
    fmt::print("{:10} 0x{:08x}  {:>12} of {:>12}  {:6.2f} %  {}\n", m.memory->name, m.memory->base,
               m.used, m.memory->size,
               100.0 * static_cast<double>(m.used) / static_cast<double>(m.memory->size),
               m.memory->external && !m.memory->read_only && m.used > 0
                   ? "activations spill into external memory"
                   : m.memory->meaning);
  for (const DeviceHomeless& h : r.homeless)
    fmt::print("no room    {}: {} in no memory of the device; a smaller input, or fewer channels\n",
               h.name, size_text(h.bytes));
  fmt::print("\nEstimated latency  :   {:.2f} ms ({})\n", r.microseconds / 1000, r.device->error);
}

void print_edits(const DeviceReport& r) {
  if (!r.scales.empty())
    fmt::print("\nScales that the 16-bit multipliers cannot carry\n{:-<100}\n", "");
  for (const DeviceScales& s : r.scales)
    fmt::print(
        "{}: {} of {} channels keep fewer than 7 bits (largest scale over smallest {:.0f}); clamp "
        "the smallest scales to 1/256 of the largest before quantizing\n",
        s.node, s.lost, s.channels, s.ratio);
  if (!r.edits.empty()) fmt::print("\nEdits, by what they are worth at most\n{:-<100}\n", "");
  for (const DeviceEdit& e : r.edits)
    fmt::print("{:8.1f} us  {}: {}\n             do: {}\n", e.microseconds, e.node, e.why,
               e.advice);
}

Json json_of(std::span<const ValueId> values, const Graph& model) {
  Json list = Json::array();
  for (const ValueId id : values) {
    const Value& v = model.value(id);
    Json j = {{"name", v.name},
              {"type", std::string(name_of(v.dtype))},
              {"shape", v.shape},
              {"bytes", count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype))}};
    if (v.quant.scale.size() == 1)
      j["scale"] = v.quant.scale[0], j["zero_point"] = v.quant.zero_at(0);
    list.push_back(std::move(j));
  }
  return list;
}

Json json_of(const DeviceReport& r, const Graph& model) {
  Json nodes = Json::array(), memories = Json::array(), edits = Json::array(),
       scales = Json::array(), homeless = Json::array(), mapping = Json::object();
  const std::array<int, 5> count = count_places(r);
  for (std::size_t p = 0; p < count.size(); ++p)
    mapping[std::string(name_of(static_cast<DevicePlace>(p)))] = count[p];
  for (const DeviceHomeless& h : r.homeless)
    homeless.push_back({{"name", h.name}, {"bytes", h.bytes}});
  for (const DeviceNode& n : r.nodes)
    nodes.push_back({{"node", n.node},
                     {"op", n.op},
                     {"shape", n.shape},
                     {"mapping", std::string(name_of(n.placement.place))},
                     {"rule", std::string(n.placement.rule)},
                     {"macs", n.macs},
                     {"parameters", n.parameters},
                     {"parameter_bytes", n.parameter_bytes},
                     {"epochs", n.cost.epochs},
                     {"us", n.cost.microseconds},
                     {"channels", n.channels},
                     {"channels_aligned", n.aligned}});
  for (const DeviceMemoryUse& m : r.memories)
    memories.push_back({{"name", std::string(m.memory->name)},
                        {"base", m.memory->base},
                        {"size", m.memory->size},
                        {"used", m.used}});
  for (const DeviceEdit& e : r.edits)
    edits.push_back({{"node", e.node}, {"why", e.why}, {"do", e.advice}, {"us", e.microseconds}});
  for (const DeviceScales& s : r.scales)
    scales.push_back(
        {{"node", s.node}, {"channels", s.channels}, {"lost", s.lost}, {"ratio", s.ratio}});
  return {{"format", "lockstep-analyze"},
          {"version", 1},
          {"model", r.model},
          {"type", std::string(model.format())},
          {"device", std::string(r.device->name)},
          {"inputs", json_of(model.inputs(), model)},
          {"outputs", json_of(model.outputs(), model)},
          {"macs", r.macs},
          {"parameters", r.parameters},
          {"weight_bytes", r.weight_bytes},
          {"activation_bytes", r.activation_bytes},
          {"epochs", r.epochs},
          {"latency_ms", r.microseconds / 1000},
          {"latency_error", std::string(r.device->error)},
          {"mapping", mapping},
          {"channel_group", r.device->channel_group},
          {"nodes", nodes},
          {"memories", memories},
          {"no_room", homeless},
          {"edits", edits},
          {"scales", scales}};
}

Result<void> analyze(const AnalyzeOptions& o) {
  const DeviceDef* device = find_device(o.device);
  if (!device) {
    std::string known;
    for (const DeviceDef* d : device_table())
      known += (known.empty() ? "" : ", ") + std::string(d->name);
    return Error{"--device", o.device, known, ""};
  }
  LOCKSTEP_TRY(const Graph model, import_model(o.model));
  LOCKSTEP_TRY(const DeviceReport report, analyze_for(model, *device));
  print_summary(report, model);
  print_nodes(report);
  print_totals(report);
  print_edits(report);
  return o.json.empty()
             ? Result<void>()
             : write_file(o.json, std::string_view(json_of(report, model).dump(1) + "\n"));
}

}  // namespace

void add_analyze(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("analyze", "how a model fits a device: mapping, memories, latency, edits");
  auto o = std::make_shared<AnalyzeOptions>();
  command->add_option("MODEL", o->model, ".onnx or .tflite")->required();
  command->add_option("--device", o->device, "stm32n6");
  command->add_option("--json", o->json, "writes the report");
  command->callback([o, &code] {
    const Result<void> done = analyze(*o);
    code = done.ok() ? 0 : fail(done.error());
  });
}

}  // namespace lockstep
