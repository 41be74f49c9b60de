#pragma once

#include <string>

#include "num/activation.h"
#include "num/fixed.h"
#include "op/op.h"

namespace lockstep {

// What operators on codes share.

// The type of an output of codes: as declared by the file, else that of the first input.
inline DType code_type(const NodeView& n, std::size_t output = 0) {
  const Value& y = n.output(output);
  return y.quant.quantized() && is_integer(y.dtype) ? y.dtype : n.input(0).dtype;
}

inline bool is_code(const Value& v) {
  return v.quant.quantized() && is_integer(v.dtype);
}

// Codes of any integer tensor as int32, minus `zero`. Codes of more than 32 bits are cut.
std::vector<std::int32_t> centred_codes(const Tensor& t, std::int32_t zero);
void store_code(Tensor& t, std::int64_t i, std::int32_t code);

inline Activation activation_of(const NodeView& n) {
  return activation_named(n.attrs().text("activation", "none"));
}

// The codes that the output's type and the fused activation leave.
CodeClamp clamp_of(const NodeView& n, std::size_t output = 0);

Error no_policy(const NodeView& n, std::string_view kind);

// TFLite's names for what is fused: attribute `activation` from fused_activation_function. Errors:
// SIGN_BIT, which no kernel computes.
Result<void> read_activation(const ForeignNode& f, Attrs& attrs);
// "m.tflite: CONV_2D 'CONV_2D_3'" with attribute and wish.
Error foreign_error(const ForeignNode& f, std::string what, std::string want,
                    std::string hint = "");
// The node itself under another operator's name: name, inputs, outputs and origin of the foreign
// one.
Node node_from(const ForeignNode& f, std::string op);

}  // namespace lockstep
