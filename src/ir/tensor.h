#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "base/files.h"

namespace lockstep {

// Extents, outermost first. A scalar has none. Negative extents never reach a Graph.
using Shape = std::vector<std::int64_t>;

// Product of the extents; an error when one is negative or the product exceeds 2^40.
Result<std::int64_t> checked_count(const Shape& shape, const std::string& where);
std::int64_t count_of(const Shape& shape);  // of a shape already checked
Shape strides_of(const Shape& shape);       // in elements, C order

// A dense array in C order with its bytes. Copies copy the bytes.
class Tensor {
 public:
  // Not inline: every file that reads this header would instantiate them.
  Tensor();
  Tensor(const Tensor&);
  Tensor(Tensor&&) noexcept;
  Tensor& operator=(const Tensor&);
  Tensor& operator=(Tensor&&) noexcept;
  ~Tensor();
  Tensor(DType dtype, Shape shape);  // zero filled; the shape has been checked
  template <class T>
  static Tensor of(Shape shape, std::span<const T> elements);
  template <class T>
  static Tensor scalar(T element) {
    return of<T>({}, std::span<const T>(&element, 1));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t count() const { return count_; }
  std::span<std::byte> bytes() { return {bytes_.data(), bytes_.size()}; }
  std::span<const std::byte> bytes() const { return {bytes_.data(), bytes_.size()}; }
  template <class T>
  std::span<T> as() {
    return {reinterpret_cast<T*>(bytes_.data()), static_cast<std::size_t>(count_)};
  }
  template <class T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes_.data()), static_cast<std::size_t>(count_)};
  }

  // Element i of any type: as an integer code (floats truncate) or as a number. Slow, for reports,
  // faults and metrics.
  std::int64_t code(std::int64_t i) const;
  double number(std::int64_t i) const;
  void set_code(std::int64_t i, std::int64_t code);  // wraps to the type's width
  void set_number(std::int64_t i, double number);

  // The same bytes under another shape of the same count.
  Tensor reshaped(Shape shape) const;
  bool operator==(const Tensor&) const;

 private:
  DType dtype_ = DType::f32;
  Shape shape_{0};
  std::int64_t count_ = 0;
  std::vector<std::byte> bytes_;
};

template <class T>
Tensor Tensor::of(Shape shape, std::span<const T> elements) {
  Tensor t(dtype_of<T>(), std::move(shape));
  auto out = t.as<T>();
  for (std::size_t i = 0; i < out.size() && i < elements.size(); ++i) out[i] = elements[i];
  return t;
}

}  // namespace lockstep
