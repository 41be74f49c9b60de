#include "num/fixed.h"
#include "num/lstm.h"
#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"

namespace lockstep {
namespace {

std::int16_t accumulate(std::int32_t acc, const Rescale& r, std::int16_t before) {
  return static_cast<std::int16_t>(
      saturate16(wrap32(std::int64_t{rescale_twice(acc, r)} + before)));
}

std::int16_t sigmoid(std::int16_t x) {
  return logistic_16(x, 3);
}

std::int16_t product(std::int16_t a, std::int16_t b, int down) {
  return static_cast<std::int16_t>(divide_by_power(std::int32_t{a} * b, down));
}

std::int16_t sum(std::int16_t a, std::int16_t b) {
  return static_cast<std::int16_t>(saturate16(std::int32_t{a} + b));
}

std::int16_t complement(std::int16_t a) {
  return static_cast<std::int16_t>(32767 - a);
}

std::int8_t project(std::int32_t acc, const Rescale& r, std::int32_t zero) {
  return static_cast<std::int8_t>(
      clamp_code(std::int64_t{rescale_twice(acc, r)} + zero, -128, 127));
}

std::int8_t hidden(std::int16_t a, std::int16_t b, const Rescale& r, std::int32_t zero) {
  return project(std::int32_t{a} * b, r, zero);
}

}  // namespace

constinit const LstmPolicy tflite_lstm{
    .name = "tflite-lstm",
    .multiplier = fixed_multiplier,
    .accumulate = accumulate,
    .sigmoid = sigmoid,
    .tanh = tanh_16,
    .product = product,
    .sum = sum,
    .complement = complement,
    .hidden = hidden,
    .project = project,
    .accumulate_row = tflite_accumulate_row,
    .sigmoid_row = tflite_sigmoid_row,
    .tanh_row = tflite_tanh_row,
};

}  // namespace lockstep
