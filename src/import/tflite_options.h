#pragma once

#include <flatbuffers/minireflect.h>

#include "flatbuffers/tflite_generated.h"
#include "ir/attrs.h"

namespace lockstep {

// The builtin options of one operator by field name: numbers as int64 or double, enumerators as
// text, vectors as lists. A field that the file leaves out is left out here too.
Attrs tflite_options(const tfl::Operator& op);

// Name of an operator code, "" when the schema has none for it.
std::string tflite_operator_name(int code);

}  // namespace lockstep
