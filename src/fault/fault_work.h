#pragma once

#include "fault/fault.h"

namespace lockstep {

// What work costs. The unit is a multiply-accumulate done term by term; a kernel does some seven in
// its time. Counted where it is done, never timed: what is proposed and found depends neither on
// the machine nor on what else it does.
constexpr double work_of_element = 4, products_by_kernel = 0.15;

// One evaluation of a node whose products cost `each_product`.
double node_work(const NodeView& n, double each_product);

// What a fault may do while it proposes parameters, on this thread: replays and reading of the
// evidence are charged to the innermost allowance.
class Allowance {
 public:
  explicit Allowance(double most);
  ~Allowance();
  Allowance(const Allowance&) = delete;
  Allowance& operator=(const Allowance&) = delete;
  double spent() const { return spent_; }
  bool exceeded() const { return exceeded_; }  // something was asked for and left undone

 private:
  friend bool spend(double work);
  double most_, spent_ = 0;
  bool exceeded_ = false;
  Allowance* outer_;
};

// Whether the allowance still holds so much; it is charged then. False: the caller leaves that work
// undone, and proposes from what it has. Always true where there is no allowance.
[[nodiscard]] bool spend(double work);

}  // namespace lockstep
