#pragma once

#include <vector>

#include "kernel/kernel_activation.h"
#include "kernel/kernel_dnnl.h"

namespace lockstep {

// A node as calls of oneDNN that do not know of each other, each with a part of y of its own. They
// are dealt to a fixed number of groups, so that scratch and results know nothing of threads.
class DnnlUnits : public PreparedKernel {
 public:
  struct Unit {
    std::size_t call = 0;
    std::int64_t x = 0, w = 0, y = 0, count = 0;  // elements; of y
  };

  std::size_t scratch_bytes(int) const override;
  std::size_t resident_bytes() const override;
  void run(const KernelRun& r) const override;

 protected:
  // What is still to be done with what a unit has made of y.
  virtual void finish(const Unit& u, float* y) const = 0;

  std::vector<std::unique_ptr<DnnlCall>> calls_;
  std::vector<Unit> units_;

 private:
  static constexpr std::int64_t most_groups = 16;
  std::int64_t groups() const;
  std::size_t scratch_of_group() const;
};

// Every operand real, and an activation that draws no two reals apart.
bool reals_alone(const NodeView& v);

}  // namespace lockstep
