#include "import/onnx_reader.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "op/op.h"

namespace lockstep {

ValueId OnnxScope::find(const std::string& name) const {
  for (const OnnxScope* s = this; s; s = s->outer)
    if (const auto it = s->names.find(name); it != s->names.end()) return it->second;
  return no_id;
}

OnnxReader::OnnxReader(std::string file, const ImportOptions& options,
                       const onnx::ModelProto& model, std::int64_t open_extent)
    : file_(file),
      options_(options),
      model_(model),
      open_extent_(open_extent),
      graph_(std::move(file), "onnx") {}

namespace {

bool own_domain(const std::string& domain) {
  return domain.empty() || domain == "ai.onnx";
}

// "Conv", "com.microsoft:QLinearAdd".
std::string full_name(const onnx::NodeProto& node) {
  return own_domain(node.domain()) ? node.op_type() : node.domain() + ":" + node.op_type();
}

// Field 8 (overload) picks another function of the same name: newer than the schema at hand.
bool has_overload(const onnx::NodeProto& node) {
  const auto& unknown = node.unknown_fields();
  for (int i = 0; i < unknown.field_count(); ++i)
    if (unknown.field(i).number() == 8 &&
        unknown.field(i).type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED &&
        !unknown.field(i).length_delimited().empty())
      return true;
  return false;
}

}  // namespace

Result<Graph> OnnxReader::read() {
  LOCKSTEP_CHECK(read_opsets());
  OnnxScope scope;
  const onnx::GraphProto& graph = model_.graph();
  LOCKSTEP_CHECK(read_initializers(graph, scope));
  LOCKSTEP_CHECK(read_inputs(graph, scope));
  LOCKSTEP_CHECK(check_dimensions());
  LOCKSTEP_CHECK(read_nodes(graph.node(), scope));
  spread_layout();
  for (const auto& output : graph.output()) {
    const ValueId id = scope.find(output.name());
    if (id == no_id)
      return Error{file_, "output '" + output.name() + "', which no node makes",
                   "an output of some node", ""};
    graph_.add_output(id);
  }
  return std::move(graph_).finish();
}

Result<void> OnnxReader::read_opsets() {
  for (const auto& opset : model_.opset_import())
    opsets_[own_domain(opset.domain()) ? "" : opset.domain()] = opset.version();
  const std::int64_t version = opsets_.contains("") ? opsets_[""] : 0;
  if (version < 1 && !opsets_.empty() && !opsets_.contains("")) return {};
  if (version < 7 || version > 25)
    return Error{file_, "ONNX opset " + std::to_string(version), "7 to 25",
                 "convert it with onnx.version_converter.convert_version(model, 17)"};
  return {};
}

Result<void> OnnxReader::read_initializers(const onnx::GraphProto& graph, OnnxScope& scope) {
  if (graph.sparse_initializer_size() > 0)
    return Error{file_ + ": initializer '" + graph.sparse_initializer(0).values().name() + "'",
                 "a sparse tensor", "a dense one", ""};
  for (const auto& proto : graph.initializer()) {
    const std::string at = file_ + ": initializer '" + proto.name() + "'";
    if (scope.names.contains(proto.name())) return Error{at, "stands twice", "unique names", ""};
    LOCKSTEP_TRY(Tensor tensor, tensor_of_onnx(proto, at));
    const ValueId id = scope.names[proto.name()] =
        add_constant(scope.prefix + proto.name(), std::move(tensor));
    if (is_four_bit(proto)) four_bit_.insert(id);
  }
  return {};
}

ValueId OnnxReader::add_constant(const std::string& name, Tensor tensor) {
  Value v;
  v.name = graph_.unique_name(name);
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.origin.name = name;
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return graph_.add_value(std::move(v));
}

Result<Shape> OnnxReader::shape_of(const onnx::ValueInfoProto& info) {
  const std::string at = file_ + ": input '" + info.name() + "'";
  if (!info.type().has_tensor_type())
    return Error{at, "a sequence, map or optional", "a tensor",
                 "only tensors run on the devices at hand"};
  const auto& type = info.type().tensor_type();
  if (!type.has_shape())
    return Error{at, "no shape", "a shape, with symbolic extents where they vary", ""};
  Shape shape;
  for (const auto& dim : type.shape().dim()) {
    const std::string place = info.name() + "[" + std::to_string(shape.size()) + "]";
    const bool known = dim.has_dim_value() && dim.dim_value() >= 0;
    shape.push_back(known ? dim.dim_value()
                          : extent_of(dim.has_dim_param() ? dim.dim_param() : "", place));
  }
  LOCKSTEP_CHECK(checked_size(shape, 8, at));
  return shape;
}

// Of a dimension that the file leaves open: as asked by its name or its place, as suggested where
// it has no name, else the guess.
std::int64_t OnnxReader::extent_of(const std::string& name, const std::string& place) {
  for (const std::string& key : {name, place}) {
    if (key.empty()) continue;
    if (std::ranges::find(open_, key) == open_.end()) open_.push_back(key);
    if (const auto given = options_.dimensions.find(key); given != options_.dimensions.end())
      return given->second;
  }
  const auto suggested = options_.suggested.find(place);
  if (name.empty() && suggested != options_.suggested.end()) return suggested->second;
  guessed_ = true;
  return open_extent_;
}

Result<void> OnnxReader::check_dimensions() const {
  for (const auto& [name, extent] : options_.dimensions) {
    if (std::ranges::find(open_, name) != open_.end()) continue;
    const std::string near = nearest(name, open_);
    return Error{
        "--dim " + name, file_ + " leaves no such dimension open",
        open_.empty() ? "no --dim: all extents are in the file" : "one of " + join(open_, ", "),
        near.empty() ? "by name, or as INPUT[AXIS]" : "did you mean '" + near + "'?"};
  }
  return {};
}

Result<void> OnnxReader::read_inputs(const onnx::GraphProto& graph, OnnxScope& scope) {
  for (const auto& info : graph.input()) {
    if (const auto stored = scope.names.find(info.name()); stored != scope.names.end()) {
      // A default that a caller may replace: constant here, but a tensor of the file, and never
      // packed or folded.
      graph_.value(stored->second).folded = model_.ir_version() >= 4;
      continue;
    }
    LOCKSTEP_TRY(Shape shape, shape_of(info));
    Value v;
    v.name = info.name();
    if (v.name.empty()) return Error{file_, "an input without a name", "a name", ""};
    LOCKSTEP_TRY(v.dtype, dtype_of_onnx(info.type().tensor_type().elem_type(),
                                        file_ + ": input '" + v.name + "'"));
    v.shape = std::move(shape);
    v.origin.name = v.name;
    v.name = graph_.unique_name(v.name);
    const ValueId id = graph_.add_value(std::move(v));
    scope.names[info.name()] = id;
    graph_.add_input(id);
  }
  return {};
}

Result<void> OnnxReader::read_nodes(const Nodes& nodes, OnnxScope& scope) {
  for (const auto& node : nodes) LOCKSTEP_CHECK(read_node(node, scope));
  return {};
}

std::string OnnxReader::node_name(const onnx::NodeProto& node, const OnnxScope& scope) const {
  if (!node.name().empty()) return scope.prefix + node.name();
  for (const std::string& output : node.output())
    if (!output.empty()) return scope.prefix + node.op_type() + ":" + output;
  return scope.prefix + node.op_type();
}

std::string OnnxReader::where(const onnx::NodeProto& node, const OnnxScope& scope) const {
  return file_ + ": " + full_name(node) + " '" + node_name(node, scope) + "'";
}

Result<void> OnnxReader::read_node(const onnx::NodeProto& node, OnnxScope& scope) {
  if (has_overload(node))
    return Error{where(node, scope), "an overloaded function", "one function per name", ""};
  for (const auto& function : model_.functions())
    if (function.name() == node.op_type() && function.domain() == node.domain())
      return inline_function(node, function, scope);
  if (own_domain(node.domain())) {
    if (node.op_type() == "Constant") return read_constant(node, scope);
    if (node.op_type() == "Scan") return unroll_scan(node, scope);
    if (node.op_type() == "Loop") return unroll_loop(node, scope);
    if (node.op_type() == "If") return inline_if(node, scope);
  }
  return read_operator(node, scope);
}

Result<void> OnnxReader::read_constant(const onnx::NodeProto& node, OnnxScope& scope) {
  const std::string at = where(node, scope);
  LOCKSTEP_TRY(const Attrs attrs, attrs_of_onnx(node, at));
  if (attrs.values.size() != 1 || node.output_size() != 1)
    return Error{at, std::to_string(attrs.values.size()) + " attributes",
                 "one that holds the value, and one output", ""};
  const auto& [kind, value] = *attrs.values.begin();
  Tensor tensor;
  if (const auto t = attrs.tensor(kind); t && kind == "value")
    tensor = *t;
  else if (const auto* i = std::get_if<std::int64_t>(&value); i && kind == "value_int")
    tensor = Tensor::scalar(*i);
  else if (const auto* f = std::get_if<double>(&value); f && kind == "value_float")
    tensor = Tensor::scalar(static_cast<float>(*f));
  else if (const auto* is = std::get_if<std::vector<std::int64_t>>(&value);
           is && kind == "value_ints")
    tensor = Tensor::of<std::int64_t>({static_cast<std::int64_t>(is->size())}, *is);
  else if (const auto* fs = std::get_if<std::vector<double>>(&value);
           fs && kind == "value_floats") {
    const std::vector<float> floats(fs->begin(), fs->end());
    tensor = Tensor::of<float>({static_cast<std::int64_t>(floats.size())}, floats);
  } else
    return Error{at, "attribute '" + kind + "'", "value, value_int(s) or value_float(s)", ""};
  if (scope.names.contains(node.output(0)))
    return Error{at, "makes '" + node.output(0) + "' a second time", "one maker per tensor", ""};
  const ValueId id = scope.names[node.output(0)] =
      add_constant(scope.prefix + node.output(0), std::move(tensor));
  if (const auto* const held = find_attribute(node, "value"); held && is_four_bit(held->t()))
    four_bit_.insert(id);
  return {};
}

Result<std::vector<ValueId>> OnnxReader::inputs_of(const onnx::NodeProto& node,
                                                   const OnnxScope& scope) const {
  std::vector<ValueId> ids;
  for (const std::string& name : node.input()) {
    ids.push_back(name.empty() ? no_id : scope.find(name));
    if (!name.empty() && ids.back() == no_id)
      return Error{where(node, scope), "reads '" + name + "', which nothing makes before it",
                   "an input, an initializer or an earlier node's output", ""};
  }
  while (!ids.empty() && ids.back() == no_id) ids.pop_back();
  return ids;
}

Result<ValueId> OnnxReader::declare(const onnx::NodeProto& node, const std::string& name,
                                    OnnxScope& scope) {
  if (scope.names.contains(name))
    return Error{where(node, scope), "makes '" + name + "' a second time", "one maker per tensor",
                 ""};
  const auto outward = scope.outward.find(name);
  Value v;
  v.name =
      graph_.unique_name(outward == scope.outward.end() ? scope.prefix + name : outward->second);
  v.shape = {0};
  v.origin.name = v.name;
  v.origin.node = node_name(node, scope);
  const ValueId id = graph_.add_value(std::move(v));
  scope.names[name] = id;
  return id;
}

ValueId OnnxReader::unnamed_output(const onnx::NodeProto& node, const OnnxScope& scope) {
  Value v;
  v.name = graph_.unique_name(node_name(node, scope) + ":0");
  v.shape = {0};
  v.origin.node = node_name(node, scope);
  return graph_.add_value(std::move(v));
}

Result<void> OnnxReader::read_operator(const onnx::NodeProto& node, OnnxScope& scope) {
  const std::string at = where(node, scope);
  const ForeignMatch match = find_foreign(Format::onnx, full_name(node));
  const std::string domain = own_domain(node.domain()) ? "" : node.domain();
  const std::int64_t version = opsets_.contains(domain) ? opsets_.at(domain) : 1;
  if (!match.foreign)
    return Error{at, "operator " + full_name(node) + " of opset " + std::to_string(version),
                 "an operator of docs/ops.md", ""};
  ForeignNode foreign{Format::onnx,
                      full_name(node),
                      static_cast<int>(version),
                      node_name(node, scope),
                      at,
                      {},
                      {},
                      {}};
  LOCKSTEP_TRY(foreign.attrs, attrs_of_onnx(node, at));
  LOCKSTEP_TRY(foreign.inputs, inputs_of(node, scope));
  const bool narrow = is_narrow(foreign);
  if (narrow) foreign.attrs.set("bits", std::int64_t{4});
  LOCKSTEP_CHECK(check_code_type(foreign));
  if (node.output_size() == 1 && is_bias_row(foreign, node.output(0))) {
    foreign.attrs.set("axis", std::int64_t{1});
    foreign.attrs.set("misaxed", std::int64_t{1});
  }
  int outputs = node.output_size();
  while (outputs > 0 && node.output(outputs - 1).empty()) --outputs;
  for (int i = 0; i < outputs; ++i) {
    foreign.outputs.push_back(no_id);
    if (!node.output(i).empty()) {
      LOCKSTEP_TRY(foreign.outputs.back(), declare(node, node.output(i), scope));
    } else if (i == 0) {
      foreign.outputs.back() = unnamed_output(node, scope);
    }
  }
  if (narrow && !foreign.op.ends_with("DequantizeLinear"))
    four_bit_.insert(foreign.outputs.begin(), foreign.outputs.end());
  LOCKSTEP_CHECK(check_half(foreign));
  const auto first = static_cast<NodeId>(graph_.so_far().nodes().size());
  LOCKSTEP_CHECK(map_foreign(foreign, match, graph_));
  note_quantization(foreign);
  LOCKSTEP_CHECK(settle_nodes(graph_, first));
  note_layout(first);
  return {};
}

// Half-precision numbers are moved and cast, never computed with.
Result<void> OnnxReader::check_half(const ForeignNode& foreign) const {
  static constexpr std::array moving = {std::string_view{"Cast"},
                                        std::string_view{"Concat"},
                                        std::string_view{"DequantizeLinear"},
                                        std::string_view{"Expand"},
                                        std::string_view{"Flatten"},
                                        std::string_view{"Gather"},
                                        std::string_view{"Identity"},
                                        std::string_view{"QuantizeLinear"},
                                        std::string_view{"Reshape"},
                                        std::string_view{"Shape"},
                                        std::string_view{"Slice"},
                                        std::string_view{"Split"},
                                        std::string_view{"Squeeze"},
                                        std::string_view{"Transpose"},
                                        std::string_view{"Unsqueeze"}};
  if (std::ranges::find(moving, foreign.op) != moving.end()) return {};
  for (const ValueId id : foreign.inputs)
    if (id != no_id && graph_.so_far().value(id).dtype == DType::f16)
      return Error{
          foreign.where, "input '" + graph_.so_far().value(id).name + "' in float16", "float32",
          "export the model in float32: devices and runtimes compute half precision differently"};
  return {};
}

}  // namespace lockstep
