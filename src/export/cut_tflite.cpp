// A part of a TFLite file: what makes some tensors from others, with its own
// constants and nothing else.
#include <algorithm>
#include <map>
#include <set>

#include "export/edit.h"
#include "flatbuffers/tflite_generated.h"

namespace lockstep {
namespace {

constexpr bool reaches_other_subgraphs(tfl::BuiltinOperator code) {
  using B = tfl::BuiltinOperator;
  return code == B::IF || code == B::WHILE || code == B::CALL || code == B::CALL_ONCE ||
         code == B::STABLEHLO_COMPOSITE || code == B::VAR_HANDLE || code == B::READ_VARIABLE ||
         code == B::ASSIGN_VARIABLE;
}

class Cutter {
 public:
  Cutter(tfl::ModelT& model, const Graph& graph, const std::map<std::string, Shape>& shapes)
      : model_(model), main_(*model.subgraphs[0]), graph_(graph), shapes_(shapes) {
    std::map<std::string, int> uses;
    for (const auto& t : main_.tensors) ++uses[t->name];
    // the names by which the importer knows them
    for (std::size_t i = 0; i < main_.tensors.size(); ++i) {
      std::string& name = main_.tensors[i]->name;
      if (name.empty() || uses[name] > 1) name += "#" + std::to_string(i);
      at_.emplace(name, static_cast<std::int32_t>(i));
    }
  }

  Result<Bytes> cut(std::span<const std::string> inputs, std::span<const std::string> outputs) {
    std::vector<std::int32_t> in, out;
    for (const std::string& name : inputs) {
      LOCKSTEP_TRY(in.emplace_back(), index_of(name));
    }
    for (const std::string& name : outputs) {
      LOCKSTEP_TRY(out.emplace_back(), index_of(name));
    }
    LOCKSTEP_CHECK(choose(in, out));
    LOCKSTEP_CHECK(keep_tensors(in, out));
    keep_operators();
    for (auto* list : {&in, &out})
      for (std::int32_t& t : *list) t = place_.at(t);
    main_.inputs = in;
    main_.outputs = out;
    model_.subgraphs.resize(1);
    model_.signature_defs.clear();
    model_.metadata.clear();
    model_.metadata_buffer.clear();
    flatbuffers::FlatBufferBuilder builder(1 << 16);
    tfl::FinishModelBuffer(builder, tfl::Model::Pack(builder, &model_));
    const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    return Bytes(begin, begin + builder.GetSize());
  }

 private:
  Error damaged(const std::string& what) const {
    return Error{graph_.file(), what, "a whole TFLite model", "the file is damaged"};
  }

  Result<std::int32_t> index_of(const std::string& name) const {
    const auto it = at_.find(name);
    if (it == at_.end())
      return Error{graph_.file(), "no tensor '" + name + "' in the file",
                   "a tensor of its first subgraph", ""};
    return it->second;
  }

  bool is_constant(std::int32_t t) const {
    const std::uint32_t buffer = main_.tensors[static_cast<std::size_t>(t)]->buffer;
    return buffer < model_.buffers.size() && !model_.buffers[buffer]->data.empty();
  }

  // The operators between, and the tensors that they name.
  Result<void> choose(const std::vector<std::int32_t>& in, const std::vector<std::int32_t>& out) {
    std::map<std::int32_t, std::size_t> maker;
    for (std::size_t o = 0; o < main_.operators.size(); ++o)
      for (const std::int32_t t : main_.operators[o]->outputs) maker.emplace(t, o);
    const std::set<std::int32_t> given(in.begin(), in.end());
    std::vector<std::int32_t> open(out.begin(), out.end());
    tensors_.insert(in.begin(), in.end());
    while (!open.empty()) {
      const std::int32_t t = open.back();
      open.pop_back();
      if (t < 0) continue;
      if (static_cast<std::size_t>(t) >= main_.tensors.size())
        return damaged("operator that names tensor " + std::to_string(t));
      if (given.contains(t) || !tensors_.insert(t).second || is_constant(t)) continue;
      const auto it = maker.find(t);
      if (it == maker.end())
        return Error{graph_.file(),
                     "tensor '" + main_.tensors[static_cast<std::size_t>(t)]->name + "' is needed",
                     "it among the tensors that the part starts from", ""};
      if (!operators_.insert(it->second).second) continue;
      const tfl::OperatorT& op = *main_.operators[it->second];
      open.insert(open.end(), op.inputs.begin(), op.inputs.end());
      open.insert(open.end(), op.intermediates.begin(), op.intermediates.end());
      for (const std::int32_t other : op.outputs)
        if (other >= 0 && static_cast<std::size_t>(other) < main_.tensors.size())
          tensors_.insert(other);
      if (op.opcode_index >= model_.operator_codes.size())
        return damaged("operator of code " + std::to_string(op.opcode_index));
      if (reaches_other_subgraphs(model_.operator_codes[op.opcode_index]->code))
        return Error{graph_.file(), "an operator with a subgraph or variable of its own",
                     "operators that stand alone", ""};
    }
    return {};
  }

