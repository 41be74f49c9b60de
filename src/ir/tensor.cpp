#include "ir/tensor.h"

#include "base/text.h"

namespace lockstep {

Result<std::int64_t> checked_count(const Shape& shape, const std::string& where) {
  constexpr std::int64_t limit = std::int64_t{1} << 40;
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0)
      return Error{where, "shape " + shape_text(shape), "extents of zero or more", ""};
    if (extent > 0 && count > limit / extent)
      return Error{where, "shape " + shape_text(shape), "at most 2^40 elements", ""};
    count *= extent;
  }
  return count;
}

std::int64_t count_of(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

Tensor::Tensor() = default;
Tensor::Tensor(const Tensor&) = default;
Tensor::Tensor(Tensor&&) noexcept = default;
Tensor& Tensor::operator=(const Tensor&) = default;
Tensor& Tensor::operator=(Tensor&&) noexcept = default;
Tensor::~Tensor() = default;
bool Tensor::operator==(const Tensor&) const = default;

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype),
      shape_(std::move(shape)),
      count_(count_of(shape_)),
      bytes_(static_cast<std::size_t>(count_) * size_of(dtype)) {}

std::int64_t Tensor::code(std::int64_t i) const {
  return with_type(dtype_, [&](auto type) {
    return static_cast<std::int64_t>(as<decltype(type)>()[static_cast<std::size_t>(i)]);
  });
}

double Tensor::number(std::int64_t i) const {
  return with_type(dtype_, [&](auto type) {
    return static_cast<double>(as<decltype(type)>()[static_cast<std::size_t>(i)]);
  });
}

void Tensor::set_code(std::int64_t i, std::int64_t code) {
  with_type(dtype_, [&](auto type) {
    as<decltype(type)>()[static_cast<std::size_t>(i)] = static_cast<decltype(type)>(code);
  });
}

void Tensor::set_number(std::int64_t i, double number) {
  with_type(dtype_, [&](auto type) {
    as<decltype(type)>()[static_cast<std::size_t>(i)] = static_cast<decltype(type)>(number);
  });
}

Tensor Tensor::reshaped(Shape shape) const {
  Tensor other = *this;
  other.shape_ = std::move(shape);
  return other;
}

}  // namespace lockstep
