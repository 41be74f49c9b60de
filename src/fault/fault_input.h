#pragma once

#include <optional>
#include <vector>

#include "fault/fault.h"

namespace lockstep {

// How a network input becomes codes: by the model itself (a float input that a QuantizeLinear
// reads, perhaps behind reshapes), or by whoever fills it (the input holds codes).
struct InputCoding {
  double scale = 1;
  std::int32_t zero = 0;
  DType dtype = DType::i8;
  bool is_float = false;  // the network input itself is real
  const QuantizePolicy* policy = nullptr;

  std::int64_t low() const { return code_range(dtype).low; }
  std::int64_t high() const { return code_range(dtype).high; }
  std::int64_t quantize(double real) const;
  double real(std::int64_t code) const {
    return static_cast<float>(static_cast<float>(code - zero) * static_cast<float>(scale));
  }
  std::int64_t saturate(double code) const;    // nearest, ties to even
  std::int64_t wrap(std::int64_t code) const;  // to the type's width

  // The code that the network computes with for element i of the input, and the other way round:
  // sets element i so that the network computes with `code`.
  std::int64_t code_of(const Tensor& input, std::int64_t i) const;
  void set_code(Tensor& input, std::int64_t i, std::int64_t code) const;
};
// Of a network input; nothing when it never becomes codes.
std::optional<InputCoding> input_coding(const Site& site);

// Where an input's axes lie. `channels_last` by the tensor's layout where known, else by its file's
// habit.
bool channels_last(const Site& site);
const Value& site_value(const Site& site);  // the network input, or the node's first output

// For a tensor of `shape` whose last axes are permuted: source[i] is the flat index, in the bytes
// as sent, of what the device takes for element i. `order` lists which axis of `shape` comes 1st,
// 2nd, ... in the strides that the device uses. Empty when nothing would move.
std::vector<std::int64_t> read_with_order(const Shape& shape,
                                          const std::vector<std::size_t>& order);
std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& source);
// x[i] = old x[source[i]]
void gather(Tensor& x, const std::vector<std::int64_t>& source);

}  // namespace lockstep
