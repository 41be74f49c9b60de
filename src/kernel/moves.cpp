// y[i] = x[source(i)], or a constant: where each element comes from is asked of the operator's own
// `eval` once, on the numbers of the elements (paddings and transpositions say it axis by axis); a
// run copies.
#include <algorithm>
#include <cstring>
#include <numeric>

#include <optional>

#include "kernel/kernel.h"
#include "kernel/kernel_moved.h"
#include "op/op_move.h"
#include "op/op_pad.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"BatchToSpace", "DepthToSpace", "Expand",        "Gather",
                                    "Pad",          "Resize",       "ResizeNearest", "Reverse",
                                    "Slice",        "SpaceToBatch", "SpaceToDepth",  "StridedSlice",
                                    "Tile",         "Transpose"};
constexpr std::int64_t most_elements = 1 << 22;
constexpr std::int64_t worth_sharing = 1 << 16;  // bytes

// The node over an input of its own type or of element numbers.
Result<Tensor> moved(const KernelProblem& p, const Tensor& x) {
  GraphBuilder b("moves", "onnx");
  Node node = p.view.node;
  const bool numbers = x.dtype() != p.view.input(0).dtype;
  const Tensor outside = Tensor::scalar(std::int32_t{-1});
  QuantParams nowhere;  // of a zero point that is the number of no element
  nowhere.scale = {1.0f};
  nowhere.zero = {-1};
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    in.push_back(i == 0 ? &x : p.constants[i]);
    if (node.inputs[i] == no_id) continue;
    Value v = p.view.input(i);
    v.producer = no_id;
    v.name = std::to_string(i);
    if (numbers && (i == 0 || (i == 2 && node.op == "Pad"))) v.dtype = DType::i32, v.quant = {};
    if (numbers && i == 0 && node.op == "SpaceToBatch") v.quant = nowhere;
    if (numbers && i == 2 && node.op == "Pad") in.back() = &outside;
    if (i > 0) v.constant = std::shared_ptr<const Tensor>(std::shared_ptr<void>(), in.back());
    node.inputs[i] = b.add_value(std::move(v));
  }
  // What stands outside is the number of no element, whatever the attribute says of codes.
  if (numbers && (node.op == "Pad" || node.op == "SpaceToBatch")) node.attrs.values.erase("fill");
  if (numbers && node.op == "Pad") node.attrs.set("value", -1.0);
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

// Where each axis of the result comes from; nothing for operators that only `eval` knows.
std::optional<std::vector<MovedElements::AxisSource>> axes_of(const NodeView& n) {
  const Shape &x = n.input(0).shape, &y = n.output(0).shape;
  std::vector<MovedElements::AxisSource> axes(y.size());
  if (x.size() != y.size()) return {};
  if (n.node.op == "Transpose") {
    const auto rank = static_cast<std::int64_t>(x.size());
    const auto asked = integers_at(n, 1, "perm").value_or(index_run(rank - 1, rank, -1));
    const auto perm = normal_axes(n, asked, x.size());
    if (!perm.ok() || perm->size() != x.size()) return {};
    for (std::size_t a = 0; a < y.size(); ++a) axes[a] = {(*perm)[a], index_run(0, y[a])};
    return axes;
  }
  if (n.node.op != "Pad" || n.attrs().text("mode", "constant") != "constant") return {};
  const auto ends = pad_ends(n);
  if (!ends.ok()) return {};
  for (std::size_t a = 0; a < y.size(); ++a) {
    axes[a] = {a, index_run(-(*ends)[a].begin, y[a])};
    for (std::int64_t& i : axes[a].source)
      if (i < 0 || i >= x[a]) i = no_source;
  }
  return axes;
}

class Moves : public PreparedKernel {
 public:
  explicit Moves(const KernelProblem& p) : width_(size_of(p.view.input(0).dtype)) {
    const auto axes = axes_of(p.view);
    if (!axes) {
      ask(p);
      return;
    }
    const Shape& x = p.view.input(0).shape;
    if (p.view.node.op == "Pad")
      fill_with(pad_element(p.view, p.view.has_input(2) ? p.constants[2] : nullptr).bytes().data());
    shaped_.emplace(*axes, x, false);
    if (x.size() > 2) last_.emplace(*axes, x, true);
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
  void ask(const KernelProblem& p) {
    const Shape &xs = p.view.input(0).shape, &ys = p.view.output(0).shape;
    Tensor numbers(DType::i32, xs);
    std::iota(numbers.as<std::int32_t>().begin(), numbers.as<std::int32_t>().end(), 0);
    const auto from = moved(p, numbers);
    if (!from.ok()) return;  // `fits` has seen to it
    const auto sources = from->as<std::int32_t>();
    if (const auto hole = std::ranges::find(sources, -1); hole != sources.end())
      if (const auto plain = moved(p, Tensor(p.view.input(0).dtype, xs)); plain.ok())
        fill_with(plain->bytes().data() +
                  static_cast<std::size_t>(hole - sources.begin()) * width_);
    shaped_.emplace(sources, xs, ys, false);
    if (xs.size() > 2 || ys.size() > 2) last_.emplace(sources, xs, ys, true);
  }
  void fill_with(const std::byte* element) {
    for (std::size_t i = 0; i < sizeof fill_; i += width_) std::memcpy(fill_ + i, element, width_);
  }

  std::size_t width_;
  std::byte fill_[MovedElements::fill_bytes] = {};  // the constant, again and again
  std::optional<MovedElements> shaped_, last_;
};

// What `eval` may refuse for the sake of numbers in the operands.
bool in_bounds(const KernelProblem& p) {
  const Shape& x = p.view.input(0).shape;
  if (p.view.node.op == "Pad" && p.view.attrs().text("mode", "constant") != "constant") {
    const auto ends = pad_ends(p.view);
    return ends.ok() &&
           std::ranges::all_of(*ends, [](const auto& e) { return e.begin >= 0 && e.end >= 0; });
  }
  if (p.view.node.op != "Gather") return true;
  const auto axis = normal_axis(p.view, p.view.attrs().integer("axis", 0), x.size());
  if (!axis.ok()) return false;
  const std::vector<std::int64_t> indices = integers_of(*p.constants[1]);
  return std::ranges::all_of(indices,
                             [&](std::int64_t i) { return i >= -x[*axis] && i < x[*axis]; });
}

bool fits(const KernelProblem& p) {
  for (std::size_t i = 1; i < p.view.input_count(); ++i)
    if (p.view.has_input(i) && !p.constants[i]) return false;
  const Value &x = p.view.input(0), &y = p.view.output(0);
  if (p.constants[0] || x.dtype != y.dtype || p.view.node.outputs.size() != 1) return false;
  if (count_of(x.shape) > most_elements || count_of(y.shape) > most_elements ||
      count_of(x.shape) < 1 || count_of(y.shape) < 1)
    return false;
  if (p.view.node.op == "Resize" &&
      (p.view.attrs().text("mode", "nearest") != "nearest" ||
       p.view.attrs().text("coordinates", "half_pixel") == "tf_crop_and_resize"))
    return false;
  return in_bounds(p) && x.shape.size() <= 16 && y.shape.size() <= 16 &&
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
