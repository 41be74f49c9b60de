#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernel/kernel.h"
#include "op/op.h"

namespace lockstep::test {

// One node of its own graph, and contents for every input.
struct KernelCase {
  Graph graph;
  std::vector<Tensor> tensors;
  std::string text;
};

class CaseMaker {
 public:
  explicit CaseMaker(std::uint64_t seed) : random_(seed) {}

  std::int64_t from(std::int64_t low, std::int64_t high) { return random_.between(low, high); }
  DType byte_type() { return coin() ? DType::i8 : DType::u8; }
  bool coin() { return from(0, 1) == 1; }
  double scale() { return static_cast<double>(static_cast<float>(0.002 + 0.05 * random_.unit())); }
  QuantParams quant(DType t, std::int64_t channels = 1, int axis = -1, bool zero_point = true);
  // All kinds of contents: extremes alone, one code throughout, or anything.
  Tensor codes(DType t, Shape shape);
  Tensor bias(std::int64_t n);
  Tensor wide_bias(std::int64_t n);  // 64 bits, that 32 hold
  Tensor reals(Shape shape);

 private:
  Random random_;
};

class CaseBuilder {
 public:
  explicit CaseBuilder(std::string op);
  void input(Tensor t, QuantParams q, bool constant);
  void absent() { node_.inputs.push_back(no_id), tensors_.emplace_back(); }
  Node& node() { return node_; }
  // The node with its output; nothing where the operator refuses it or the output is empty.
  std::optional<KernelCase> finish(DType y, QuantParams q);
  std::optional<KernelCase> finish_reals(std::size_t outputs);
  // As many outputs as the operator has, in its own types; y of quantization `q`.
  std::optional<KernelCase> finish_all(QuantParams q);

 private:
  GraphBuilder graph_;
  std::optional<KernelCase> close();

  Node node_;
  std::vector<Tensor> tensors_;
};

// The problem of this number for one of the kernel's operators; nothing where the numbers drawn
// make no valid node.
std::optional<KernelCase> kernel_case(const Kernel& kernel, std::uint64_t seed);

// By operator; each draws from `m` alone.
enum class ConvolutionOf : std::uint8_t { bytes, words, reals };  // words: 16-bit activations
std::optional<KernelCase> convolution_case(CaseMaker& m, ConvolutionOf of);
std::optional<KernelCase> transposed_case(CaseMaker& m, ConvolutionOf of);
// stored: the weights are constants.
std::optional<KernelCase> recurrent_case(CaseMaker& m, const std::string& op, bool stored = true);
std::optional<KernelCase> lstm_codes_case(CaseMaker& m);
std::optional<KernelCase> svdf_codes_case(CaseMaker& m);
std::optional<KernelCase> resize_case(CaseMaker& m, bool nearest);
std::optional<KernelCase> plane_case(CaseMaker& m);
std::optional<KernelCase> window_mean_case(CaseMaker& m);
std::optional<KernelCase> product_case(CaseMaker& m, bool words);
std::optional<KernelCase> softmax_case(CaseMaker& m);
std::optional<KernelCase> code_rows_case(CaseMaker& m, const std::string& op);
std::optional<KernelCase> codes_rows_case(CaseMaker& m, const std::string& op);
std::optional<KernelCase> code_product_case(CaseMaker& m);
std::optional<KernelCase> word_product_case(CaseMaker& m);
std::optional<KernelCase> many_case(CaseMaker& m, const std::string& op);
std::optional<KernelCase> layer_case(CaseMaker& m);
std::optional<KernelCase> where_case(CaseMaker& m);
std::optional<KernelCase> greatest_case(CaseMaker& m);  // of codes
std::optional<KernelCase> choice_case(CaseMaker& m, const std::string& op);
std::optional<KernelCase> arg_case(CaseMaker& m, const std::string& op, bool reals);
std::optional<KernelCase> bilinear_case(CaseMaker& m);
std::optional<KernelCase> real_product_case(CaseMaker& m, const std::string& op);
std::optional<KernelCase> dequantize_case(CaseMaker& m);
std::optional<KernelCase> quantize_wide_case(CaseMaker& m);
std::optional<KernelCase> rows_case(CaseMaker& m, const std::string& op);

}  // namespace lockstep::test
