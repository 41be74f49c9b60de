#include "npu/record.h"

#include <algorithm>

#include <fmt/core.h>

namespace lockstep {
namespace {

// The model's output that a float buffer at the end of the program holds.
const Value* float_output(const NpuBuffer& b, const Graph& model) {
  if (b.type != "DataType_FLOAT") return nullptr;
  for (const ValueId id : model.outputs())
    if (model.value(id).dtype == DType::f32 && count_of(model.value(id).shape) == b.count())
      return &model.value(id);
  return nullptr;
}

struct Named {
  std::string name;
  TensorInfo info;
  Tensor tensor;
};

Result<Named> named(const NpuProgram& program, const NpuBuffer& b, const Graph& model,
                    const NpuMapping& mapping, const NpuMemory& memory) {
  const std::string where = fmt::format("{}: epoch {}", program.file, b.epoch);
  LOCKSTEP_TRY(Tensor read, read_buffer(b, memory, where));
  if (const NpuPair* pair = mapping.find(b.name)) {
    const Value& v = model.value(model.find_value(pair->value));
    LOCKSTEP_TRY(Tensor t, tensor_for(b, *pair, v, read));
    return Named{v.name, {v.dtype, v.shape, v.quant, v.origin}, std::move(t)};
  }
  const bool last = !program.epochs.empty() && b.epoch == program.epochs.back().number;
  if (const Value* v = last ? float_output(b, model) : nullptr)
    return Named{v->name, {v->dtype, v->shape, v->quant, v->origin}, read.reshaped(v->shape)};
  TensorInfo info{read.dtype(), read.shape(), quant_of(b), {}};
  return Named{b.name, std::move(info), std::move(read)};
}

}  // namespace

Result<Tensor> tensor_for(const NpuBuffer& b, const NpuPair& pair, const Value& value,
                          const Tensor& read) {
  if (read.count() != count_of(value.shape))
    return Error{"buffer " + b.name,
                 fmt::format("{} codes", read.count()),
                 fmt::format("{} of {}", count_of(value.shape), value.name),
                 {}};
  Tensor out(value.dtype, value.shape);
  const std::int64_t shift = value.quant.zero_at(0) - (b.zero.empty() ? 0 : b.zero[0]);
  const Shape& plain = read.shape();
  const std::int64_t channels = pair.channels_last ? plain[1] : 1,
                     area = pair.channels_last ? read.count() / (plain[0] * channels) : 1;
  for (std::int64_t i = 0; i < out.count(); ++i) {
    const std::int64_t image = channels * area, n = i / image, c = i % image / area, p = i % area;
    out.set_code(pair.channels_last ? n * image + p * channels + c : i, read.code(i) + shift);
  }
  return out;
}

Result<Capture> record_npu(NpuSimulator& simulator, const Graph& model, const NpuMapping& mapping,
                           std::span<const Sample> samples, NpuMode mode,
                           std::span<const std::string> wanted) {
  NpuRules rules = simulator.rules();
  rules.exact = mode == NpuMode::exact;
  simulator.set_rules(rules);
  Capture capture;
  capture.source = simulator.program().file;
  capture.arithmetic = "neural-art";
  for (const Sample& sample : samples) {
    LOCKSTEP_TRY(const Sample inputs, simulator_inputs(simulator, model, mapping, sample));
    Sample& recorded = capture.samples.emplace_back();
    const auto keep = [&](Named n) {
      if (!wanted.empty() && std::ranges::find(wanted, n.name) == wanted.end()) return;
      if (!capture.infos.contains(n.name)) capture.order.push_back(n.name);
      capture.infos.insert_or_assign(n.name, std::move(n.info));
      recorded.insert_or_assign(n.name, std::move(n.tensor));
    };
    for (const NpuBuffer* b : simulator.inputs())
      if (const NpuPair* pair = mapping.find(b->name)) {
        const Value& v = model.value(model.find_value(pair->value));
        LOCKSTEP_TRY(Tensor t,
                     tensor_for(*b, *pair, v, inputs.at(b->name).reshaped(plain_shape(*b))));
        keep({v.name, {v.dtype, v.shape, v.quant, v.origin}, std::move(t)});
      }
    const auto observe = [&](const NpuEpoch& epoch, NpuMemory& memory) -> Result<void> {
      for (const NpuBuffer* b : simulator.program().made_by(epoch.number)) {
        if (!is_whole(*b)) continue;
        LOCKSTEP_TRY(Named n, named(simulator.program(), *b, model, mapping, memory));
        const bool copy =
            recorded.contains(n.name);  // a rearranged copy of a tensor already recorded
        if (!copy) keep(std::move(n));
        if (mode == NpuMode::chained) continue;
        const NpuPair* pair = mapping.find(b->name);
        const auto it = pair ? sample.find(pair->value) : sample.end();
        if (it == sample.end()) continue;
        LOCKSTEP_TRY(const Tensor codes,
                     codes_for(*b, *pair, model.value(model.find_value(pair->value)), it->second));
        LOCKSTEP_CHECK(write_buffer(*b, codes, memory, simulator.program().file));
      }
      return {};
    };
    LOCKSTEP_CHECK(simulator.run(inputs, observe));
    for (const std::string& note : simulator.counts().inexact)
      if (std::ranges::find(capture.notes, note) == capture.notes.end())
        capture.notes.push_back(note);
  }
  return capture;
}

}  // namespace lockstep
