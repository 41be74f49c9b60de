// Every hardware epoch is run once, on whatever the memory holds: one whose streams and units do
// not fit each other cannot
#include <algorithm>

#include "npu/audit.h"

namespace lockstep {

void audit_run(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  NpuMemory memory = sim.memory();
  memory.assume_written();
  NpuKernelCache kernels;
  NpuCounts counts;
  for (const NpuEpochForm& form : sim.epochs()) {
    const int epoch = form.epoch->number;
    if (!form.epoch->hardware() || std::ranges::any_of(found, [&](const NpuFinding& f) {
          return f.rule == "cannot-run" && f.epoch == epoch;
        }))
      continue;
    const auto ran = run_npu_epoch(form, memory, sim.rules(), kernels, counts, sim.program().file);
    // What the simulator does not know is no mistake of the program.
    if (ran.ok() || ran.error().line().find("not known") != std::string::npos) continue;
    found.push_back({"cannot-run", NpuSeverity::error, epoch,
                     form.epoch->nodes.empty() ? "" : form.epoch->nodes[0].first,
                     ran.error().what + "; want " + ran.error().want,
                     "streams and units of this epoch do not fit each other",
                     "an address, a size or a count of this epoch is wrong: recompile", 255});
  }
}

}  // namespace lockstep
