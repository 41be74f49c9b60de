#include <bit>
#include <cmath>

#include "base/files.h"
#include "base/text.h"
#include "import/import.h"
#include "import/tflite_options.h"
#include "import/tflite_variables.h"
#include "op/op.h"

namespace lockstep {
namespace {

// Files hold little-endian numbers, which are taken over as they are.
static_assert(std::endian::native == std::endian::little);

std::optional<DType> dtype_of(tfl::TensorType t) {
  using T = tfl::TensorType;
  switch (t) {
    case T::FLOAT32:
      return DType::f32;
    case T::FLOAT64:
      return DType::f64;
    case T::FLOAT16:
      return DType::f16;
    case T::INT8:
    case T::INT4:
    case T::INT2:
      return DType::i8;  // narrow codes are widened
    case T::UINT8:
      return DType::u8;
    case T::INT16:
      return DType::i16;
    case T::UINT16:
      return DType::u16;
    case T::INT32:
      return DType::i32;
    case T::UINT32:
      return DType::u32;
    case T::INT64:
      return DType::i64;
    case T::UINT64:
      return DType::u64;
    case T::BOOL:
      return DType::boolean;
    default:
      return std::nullopt;
  }
}

int narrow_bits(tfl::TensorType t) {
  return t == tfl::TensorType::INT4 ? 4 : t == tfl::TensorType::INT2 ? 2 : 0;
}

// One subgraph of one file on its way into a graph.
struct Reader {
  std::string path;
  std::span<const std::byte> bytes;
  const tfl::Model& model;
  const tfl::SubGraph& main;
  GraphBuilder graph;
  std::vector<ValueId> ids;  // by tensor index; no_id where the type is unknown
  std::vector<bool> made;    // by tensor index: some operator makes it
  std::vector<bool> inner;   // by tensor index: only says the scale of a number inside an operator
  TfliteVariables variables = {};

