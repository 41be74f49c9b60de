#include "tool/npu_explain.h"

#include <memory>

#include <fmt/core.h>

#include "diff/inputs.h"
#include "diff/pair.h"
#include "npu/side_files.h"
#include "npu/split.h"
#include "target/target.h"

namespace lockstep {
namespace {

struct Device {
  std::vector<Sample> inputs, tensors;
};

// The target's tensors under the model's names, with the network inputs among them.
Result<Device> tensors_of(const ProgramQuestion& q, const Graph& model,
                          const Arithmetic& arithmetic) {
  LOCKSTEP_TRY(const std::unique_ptr<Target> target, open_target(q.target, {model, arithmetic}));
  std::vector<std::string> notes;
  Device d;
  if (!q.input.empty()) {
    LOCKSTEP_TRY(d.inputs, read_inputs(q.input, model, notes));
  }
  LOCKSTEP_TRY(const Capture capture, target->run(d.inputs, {}));
  if (d.inputs.empty()) {
    LOCKSTEP_TRY(d.inputs, inputs_from(model, capture, notes));
  }
  LOCKSTEP_TRY(Pairing pairing, pair_tensors(model, capture));
  d.tensors = std::move(pairing.samples);
  for (std::size_t i = 0; i < d.tensors.size() && i < d.inputs.size(); ++i)
    d.tensors[i].insert(d.inputs[i].begin(), d.inputs[i].end());
  return d;
}

void print(const std::vector<NpuSplit>& rows, const std::string& program) {
  NpuSplit all;
  fmt::print("\nprogram       {}\n{:>5}  {:64} {:>9} {:>9} {:>9} {:>9} {:>11}\n", program, "epoch",
             "tensor", "codes", "differ", "explained", "1 LSB off", "unexplained");
  for (const NpuSplit& r : rows) {
    fmt::print("{:5}  {:64} {:9} {:9} {:9} {:9} {:11}\n", r.epoch, r.value, r.count, r.differing,
               r.explained, r.near, r.unexplained);
    all.count += r.count, all.differing += r.differing, all.explained += r.explained,
        all.near += r.near, all.unexplained += r.unexplained;
  }
  fmt::print(
      "{} of {} codes differ from the reference: the program itself makes {} of them from the "
      "device's own inputs, {} more lie one code beside, {} are unexplained\n",
      all.differing, all.count, all.explained, all.near, all.unexplained);
}

}  // namespace

Result<void> explain_with_program(const ProgramQuestion& q) {
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(q.program));
  LOCKSTEP_TRY(const NpuSideFiles side, read_side_files(q.program));
  complete_program(program, side);
  LOCKSTEP_TRY(const Graph model, import_for_inputs(q.model, q.input));
  const Arithmetic* arithmetic =
      find_arithmetic(model.format() == "tflite" ? "tflite-ref" : "ort-noopt");
  LOCKSTEP_TRY(const Device device, tensors_of(q, model, *arithmetic));
  LOCKSTEP_TRY(const Executor executor, Executor::make(model, *arithmetic));
  LOCKSTEP_TRY(const Capture reference, executor.run(device.inputs));
  const NpuMapping mapping = map_npu_buffers(program, model, names_from(side, program, model));
  LOCKSTEP_TRY(NpuSimulator simulator,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program))));
  LOCKSTEP_TRY(const std::vector<NpuSplit> rows,
               split_differences(simulator, model, mapping, device.tensors, reference.samples));
  if (rows.empty())
    return Error{q.target, "no tensor that the program makes",
                 "captured codes under the model's names", ""};
  print(rows, q.program);
  return {};
}

}  // namespace lockstep
