#include "fault/fault_work.h"

#include "op/op.h"

namespace lockstep {
namespace {

thread_local Allowance* innermost = nullptr;

}  // namespace

double node_work(const NodeView& n, double each_product) {
  constexpr double of_each_node = 4000;
  const OpDef* op = find_op(n.node.op);
  double sum = of_each_node;
  if (op && op->cost) sum += each_product * static_cast<double>(op->cost(n).macs);
  for (const ValueId v : n.node.outputs)
    if (v != no_id) sum += work_of_element * static_cast<double>(count_of(n.graph.value(v).shape));
  return sum;
}

Allowance::Allowance(double most) : most_(most), outer_(innermost) {
  innermost = this;
}

Allowance::~Allowance() {
  innermost = outer_;
}

bool spend(double work) {
  Allowance* const own = innermost;
  if (!own) return true;
  if (own->spent_ + work > own->most_) {
    own->exceeded_ = true;
    return false;
  }
  own->spent_ += work;
  return true;
}

}  // namespace lockstep
