#pragma once

#include "support/kernel_case.h"

namespace lockstep::test {

// TFLite's LSTM in all its forms, on codes or on reals, states given; three outputs.
std::optional<KernelCase> sequence_lstm_case(CaseMaker& m);

}  // namespace lockstep::test
