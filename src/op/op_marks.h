#pragma once

#include "op/op.h"

namespace lockstep {

// What passes write on operators on int8 codes where onnxruntime holds the codes as uint8, which
// rounds otherwise.
inline constexpr AttrSpec codes_mark{
    "codes", "", "\"unsigned\": the runtime holds int8 codes of the inputs as uint8, code + 128"};
inline constexpr AttrSpec makes_mark{"makes", "",
                                     "\"unsigned\": it holds the int8 codes of y as uint8"};

}  // namespace lockstep
