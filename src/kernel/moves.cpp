// y[i] = x[source(i)], or a constant: where each element comes from is asked of the operator's own
// `eval` once, on the numbers of the elements; a run copies.
#include <algorithm>
#include <cstring>
#include <numeric>

#include <optional>

#include "kernel/kernel.h"
#include "kernel/kernel_moved.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"DepthToSpace",  "Expand",  "Pad",      "Resize",
                                    "ResizeNearest", "Reverse", "Slice",    "SpaceToDepth",
                                    "StridedSlice",  "Tile",    "Transpose"};
constexpr std::int64_t most_elements = 1 << 22;
constexpr std::int64_t worth_sharing = 1 << 16;  // bytes

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

class Moves : public PreparedKernel {
 public:
  explicit Moves(const KernelProblem& p) : width_(size_of(p.view.input(0).dtype)) {
    const Shape &xs = p.view.input(0).shape, &ys = p.view.output(0).shape;
    Tensor numbers(DType::i32, xs);
    std::iota(numbers.as<std::int32_t>().begin(), numbers.as<std::int32_t>().end(), 0);
    const auto from = moved(p, numbers);
    if (!from.ok()) return;  // `fits` has seen to it
    const auto sources = from->as<std::int32_t>();
    if (const auto hole = std::ranges::find(sources, -1); hole != sources.end())
      if (const auto plain = moved(p, Tensor(p.view.input(0).dtype, xs)); plain.ok())
        for (std::size_t i = 0; i < sizeof fill_; i += width_)
          std::memcpy(
              fill_ + i,
              plain->bytes().data() + static_cast<std::size_t>(hole - sources.begin()) * width_,
              width_);
    shaped_.emplace(sources, xs, ys, false);
    if (xs.size() > 2 || ys.size() > 2) last_.emplace(sources, xs, ys, true);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    return shaped_->bytes() + (last_ ? last_->bytes() : 0);
  }
  void run(const KernelRun& r) const override {
    const MovedElements& all = r.channels_last ? *last_ : *shaped_;
    const std::int64_t line = all.line_elements() * static_cast<std::int64_t>(width_);
    r.workers.each(
        all.lines(),
        [&](std::int64_t first, std::int64_t end, int) {
          all.copy(r.in[0], r.out[0], width_, fill_, first, end);
        },
        (worth_sharing + line - 1) / std::max<std::int64_t>(1, line));
  }

 private:
  std::size_t width_;
  std::byte fill_[MovedElements::fill_bytes] = {};  // the constant, again and again
  std::optional<MovedElements> shaped_, last_;
};

bool fits(const KernelProblem& p) {
  for (std::size_t i = 1; i < p.view.input_count(); ++i)
    if (p.view.has_input(i) && !p.constants[i]) return false;
  const Value &x = p.view.input(0), &y = p.view.output(0);
  if (p.constants[0] || x.dtype != y.dtype || p.view.node.outputs.size() != 1) return false;
  if (count_of(x.shape) > most_elements || count_of(y.shape) > most_elements ||
      count_of(x.shape) < 1 || count_of(y.shape) < 1)
    return false;
  if (p.view.node.op == "Pad" && p.view.attrs().text("mode", "constant") != "constant")
    return false;
  if (p.view.node.op == "Resize" &&
      (p.view.attrs().text("mode", "nearest") != "nearest" ||
       p.view.attrs().text("coordinates", "half_pixel") == "tf_crop_and_resize"))
    return false;
  return x.shape.size() <= 16 && y.shape.size() <= 16 &&
         find_op(p.view.node.op)->infer(p.view).ok();  // else `eval` refuses as well
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