  const tfl::Tensor& tensor(std::size_t i) const {
    return *main.tensors()->Get(static_cast<flatbuffers::uoffset_t>(i));
  }
  std::string tensor_where(std::size_t i) const {
    const auto* name = tensor(i).name();
    return path + ": tensor " + std::to_string(i) +
           (name && name->size() > 0 ? " '" + name->str() + "'" : "");
  }
  std::vector<std::string> tensor_names() const;
  Result<std::span<const std::byte>> contents(std::size_t i) const;
  Result<QuantParams> quantization(std::size_t i, const Shape& shape) const;
  Result<std::shared_ptr<const Tensor>> constant(std::size_t i, DType dtype,
                                                 const Shape& shape) const;
  Result<void> read_tensor(std::size_t i, const std::string& name);
  Result<std::vector<ValueId>> operands(const flatbuffers::Vector<std::int32_t>* list,
                                        const std::string& where) const;
  Result<std::shared_ptr<const Tensor>> constant_elsewhere(const tfl::SubGraph& sub, std::int32_t i) const;
  Result<void> read_intermediates(const tfl::Operator& op, ForeignNode& node) const;
  Result<void> read_operator(std::size_t i);
  Result<void> read_io();
  void find_made();
};

void Reader::find_made() {
  made.assign(ids.size(), false);
  inner.assign(ids.size(), false);
  for (const tfl::Operator* op : *main.operators())
    if (op->intermediates())
      for (const std::int32_t t : *op->intermediates())
        if (t >= 0 && static_cast<std::size_t>(t) < inner.size())
          inner[static_cast<std::size_t>(t)] = true;
  for (const tfl::Operator* op : *main.operators())
    if (op->outputs())
      for (const std::int32_t t : *op->outputs())
        if (t >= 0 && static_cast<std::size_t>(t) < made.size())
          made[static_cast<std::size_t>(t)] = true;
}

// The file's names; where several tensors share one, or have none, the index is appended.
std::vector<std::string> Reader::tensor_names() const {
  std::map<std::string, int> uses;
  std::vector<std::string> names;
  for (const tfl::Tensor* t : *main.tensors()) {
    names.push_back(t->name() ? t->name()->str() : "");
    ++uses[names.back()];
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i].empty() || uses[names[i]] > 1) names[i] += "#" + std::to_string(i);
  return names;
}

// The bytes of a constant; empty when the tensor is computed.
Result<std::span<const std::byte>> Reader::contents(std::size_t i) const {
  const tfl::Tensor& t = tensor(i);
  const auto* buffers = model.buffers();
  if (t.external_buffer() != 0)
    return Error{tensor_where(i), "contents in another file", "contents in this file",
                 "external buffers are not read"};
  if (t.buffer() == 0) return std::span<const std::byte>{};
  if (!buffers || t.buffer() >= buffers->size())
    return Error{
        tensor_where(i), "buffer " + std::to_string(t.buffer()),
        "a buffer of the " + std::to_string(buffers ? buffers->size() : 0) + " in the file",
        "the file is damaged"};
  const tfl::Buffer& b = *buffers->Get(t.buffer());
  if (b.data() && b.data()->size() > 0)
    return std::span(reinterpret_cast<const std::byte*>(b.data()->data()), b.data()->size());
  if (b.offset() <= 1 || b.size() == 0) return std::span<const std::byte>{};
  if (b.offset() > bytes.size() || b.size() > bytes.size() - b.offset())
    return Error{tensor_where(i),
                 "contents at byte " + std::to_string(b.offset()) + ", " +
                     std::to_string(b.size()) + " long",
                 "contents inside the file of " + std::to_string(bytes.size()) + " bytes",
                 "the file is cut off"};
  return std::span(bytes.data() + b.offset(), static_cast<std::size_t>(b.size()));
}

Result<QuantParams> Reader::quantization(std::size_t i, const Shape& shape) const {
  QuantParams out;
  const auto* q = tensor(i).quantization();
  if (!q || !q->scale() || q->scale()->size() == 0) return out;
  if (q->details_type() != tfl::QuantizationDetails::NONE)
    return Error{tensor_where(i),
                 std::string("quantization of the kind ") +
                     tfl::EnumNameQuantizationDetails(q->details_type()),
                 "scales with zero points", ""};
  for (const float s : *q->scale()) {
    if (!std::isfinite(s) || s < 0)
      return Error{tensor_where(i), "scale " + std::to_string(s), "a positive finite number",
                   "the file is damaged"};
    out.scale.push_back(static_cast<double>(s));
  }
  if (q->zero_point())
    for (const std::int64_t z : *q->zero_point()) {
      if (z < INT32_MIN || z > INT32_MAX)
        return Error{tensor_where(i), "zero point " + std::to_string(z), "a code of 32 bits",
                     "the file is damaged"};
      out.zero.push_back(static_cast<std::int32_t>(z));
    }
  out.zero.resize(out.zero.size() == 1 || out.zero.size() == out.scale.size() ? out.zero.size()
                                                                              : 0);
  if (out.zero.empty()) out.zero.assign(out.scale.size(), 0);
  if (out.zero.size() == 1) out.zero.resize(out.scale.size(), out.zero[0]);
  if (out.scale.size() == 1) return out;
  // Old converters gave vectors (biases) the axis of the weights; a vector has one axis only.
  out.axis = shape.size() == 1 ? 0 : q->quantized_dimension();
  if (out.axis < 0 || static_cast<std::size_t>(out.axis) >= shape.size() ||
      shape[static_cast<std::size_t>(out.axis)] != static_cast<std::int64_t>(out.scale.size()))
    return Error{tensor_where(i),
                 std::to_string(out.scale.size()) + " scales on axis " + std::to_string(out.axis) +
                     " of " + shape_text(shape),
                 "as many scales as that axis is long", ""};
  return out;
}

Result<std::shared_ptr<const Tensor>> Reader::constant(std::size_t i, DType dtype,
                                                       const Shape& shape) const {
  LOCKSTEP_TRY(const auto raw, contents(i));
  const bool nothing = std::ranges::find(shape, 0) != shape.end();  // a constant without elements has no bytes
  if (nothing && tensor(i).buffer() != 0) return std::make_shared<const Tensor>(dtype, shape);
  if (raw.empty()) return std::shared_ptr<const Tensor>();
  LOCKSTEP_TRY(const std::int64_t count, checked_count(shape, tensor_where(i)));
  const int bits = narrow_bits(tensor(i).type());
  const auto wanted =
      bits ? (static_cast<std::uint64_t>(count) * static_cast<unsigned>(bits) + 7) / 8
           : static_cast<std::uint64_t>(count) * size_of(dtype);
  if (raw.size() != wanted)
    return Error{tensor_where(i),
                 std::to_string(raw.size()) + " bytes for " + shape_text(shape) + " of " +
                     std::string(name_of(dtype)),
                 std::to_string(wanted) + " bytes", "the file is damaged"};
  auto t = std::make_shared<Tensor>(dtype, shape);
  if (bits == 0) {
    std::memcpy(t->bytes().data(), raw.data(), raw.size());
    return std::shared_ptr<const Tensor>(t);
  }
  const auto codes = t->as<std::int8_t>();
  for (std::size_t k = 0; k < codes.size(); ++k) {  // the lowest bits hold the first code
    const std::size_t at = k * static_cast<std::size_t>(bits);
    const int code =
        std::to_integer<int>(raw[at / 8] >> static_cast<int>(at % 8)) & ((1 << bits) - 1);
    codes[k] = static_cast<std::int8_t>(code >= 1 << (bits - 1) ? code - (1 << bits) : code);
  }
  return std::shared_ptr<const Tensor>(t);
}

Result<void> Reader::read_tensor(std::size_t i, const std::string& name) {
  const tfl::Tensor& t = tensor(i);
  const auto dtype = dtype_of(t.type());
  if (!dtype || inner[i]) return {};  // refused where an operator uses it
  Value v;
  v.name = name;
  v.dtype = *dtype;
  if (t.shape())
    for (const std::int32_t extent : *t.shape()) v.shape.push_back(extent < 0 ? 1 : extent);
  LOCKSTEP_CHECK(checked_size(v.shape, size_of(v.dtype), tensor_where(i)));
  // Extents that the converter left open follow from the operators; inputs take the 1 that stands
  // there.
  const auto* open = t.shape_signature();
  if (open && open->size() == v.shape.size() && made[i])
    for (std::size_t a = 0; a < v.shape.size(); ++a)
      if (open->Get(static_cast<flatbuffers::uoffset_t>(a)) < 0) v.shape[a] = -1;
  if (t.sparsity())
    return Error{tensor_where(i), "sparse contents", "dense contents",
                 "convert the model without sparsity"};
  if (!is_float(v.dtype)) {
    LOCKSTEP_TRY(v.quant, quantization(i, v.shape));
  }
  LOCKSTEP_TRY(v.constant, constant(i, v.dtype, v.shape));
  v.origin.name = t.name() ? t.name()->str() : "";
  v.origin.layout = v.shape.size() == 4 && !v.constant ? "NHWC" : "";
  ids[i] = graph.add_value(std::move(v));
  return {};
}

Result<std::vector<ValueId>> Reader::operands(const flatbuffers::Vector<std::int32_t>* list,
                                              const std::string& where) const {
  std::vector<ValueId> out;
  if (!list) return out;
  for (const std::int32_t t : *list) {
    if (t == -1) {
      out.push_back(no_id);
      continue;
    }
    if (t < 0 || static_cast<std::size_t>(t) >= ids.size())
      return Error{where, "tensor " + std::to_string(t),
                   "one of the " + std::to_string(ids.size()) + " tensors", "the file is damaged"};
    const ValueId id = ids[static_cast<std::size_t>(t)];
    if (id == no_id)
      return Error{where,
                   tensor_where(static_cast<std::size_t>(t)) + " of type " +
                       tfl::EnumNameTensorType(tensor(static_cast<std::size_t>(t)).type()),
                   "numbers or booleans", ""};
    out.push_back(id);
  }
  return out;
}

// Contents of a tensor of another subgraph; null when it is computed.
Result<std::shared_ptr<const Tensor>> Reader::constant_elsewhere(const tfl::SubGraph& sub,
                                                                 std::int32_t i) const {
  const std::size_t count = sub.tensors() ? sub.tensors()->size() : 0;
  if (i < 0 || static_cast<std::size_t>(i) >= count)
    return Error{path, "tensor " + std::to_string(i) + " of another subgraph",
                 "one of its " + std::to_string(count) + " tensors", "the file is damaged"};
  const Reader other{path, bytes, model, sub, GraphBuilder(path, "tflite"), {}, {}, {}};
  const auto at = static_cast<std::size_t>(i);
  const auto dtype = dtype_of(other.tensor(at).type());
  if (!dtype) return std::shared_ptr<const Tensor>();
  Shape shape;
  if (other.tensor(at).shape())
    for (const std::int32_t extent : *other.tensor(at).shape()) shape.push_back(extent);
  LOCKSTEP_CHECK(checked_size(shape, size_of(*dtype), other.tensor_where(at)));
  return other.constant(at, *dtype, shape);
}

// Scales of numbers inside an operator that are no tensors of the network (LSTMs): two attributes.
Result<void> Reader::read_intermediates(const tfl::Operator& op, ForeignNode& node) const {
  if (!op.intermediates() || op.intermediates()->size() == 0) return {};
  std::vector<double> scales;
  std::vector<std::int64_t> zeros;
  for (const std::int32_t t : *op.intermediates()) {
    if (t < 0 || static_cast<std::size_t>(t) >= ids.size())
      return Error{node.where, "intermediate tensor " + std::to_string(t),
                   "one of the " + std::to_string(ids.size()) + " tensors", "the file is damaged"};
    LOCKSTEP_TRY(const QuantParams q, quantization(static_cast<std::size_t>(t), {}));
    scales.push_back(q.quantized() ? q.scale_at(0) : 0);
    zeros.push_back(q.quantized() ? q.zero_at(0) : 0);
  }
  node.attrs.set("intermediate_scales", std::move(scales));
  node.attrs.set("intermediate_zeros", std::move(zeros));
  return {};
}

Result<void> Reader::read_operator(std::size_t i) {
  const tfl::Operator& op = *main.operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
  const std::string place = path + ": operator " + std::to_string(i);
  const auto* codes = model.operator_codes();
  if (!codes || op.opcode_index() >= codes->size())
    return Error{place, "operator code " + std::to_string(op.opcode_index()),
                 "one of the " + std::to_string(codes ? codes->size() : 0) + " codes",
                 "the file is damaged"};
  const tfl::OperatorCode& code = *codes->Get(op.opcode_index());
  const int number = std::max(static_cast<int>(code.code()), static_cast<int>(code.old_code()));
  const std::string name = tflite_operator_name(number);
  ForeignNode node{Format::tflite,
                   name,
                   code.version(),
                   graph.unique_node_name(name + "_" + std::to_string(i)),
                   "",
                   {},
                   {},
                   {}};
  node.where = path + ": " + name + " '" + node.name + "'";
  if (name == "CUSTOM")
    return Error{place,
                 "custom operator '" + (code.custom_code() ? code.custom_code()->str() : "") + "'",
                 "operators of TFLite's own set",
                 "a custom operator has no meaning outside its own runtime"};
  if (TfliteVariables::handles(name))
    return variables.read(
        model, op, name, node.where,
        [this](const tfl::SubGraph& sub, std::int32_t t) { return constant_elsewhere(sub, t); }, ids, graph);
  const ForeignMatch match = find_foreign(Format::tflite, name);
  if (!match.op)
    return Error{place, "operator " + (name.empty() ? std::to_string(number) : name),
                 "an operator of docs/ops.md", ""};
  LOCKSTEP_TRY(node.inputs, operands(op.inputs(), node.where));
  LOCKSTEP_TRY(node.outputs, operands(op.outputs(), node.where));
  for (const ValueId out : node.outputs)
    if (out != no_id && (graph.value(out).producer != no_id || graph.value(out).constant))
      return Error{node.where, "output '" + graph.value(out).name + "' that is made twice",
                   "one maker for each tensor", "the file is damaged"};
  node.attrs = tflite_options(op);
  LOCKSTEP_CHECK(read_intermediates(op, node));
  const auto first = static_cast<NodeId>(graph.so_far().nodes().size());
  LOCKSTEP_CHECK(map_foreign(node, match, graph));
  for (NodeId id = first; static_cast<std::size_t>(id) < graph.so_far().nodes().size(); ++id)
    for (const ValueId out : graph.node(id).outputs)
      if (out != no_id && graph.value(out).origin.node.empty())
        graph.value(out).origin.node = node.name;
  return settle_nodes(graph, first);
}

Result<void> Reader::read_io() {
  LOCKSTEP_TRY(const auto in, operands(main.inputs(), path + ": inputs"));
  LOCKSTEP_TRY(const auto out, operands(main.outputs(), path + ": outputs"));
  for (const ValueId v : in) {
    if (v == no_id || graph.value(v).constant)
      return Error{path, "an input that is absent or constant", "inputs without contents",
                   "the file is damaged"};
    graph.add_input(v);
  }
  for (const ValueId v : out) {
    if (v == no_id)
      return Error{path, "an absent output", "outputs that are tensors", "the file is damaged"};
    graph.add_output(v);
  }
  return {};
}

}  // namespace

