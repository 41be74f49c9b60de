#pragma once

#include "num/real_functions.h"
#include "op/op_elementwise.h"

namespace lockstep {

// Computes y = f(x) of floats where the arithmetic has steps of its own for it; false: nothing was
// done.
inline bool by_own_steps(EvalContext& c, RealFunctions::Map RealFunctions::*which, double alpha = 0,
                         double beta = 0) {
  const RealFunctions* const functions = c.num.real.functions;
  if (!functions || !(functions->*which) || c.in[0]->dtype() != DType::f32) return false;
  (functions->*which)(c.in[0]->as<float>(), c.out[0].as<float>(), static_cast<float>(alpha),
                      static_cast<float>(beta));
  return true;
}

}  // namespace lockstep
