#include "op/op_codes.h"

namespace lockstep {

std::vector<std::int32_t> centred_codes(const Tensor& t, std::int32_t zero) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(t.count()));
  with_type(t.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto in = t.as<T>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<std::int32_t>(static_cast<std::int64_t>(in[i]) - zero);
  });
  return out;
}

void store_code(Tensor& t, std::int64_t i, std::int32_t code) {
  const auto at = static_cast<std::size_t>(i);
  switch (t.dtype()) {
    case DType::i8:
      t.as<std::int8_t>()[at] = static_cast<std::int8_t>(code);
      break;
    case DType::u8:
      t.as<std::uint8_t>()[at] = static_cast<std::uint8_t>(code);
      break;
    case DType::i16:
      t.as<std::int16_t>()[at] = static_cast<std::int16_t>(code);
      break;
    case DType::i32:
      t.as<std::int32_t>()[at] = code;
      break;
    default:
      t.set_code(i, code);
      break;
  }
}

CodeClamp clamp_of(const NodeView& n, std::size_t output) {
  const Value& y = n.output(output);
  const CodeRange range = code_range(y.dtype);
  return activation_clamp(activation_of(n), y.quant.scale_at(0), y.quant.zero_at(0),
                          static_cast<std::int32_t>(range.low),
                          static_cast<std::int32_t>(range.high));
}

Error no_policy(const NodeView& n, std::string_view kind) {
  return Error{n.where(), "no rule for " + std::string(kind) + " on codes in this arithmetic",
               "another arithmetic", "--arith names one"};
}

Error foreign_error(const ForeignNode& f, std::string what, std::string want, std::string hint) {
  return Error{f.where, std::move(what), std::move(want), std::move(hint)};
}

Result<void> read_activation(const ForeignNode& f, Attrs& attrs) {
  const std::string fused = f.attrs.text("fused_activation_function", "NONE");
  if (fused == "NONE") return {};
  // Only operators that call their activation have one that is no clamp; the others run as if it
  // were not there.
  const bool calls = f.op == "SVDF" || f.op.ends_with("LSTM") || f.op.ends_with("RNN");
  if (!calls && (fused == "TANH" || fused == "SIGN_BIT")) return {};
  if (fused == "SIGN_BIT" || fused.empty())
    return foreign_error(f, "fused activation '" + fused + "'",
                         "NONE, RELU, RELU6, RELU_N1_TO_1 or TANH");
  attrs.set("activation", fused == "RELU"    ? "relu"
                          : fused == "RELU6" ? "relu6"
                          : fused == "TANH"  ? "tanh"
                                             : "relu_n1_to_1");
  return {};
}

Node node_from(const ForeignNode& f, std::string op) {
  Node node;
  node.name = f.name;
  node.op = std::move(op);
  node.inputs = f.inputs;
  node.outputs = f.outputs;
  node.origin = {"", f.name, f.op, ""};
  return node;
}

}  // namespace lockstep