Result<Graph> import_tflite(const std::string& path, const ImportOptions&) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  return import_tflite_bytes(bytes, path);
}

Result<Graph> import_tflite_bytes(std::span<const std::byte> bytes, const std::string& path) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), 64, 1000000);
  if (bytes.size() < 8 || !tfl::VerifyModelBuffer(verifier))
    return Error{path, "a damaged TFLite file of " + std::to_string(bytes.size()) + " bytes",
                 "a whole flatbuffer",
                 "an offset points outside the file: it is cut off or altered"};
  const tfl::Model& model = *tfl::GetModel(data);
  if (!model.subgraphs() || model.subgraphs()->size() == 0)
    return Error{path, "no subgraph", "at least one", ""};
  const tfl::SubGraph& main = *model.subgraphs()->Get(0);
  if (!main.tensors() || !main.operators())
    return Error{path, "a subgraph without tensors or operators", "both", ""};
  Reader reader{path,
                bytes,
                model,
                main,
                GraphBuilder(path, "tflite"),
                std::vector<ValueId>(main.tensors()->size(), no_id),
                {},
                {}};
  reader.find_made();
  const auto names = reader.tensor_names();
  for (std::size_t i = 0; i < names.size(); ++i) LOCKSTEP_CHECK(reader.read_tensor(i, names[i]));
  LOCKSTEP_CHECK(reader.read_io());
  for (std::size_t i = 0; i < main.operators()->size(); ++i)
    LOCKSTEP_CHECK(reader.read_operator(i));
  LOCKSTEP_CHECK(reader.variables.finish(path, reader.graph));
  return std::move(reader.graph).finish();
}

}  // namespace lockstep
