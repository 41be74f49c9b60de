#include "npu/simulate.h"

#include <algorithm>

#include <fmt/core.h>

#include "npu/software.h"

namespace lockstep {

Result<NpuSimulator> NpuSimulator::make(std::shared_ptr<const NpuProgram> program, NpuRules rules) {
  NpuSimulator sim;
  sim.program_ = std::move(program);
  sim.rules_ = rules;
  for (const NpuEpoch& epoch : sim.program_->epochs) {
    LOCKSTEP_TRY(NpuEpochForm form, decode_epoch(epoch, sim.program_->file));
    sim.forms_.push_back(std::move(form));
  }
  LOCKSTEP_TRY(sim.memory_, NpuMemory::make(*sim.program_));
  return sim;
}

std::vector<const NpuBuffer*> NpuSimulator::inputs() const {
  std::vector<const NpuBuffer*> in;
  const int first = program_->epochs.empty() ? 0 : program_->epochs[0].number;
  for (const NpuBuffer& b : program_->buffers)
    if (b.epoch == 0 && first > 0 && !b.is_param) in.push_back(&b);
  return in;
}

std::vector<const NpuBuffer*> NpuSimulator::outputs() const {
  if (program_->epochs.empty()) return {};
  return program_->made_by(program_->epochs.back().number);
}

Result<void> NpuSimulator::run(const Sample& codes, const NpuObserver& after_epoch) {
  memory_.clear();
  counts_ = {};
  for (const NpuBuffer* b : inputs()) {
    const auto it = codes.find(b->name);
    if (it == codes.end())
      return Error{program_->file,
                   "no input for " + b->name,
                   "a tensor of " + fmt::format("{} elements", b->count()),
                   {}};
    LOCKSTEP_CHECK(write_buffer(*b, it->second, memory_, program_->file));
  }
  for (const NpuEpochForm& form : forms_) {
    if (form.epoch->hardware())
      LOCKSTEP_CHECK(run_npu_epoch(form, memory_, rules_, kernels_, counts_, program_->file));
    else
      LOCKSTEP_CHECK(run_software_epoch(*program_, *form.epoch, memory_, counts_));
    if (after_epoch) LOCKSTEP_CHECK(after_epoch(*form.epoch, memory_));
  }
  return {};
}

Result<Tensor> input_codes(const NpuBuffer& b, const Tensor& x, const std::string& where) {
  if (x.count() != b.count())
    return Error{where,
                 fmt::format("{} elements for {}", x.count(), b.name),
                 fmt::format("{}", b.count()),
                 {}};
  if (x.dtype() == dtype_of(b)) return x;
  if (x.dtype() != DType::f32 || b.scale.size() != 1)
    return Error{where,
                 std::string(name_of(x.dtype())) + " for " + b.name,
                 std::string(name_of(dtype_of(b))) + " or float32",
                 {}};
  Tensor codes(dtype_of(b), x.shape());
  const CodeRange range = code_range(codes.dtype());
  const auto scale = static_cast<float>(b.scale[0]);
  const std::int64_t zero = b.zero.empty() ? 0 : b.zero[0];
  const auto reals = x.as<float>();
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const double v = std::clamp(static_cast<double>(reals[i] / scale), -1e9, 1e9);
    codes.set_code(static_cast<std::int64_t>(i),
                   std::clamp(npu_nearest(v) + zero, range.low, range.high));
  }
  return codes;
}

}  // namespace lockstep
