#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "arith/arith.h"
#include "ir/graph.h"

namespace lockstep::test {

template <class T>
Tensor tensor(Shape shape, std::vector<T> elements) {
  return Tensor::of<T>(std::move(shape), std::span<const T>(elements));
}

// One operator with its inputs: built, checked and evaluated as the executor would. Inputs are fed
// as graph inputs unless `constant` is called instead.
class OpProblem {
 public:
  explicit OpProblem(std::string op, std::string_view arithmetic = "float");

  template <class T>
  OpProblem& input(Shape shape, std::vector<T> elements, QuantParams quant = {}) {
    return add(Tensor::of<T>(std::move(shape), std::span<const T>(elements)), std::move(quant),
               false);
  }
  template <class T>
  OpProblem& constant(Shape shape, std::vector<T> elements, QuantParams quant = {}) {
    return add(Tensor::of<T>(std::move(shape), std::span<const T>(elements)), std::move(quant),
               true);
  }
  OpProblem& absent();  // an optional input that is not there
  OpProblem& add(Tensor tensor, QuantParams quant, bool is_constant);
  OpProblem& attr(std::string name, AttrValue value);
  OpProblem& output(QuantParams quant);  // one more output (one without quantization by default)

  // The outputs, or the error where the node is refused.
  Result<std::vector<Tensor>> try_run() const;
  std::vector<Tensor> run() const;  // fails the test on an error

 private:
  std::string op_, arithmetic_;
  Attrs attrs_;
  std::vector<Tensor> tensors_;
  std::vector<QuantParams> quants_;
  std::vector<char> kinds_;  // 'i' input, 'c' constant, '-' absent
  std::vector<QuantParams> outputs_;
};

}  // namespace lockstep::test
