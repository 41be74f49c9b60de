#include "num/fixed.h"
#include "num/lstm.h"
#include "num/tflite_fixed.h"
#include "num/tflite_wide.h"

namespace lockstep {
namespace {

// N97: the steps of CMSIS-NN's LSTM; every product is rescaled by N53, or rounded once by N93.
using Requant = std::int32_t (*)(std::int32_t, const Rescale&);

std::int32_t twice(std::int32_t acc, const Rescale& r) {
  return rescale_twice(acc, r);
}

template <Requant requant>
std::int16_t accumulate(std::int32_t acc, const Rescale& r, std::int16_t before) {
  return static_cast<std::int16_t>(saturate16(wrap32(std::int64_t{requant(acc, r)} + before)));
}

template <Requant requant>
std::int16_t product(std::int16_t a, std::int16_t b, int down) {
  return static_cast<std::int16_t>(
      saturate16(requant(std::int32_t{a} * b, fixed_multiplier(std::ldexp(1.0, -down)))));
}

std::int16_t sigmoid(std::int16_t x) {
  return wide_sigmoid(x, {3, 0});
}

// Below 3 integer bits the code is shifted down, above up.
std::int16_t tanh(std::int16_t x, int integer_bits) {
  const int left = integer_bits - 3;
  return wide_tanh(x, left < 0 ? WideInput{3, -left} : WideInput{3 << left, 0});
}

std::int16_t sum(std::int16_t a, std::int16_t b) {
  return static_cast<std::int16_t>(saturate16(std::int32_t{a} + b));
}

template <Requant requant>
std::int8_t hidden(std::int16_t a, std::int16_t b, const Rescale& r, std::int32_t zero) {
  return static_cast<std::int8_t>(
      clamp_code(std::int64_t{requant(std::int32_t{a} * b, r)} + zero, -128, 127));
}

template <Requant requant>
constexpr LstmPolicy policy_of(std::string_view name) {
  return {.name = name,
          .multiplier = fixed_multiplier,
          .accumulate = accumulate<requant>,
          .sigmoid = sigmoid,
          .tanh = tanh,
          .product = product<requant>,
          .sum = sum,
          .complement = nullptr,
          .hidden = hidden<requant>,
          .project = nullptr,
          .hidden_is_state = true};
}

}  // namespace

constinit const LstmPolicy cmsis_nn_lstm = policy_of<twice>("cmsis-nn-lstm");
constinit const LstmPolicy cmsis_nn_lstm_once = policy_of<rescale_once>("cmsis-nn-lstm-once");

}  // namespace lockstep