  // Renumbers tensors and buffers; extents of what lies between follow from the inputs.
  Result<void> keep_tensors(const std::vector<std::int32_t>& in,
                            const std::vector<std::int32_t>& out) {
    std::vector<std::unique_ptr<tfl::TensorT>> kept;
    std::vector<std::unique_ptr<tfl::BufferT>> buffers;
    buffers.push_back(std::make_unique<tfl::BufferT>());
    for (const std::int32_t t : tensors_) {
      auto tensor = std::move(main_.tensors[static_cast<std::size_t>(t)]);
      place_[t] = static_cast<std::int32_t>(kept.size());
      const bool is_given = std::ranges::find(in, t) != in.end();
      if (tensor->external_buffer != 0 || tensor->buffer >= model_.buffers.size() ||
          model_.buffers[tensor->buffer]->offset > 1)
        return Error{graph_.file(),
                     "tensor '" + tensor->name + "' has its contents outside the flatbuffer",
                     "contents inside it", ""};
      tfl::BufferT& own = *model_.buffers[tensor->buffer];
      const bool constant = !own.data.empty() && !is_given;
      tensor->buffer = constant ? static_cast<std::uint32_t>(buffers.size()) : 0;
      tensor->is_variable = tensor->is_variable && !is_given;
      if (constant) buffers.push_back(std::make_unique<tfl::BufferT>(own));
      if (const auto it = shapes_.find(tensor->name); it != shapes_.end()) {
        tensor->shape.assign(it->second.begin(), it->second.end());
        tensor->shape_signature.clear();
      } else if (!constant && !shapes_.empty() && std::ranges::find(out, t) == out.end()) {
        tensor->shape_signature.assign(tensor->shape.size(), -1);
      }
      kept.push_back(std::move(tensor));
    }
    main_.tensors = std::move(kept);
    model_.buffers = std::move(buffers);
    return {};
  }

  void keep_operators() {
    std::vector<std::unique_ptr<tfl::OperatorT>> kept;
    std::vector<std::unique_ptr<tfl::OperatorCodeT>> codes;
    std::map<std::uint32_t, std::uint32_t> code_place;
    for (const std::size_t o : operators_) {
      auto op = std::move(main_.operators[o]);
      const auto [it, fresh] =
          code_place.emplace(op->opcode_index, static_cast<std::uint32_t>(codes.size()));
      if (fresh)
        codes.push_back(
            std::make_unique<tfl::OperatorCodeT>(*model_.operator_codes[op->opcode_index]));
      op->opcode_index = it->second;
      for (auto* list : {&op->inputs, &op->outputs, &op->intermediates})
        for (std::int32_t& t : *list) t = t < 0 ? t : place_.at(t);
      kept.push_back(std::move(op));
    }
    main_.operators = std::move(kept);
    model_.operator_codes = std::move(codes);
  }

  tfl::ModelT& model_;
  tfl::SubGraphT& main_;
  const Graph& graph_;
  const std::map<std::string, Shape>& shapes_;
  std::map<std::string, std::int32_t> at_;
  std::set<std::int32_t> tensors_;
  std::set<std::size_t> operators_;
  std::map<std::int32_t, std::int32_t> place_;
};

}  // namespace

Result<Bytes> tflite_between(std::span<const std::byte> bytes, const Graph& graph,
                             std::span<const std::string> inputs,
                             std::span<const std::string> outputs,
                             const std::map<std::string, Shape>& shapes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), 64, 1000000);
  if (bytes.size() < 8 || !tfl::VerifyModelBuffer(verifier))
    return Error{graph.file(), "not a TFLite model, or a damaged one", "a whole flatbuffer", ""};
  tfl::ModelT model;
  tfl::GetModel(data)->UnPackTo(&model);
  if (model.subgraphs.empty() || model.subgraphs[0]->tensors.empty())
    return Error{graph.file(), "no subgraph with tensors", "one", ""};
  return Cutter(model, graph, shapes).cut(inputs, outputs);
}

}  // namespace lockstep
