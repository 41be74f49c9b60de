#include <algorithm>

#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/core.h>

#include "base/text.h"
#include "import/import.h"
#include "op/op.h"
#include "tool/command.h"

namespace lockstep {
namespace {

std::string quant_text(const QuantParams& q) {
  if (!q.quantized()) return "";
  if (q.per_channel()) return fmt::format("  scale x{} along axis {}", q.scale.size(), q.axis);
  return fmt::format("  scale {:.6g} zero {}", q.scale[0], q.zero_at(0));
}

void print_value(const char* role, const Value& v) {
  fmt::print("{:8} {}  {}{}{}\n", role, v.name, name_of(v.dtype), shape_text(v.shape),
             quant_text(v.quant));
}

// Whether a constant is what was trained: no scale, zero point, shape, axis or index.
bool is_parameter(const Graph& g, ValueId id) {
  const Value& v = g.value(id);
  if (!v.constant || v.folded) return false;
  return std::ranges::any_of(g.consumers(id), [&](NodeId n) {
    const Node& node = g.node(n);
    if (node.op == "QuantizeLinear" || node.op == "DequantizeLinear") return node.inputs[0] == id;
    return is_float(v.dtype) || v.quant.quantized() ||
           (is_integer(v.dtype) && size_of(v.dtype) == 1);
  });
}

int inspect(const std::string& path, const ImportOptions& options) {
  const auto graph = import_model(path, options);
  if (!graph.ok()) return fail(graph.error());
  std::int64_t macs = 0, parameters = 0;
  for (std::size_t v = 0; v < graph->values().size(); ++v)
    if (is_parameter(*graph, static_cast<ValueId>(v)))
      parameters += graph->values()[v].constant->count();
  fmt::print("model    {}  {}\n", graph->file(), graph->format());
  for (const ValueId id : graph->inputs()) print_value("input", graph->value(id));
  for (const ValueId id : graph->outputs()) print_value("output", graph->value(id));
  int index = 0;
  for (const Node& node : graph->nodes()) {
    const NodeView view{*graph, node};
    const OpDef* op = find_op(node.op);
    const Cost cost = op->cost ? op->cost(view) : Cost{};
    macs += cost.macs;
    const Value& y = view.output(0);
    fmt::print("{:4}  {:20} {:32} {}{}{}\n", ++index, node.op, node.name, name_of(y.dtype),
               shape_text(y.shape), quant_text(y.quant));
  }
  fmt::print("nodes {}  parameters {}  MACs {}\n", graph->nodes().size(), parameters, macs);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "inspect", "what is in a model: operators, shapes, scales, parameters, MACs");
  auto model = std::make_shared<std::string>();
  auto options = std::make_shared<ImportOptions>();
  command->add_option("MODEL", *model, ".onnx or .tflite")->required();
  add_dimensions(*command, options->dimensions);
  command->callback([model, options, &code] { code = inspect(*model, *options); });
}

}  // namespace lockstep
