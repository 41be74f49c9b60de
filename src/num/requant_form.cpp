#include "num/requant_form.h"

#include "num/ort_codes.h"
#include "num/tflite_policies.h"
#include "num/xnnpack.h"

namespace lockstep {

RequantForm requant_form(const RequantPolicy& policy) {
  if (policy.apply == ort_requant.apply || policy.apply == xnnpack_requant.apply)
    return RequantForm::float_nearest;
  if (policy.apply == tflite_conv.apply) return RequantForm::fixed_twice;
  return RequantForm::policy;
}

}  // namespace lockstep
