// y[i] = x[source(i)], or a constant: where each element comes from is asked of the operator's own
// `eval` once, on the numbers of the elements; a run copies.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernel/kernel.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Pad", "Slice", "StridedSlice", "Transpose"};
constexpr std::int64_t most_elements = 1 << 20;

// The node over an input of its own type or of element numbers.
Result<Tensor> moved(const KernelProblem& p, const Tensor& x) {
  GraphBuilder b("moves", "onnx");
  Node node = p.view.node;
  const bool numbers = x.dtype() != p.view.input(0).dtype;
  const Tensor outside = Tensor::scalar(std::int32_t{-1});
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    in.push_back(i == 0 ? &x : p.constants[i]);
    if (node.inputs[i] == no_id) continue;
    Value v = p.view.input(i);
    v.producer = no_id;
    v.name = std::to_string(i);
    if (numbers && (i == 0 || (i == 2 && node.op == "Pad"))) v.dtype = DType::i32, v.quant = {};
    if (numbers && i == 2 && node.op == "Pad") in.back() = &outside;
    if (i > 0) v.constant = std::shared_ptr<const Tensor>(std::shared_ptr<void>(), in.back());
    node.inputs[i] = b.add_value(std::move(v));
  }
  if (numbers && node.op == "Pad") {
    node.attrs.set("value", -1.0);
    node.attrs.values.erase("fill");
  }
  Value y = p.view.output(0);
  y.producer = no_id;
  y.name = std::string("y");
  y.dtype = x.dtype();
  if (numbers) y.quant = {};
  node.outputs = {b.add_value(std::move(y))};
  std::vector<Tensor> out{Tensor(x.dtype(), p.view.output(0).shape)};
  EvalContext context{{b.so_far(), node}, p.num, in, out};
  LOCKSTEP_CHECK(find_op(node.op)->eval(context));
  return std::move(out[0]);
}

// Element i of a tensor in the order of its shape stands there when channels lie last.
std::int64_t place_last(const Shape& s, std::int64_t i) {
  if (s.size() < 3) return i;
  const std::int64_t channels = s[1], positions = count_of(s) / s[0] / channels;
  const std::int64_t n = i / (channels * positions), c = i / positions % channels,
                     p = i % positions;
  return (n * positions + p) * channels + c;
}

struct Run {
  std::int64_t to, from, count;  // from -1: the constant
};

std::vector<Run> runs_of(const std::vector<std::int64_t>& source) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::int64_t from = source[i];
    if (!runs.empty() &&
        ((from < 0 && runs.back().from < 0) ||
         (from >= 0 && runs.back().from >= 0 && runs.back().from + runs.back().count == from)))
      ++runs.back().count;
    else
      runs.push_back({static_cast<std::int64_t>(i), from, 1});
  }
  return runs;
}

class Moves : public PreparedKernel {
 public:
  explicit Moves(const KernelProblem& p) : width_(size_of(p.view.input(0).dtype)) {
    const Shape &xs = p.view.input(0).shape, &ys = p.view.output(0).shape;
    Tensor numbers(DType::i32, xs);
    std::iota(numbers.as<std::int32_t>().begin(), numbers.as<std::int32_t>().end(), 0);
    const auto from = moved(p, numbers);
    const auto plain = moved(p, Tensor(p.view.input(0).dtype, xs));
    if (!from.ok() || !plain.ok()) return;  // `fits` has seen to it
    const auto sources = from->as<std::int32_t>();
    std::vector<std::int64_t> shaped(sources.begin(), sources.end());
    for (std::size_t i = 0; i < shaped.size(); ++i)
      if (shaped[i] < 0) std::memcpy(fill_, plain->bytes().data() + i * width_, width_);
    shaped_ = runs_of(shaped);
    if (xs.size() < 3 && ys.size() < 3) return;
    std::vector<std::int64_t> last(shaped.size());
    for (std::size_t i = 0; i < shaped.size(); ++i)
      last[static_cast<std::size_t>(place_last(ys, static_cast<std::int64_t>(i)))] =
          shaped[i] < 0 ? -1 : place_last(xs, shaped[i]);
    last_ = runs_of(last);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    return (shaped_.size() + last_.size()) * sizeof(Run);
  }

  void run(const KernelRun& r) const override {
    const std::vector<Run>& runs = r.channels_last ? last_ : shaped_;
    if (width_ == 1)
      copy<std::uint8_t>(runs, r);
    else if (width_ == 2)
      copy<std::uint16_t>(runs, r);
    else if (width_ == 4)
      copy<std::uint32_t>(runs, r);
    else
      copy<std::uint64_t>(runs, r);
  }

 private:
  template <class T>
  void copy(const std::vector<Run>& runs, const KernelRun& r) const {
    const auto* const x = reinterpret_cast<const T*>(r.in[0]);
    auto* const y = reinterpret_cast<T*>(r.out[0]);
    T fill;
    std::memcpy(&fill, fill_, sizeof fill);
    for (const Run& run : runs) {
      if (run.from < 0)
        std::fill_n(y + run.to, run.count, fill);
      else if (run.count < 8)
        std::copy_n(x + run.from, run.count, y + run.to);
      else
        std::memcpy(y + run.to, x + run.from, static_cast<std::size_t>(run.count) * sizeof(T));
    }
  }

  std::size_t width_;
  std::byte fill_[8] = {};
  std::vector<Run> shaped_, last_;
};

bool fits(const KernelProblem& p) {
  for (std::size_t i = 1; i < p.view.input_count(); ++i)
    if (p.view.has_input(i) && !p.constants[i]) return false;
  const Value &x = p.view.input(0), &y = p.view.output(0);
  if (p.constants[0] || x.dtype != y.dtype || p.view.node.outputs.size() != 1) return false;
  if (count_of(x.shape) > most_elements || count_of(y.shape) > most_elements ||
      count_of(x.shape) < 1)
    return false;
  if (p.view.node.op == "Pad" && p.view.attrs().text("mode", "constant") != "constant")
    return false;
  return moved(p, Tensor(x.dtype, x.shape)).ok();
}

}  // namespace

extern constinit const Kernel kernel_moves = {
    .name = "moves",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "elements that only change places, run by run",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<Moves>(p);
    },
};

}  // namespace lockstep
