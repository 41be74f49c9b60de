#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "npu/epoch.h"
#include "npu/layout.h"
#include "npu/program.h"
#include "run/capture.h"

namespace lockstep {

// Called after each epoch with the memory as the epoch left it; may look and may overwrite.
using NpuObserver = std::function<Result<void>(const NpuEpoch& epoch, NpuMemory& memory)>;

// A compiled network, executed functionally: what its registers say, in the rules given.
class NpuSimulator {
 public:
  // Decodes every epoch; an error names the first field, unit or operation that is not known.
  static Result<NpuSimulator> make(std::shared_ptr<const NpuProgram> program, NpuRules rules = {});

  const NpuProgram& program() const { return *program_; }
  const NpuRules& rules() const { return rules_; }
  void set_rules(const NpuRules& rules) { rules_ = rules; }
  std::span<const NpuEpochForm> epochs() const { return forms_; }

  // Buffers that the caller fills, in the order of the file.
  std::vector<const NpuBuffer*> inputs() const;
  std::vector<const NpuBuffer*> outputs() const;  // made and read by no later epoch

  // One inference. `codes` by buffer name: codes or floats in the buffer's own type.
  Result<void> run(const Sample& codes, const NpuObserver& after_epoch = {});

  const NpuMemory& memory() const { return memory_; }
  const NpuCounts& counts() const { return counts_; }  // of the last run

 private:
  std::shared_ptr<const NpuProgram> program_;
  NpuRules rules_;
  std::vector<NpuEpochForm> forms_;
  NpuMemory memory_;
  NpuKernelCache kernels_;
  NpuCounts counts_;
};

// x as the codes that an input buffer takes: floats are quantized with its scale and zero point.
Result<Tensor> input_codes(const NpuBuffer& buffer, const Tensor& x, const std::string& where);

}  // namespace lockstep
