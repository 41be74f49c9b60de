#include "npu/followed.h"

#include <algorithm>

#include "arith/arith.h"
#include "npu/epoch.h"
#include "npu/layout.h"
#include "npu/software.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

NpuFollowed::NpuFollowed(const NpuProgram& program, const NpuMapping& map, NpuMemory memory)
    : program_(program), map_(map), memory_(std::move(memory)) {
  memory_.assume_written();
}

bool NpuFollowed::run(const NpuEpoch& e) {
  NpuCounts counts;
  if (!e.hardware()) return run_software_epoch(program_, e, memory_, counts).ok();
  const Result<NpuEpochForm> form = decode_epoch(e, program_.file);
  NpuKernelCache kernels;
  return form.ok() && run_npu_epoch(*form, memory_, {}, kernels, counts, program_.file).ok();
}

std::optional<std::vector<std::int64_t>> NpuFollowed::through(const NpuEpoch& e,
                                                              const NpuBuffer& from,
                                                              const NpuBuffer& to) {
  if (from.nbits != 8 || to.nbits != 8) return std::nullopt;  // an element's place is a byte's
  const std::vector<std::int64_t> order = value_order(from, *map_.find(from.name)),
                                  in = memory_order(from), out = memory_order(to);
  if (order.size() != in.size()) return std::nullopt;
  std::vector<std::int64_t> found(out.size(), 0);
  for (int shift = 0; shift < 32; shift += 8) {
    std::vector<std::uint8_t> bytes(in.size());
    for (std::size_t i = 0; i < in.size(); ++i)
      bytes[at(in[i])] = static_cast<std::uint8_t>(order[i] >> shift);
    if (!memory_.write(from.address(), bytes, "map").ok() || !run(e)) return std::nullopt;
    const auto moved = memory_.read(to.address(), out.size(), "map");
    if (!moved.ok()) return std::nullopt;
    for (std::size_t i = 0; i < out.size(); ++i)
      found[i] |= static_cast<std::int64_t>((*moved)[at(out[i])]) << shift;
  }
  return found;
}

const NpuBuffer* NpuFollowed::read_by(const NpuEpoch& e) {
  NpuMemory::Trace trace;
  memory_.set_trace(&trace);
  const bool ran = run(e);
  memory_.set_trace(nullptr);
  const NpuBuffer* latest = nullptr;
  for (const NpuBuffer& b : program_.buffers)
    for (const auto& [low, high] : trace.reads)
      if (ran && b.epoch < e.number && !b.is_param && map_.find(b.name) && low == b.address() &&
          high - low == static_cast<std::uint64_t>(b.bytes()) &&
          (!latest || b.epoch >= latest->epoch))
        latest = &b;
  return latest;
}

std::optional<Tensor> moved_numbers(const NodeView& v, std::size_t output) {
  if (output >= v.node.outputs.size() || v.node.outputs[output] == no_id) return {};
  Tensor numbers(DType::i32, v.input(0).shape);
  if (numbers.count() > INT32_MAX) return {};
  for (std::int64_t i = 0; i < numbers.count(); ++i) numbers.set_code(i, i);
  std::vector<const Tensor*> in{&numbers};
  for (std::size_t i = 1; i < v.input_count(); ++i)
    in.push_back(v.has_input(i) ? v.constant(i) : nullptr);
  std::vector<Tensor> out;
  for (const ValueId id : v.node.outputs)
    out.push_back(id == no_id ? Tensor() : Tensor(DType::i32, v.graph.value(id).shape));
  EvalContext context{v, *find_arithmetic("neural-art")->numerics, in, out};
  const OpDef* op = find_op(v.node.op);
  if (!op || !op->eval(context).ok() || out[output].count() == 0) return {};
  return std::move(out[output]);
}

}  // namespace lockstep
