#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "export/edit.h"
#include "import/import.h"
#include "tool/command.h"

namespace lockstep {
namespace {

struct Options {
  std::string model, folder;
  std::vector<std::string> tensors;
  int max_outputs = 0;
};

// A tensor by its name, or what a node of that name makes.
Result<std::string> tensor_of(const Graph& g, const std::string& name) {
  const ValueId id = g.find_value(name);
  if (id != no_id && !g.value(id).constant) return name;
  if (const NodeId n = g.find_node(name); n != no_id) return g.value(g.node(n).outputs[0]).name;
  std::vector<std::string> known;
  for (const Value& v : g.values())
    if (!v.constant) known.push_back(v.name);
  for (const Node& n : g.nodes()) known.push_back(n.name);
  const std::string near = nearest(name, known);
  return Error{
      g.file(), id == no_id ? "no tensor or node '" + name + "'" : "'" + name + "' is a constant",
      "a tensor that the network computes", near.empty() ? "" : "did you mean '" + near + "'?"};
}

bool is_output(const Graph& g, const std::string& name) {
  return std::ranges::any_of(g.outputs(), [&](ValueId id) { return g.value(id).name == name; });
}

// A float result that a quantizer reads: showing it keeps many compilers from fusing the two.
std::string codes_behind(const Graph& g, const std::string& name) {
  const ValueId id = g.find_value(name);
  if (!is_float(g.value(id).dtype)) return "";
  for (const NodeId n : g.consumers(id))
    if (g.node(n).op == "QuantizeLinear") return g.value(g.node(n).outputs[0]).name;
  return "";
}

struct Variant {
  std::string file;
  std::vector<std::string> tensors;
};

Result<std::vector<Variant>> expose(const Options& o) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(o.model));
  LOCKSTEP_TRY(const Graph g, import_model(o.model));
  std::vector<std::string> names;
  for (const std::string& wish : o.tensors) {
    LOCKSTEP_TRY(const std::string name, tensor_of(g, wish));
    if (is_output(g, name) || std::ranges::count(g.inputs(), g.find_value(name)))
      return Error{o.model, "'" + name + "' is an input or output of the model already",
                   "inner tensors", ""};
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  const auto own = static_cast<int>(g.outputs().size());
  if (o.max_outputs > 0 && o.max_outputs <= own)
    return Error{"--max-outputs " + std::to_string(o.max_outputs),
                 fmt::format("the model has {} outputs of its own", own), "a greater number", ""};
  const std::size_t room =
      o.max_outputs > 0 ? static_cast<std::size_t>(o.max_outputs - own) : names.size();
  const std::string stem = std::filesystem::path(o.model).stem().string(),
                    ending = is_tflite(bytes) ? ".tflite" : ".onnx";
  std::vector<Variant> variants;
  std::vector<Bytes> contents;
  for (std::size_t i = 0; i < names.size(); i += room) {
    Variant v;
    v.tensors.assign(names.begin() + static_cast<std::ptrdiff_t>(i),
                     names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), i + room)));
    v.file = (std::filesystem::path(o.folder) /
              fmt::format("{}_exposed{}{}", stem, variants.size() + 1, ending))
                 .string();
    LOCKSTEP_TRY(Bytes made, with_outputs(bytes, g, v.tensors));
    LOCKSTEP_TRY(const Bytes again,
                 with_outputs(made, g, v.tensors));  // reads back, and nothing more to add
    if (again != made)
      return Error{v.file, "the edited model does not read back as written", "",
                   "a defect of this program"};
    contents.push_back(std::move(made));
    variants.push_back(std::move(v));
  }
  std::error_code failed;
  std::filesystem::create_directories(o.folder, failed);
  if (failed)
    return Error{o.folder, "cannot be made: " + failed.message(), "a folder to write to", ""};
  nlohmann::ordered_json manifest = {
      {"schema", "lockstep.exposed"}, {"version", 1}, {"model", o.model}};
  for (std::size_t i = 0; i < variants.size(); ++i) {
    LOCKSTEP_CHECK(write_file(variants[i].file, contents[i]));
    manifest["variants"].push_back(
        {{"file", std::filesystem::path(variants[i].file).filename().string()},
         {"tensors", variants[i].tensors}});
  }
  LOCKSTEP_CHECK(write_file((std::filesystem::path(o.folder) / "exposed.json").string(),
                            manifest.dump(1) + "\n"));
  for (const std::string& name : names)
    if (const std::string codes = codes_behind(g, name); !codes.empty())
      fmt::print(
          "note      {} is real: as an output it keeps the operation from being fused with its "
          "quantizer; {} holds its codes\n",
          name, codes);
  return variants;
}

int run(const Options& o) {
  const auto variants = expose(o);
  if (!variants.ok()) return fail(variants.error());
  std::string targets;
  for (std::size_t i = 0; i < variants->size(); ++i) {
    const Variant& v = (*variants)[i];
    fmt::print("wrote     {}: {} more output{}: {}\n", v.file, v.tensors.size(),
               v.tensors.size() == 1 ? "" : "s", join(v.tensors, ", "));
    targets += fmt::format("{}capture{}.npz", i ? "+" : "", i + 1);
  }
  fmt::print(
      "next      compile and run each on the device with the same inputs, record its outputs under "
      "these names, then:\n"
      "          lockstep validate {} --input inputs.npz --target {}\n"
      "          An exposed build is another build: other buffers, other fusions. Record the "
      "shipped one too, first in the list.\n",
      o.model, targets);
  return 0;
}

}  // namespace

void add_expose(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "expose",
      "the model with inner tensors as further outputs, in as few variants as a limit allows");
  auto o = std::make_shared<Options>();
  command->add_option("MODEL,-m,--model", o->model, ".onnx or .tflite")->required();
  command->add_option("--tensor", o->tensors, "inner tensors, or nodes for what they make")
      ->required()
      ->take_all();
  command
      ->add_option("--max-outputs", o->max_outputs,
                   "most outputs of one variant, the model's own included; default: no limit")
      ->check(CLI::Range(1, 100000));
  command->add_option("-o,--output", o->folder, "the folder to write to")->required();
  command->footer(
      "Everything else of the file stays as it is. `validate --target a.npz+b.npz` merges the "
      "captures of the variants.");
  command->callback([o, &code] { code = run(*o); });
}

}  // namespace lockstep
