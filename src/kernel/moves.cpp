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

// Runs [first, first + size) again and again, each time to_step and from_step elements further.
struct Loop {
  std::size_t first = 0, size = 1;
  std::int64_t times = 1, to_step = 0, from_step = 0;
};

constexpr std::size_t longest_period = 8;

// How often the runs from i on repeat with period `size`.
Loop loop_at(const std::vector<Run>& runs, std::size_t i, std::size_t size) {
  Loop l{i, size, 1, 0, 0};
  if (i + 2 * size > runs.size()) return l;
  l.to_step = runs[i + size].to - runs[i].to;
  for (std::size_t k = 0; k < size; ++k)
    if (runs[i + k].from >= 0) l.from_step = runs[i + size + k].from - runs[i + k].from;
  const auto repeats = [&](std::size_t k) {
    const Run &a = runs[k - size], &b = runs[k];
    return a.count == b.count && b.to - a.to == l.to_step && (a.from < 0) == (b.from < 0) &&
           (a.from < 0 || b.from - a.from == l.from_step);
  };
  std::size_t k = i + size;
  while (k < runs.size() && repeats(k)) ++k;
  l.times = static_cast<std::int64_t>((k - i) / size);
  return l;
}

// What repeats, said once.
struct Moved {
  std::vector<Run> runs;
  std::vector<Loop> loops;
};
Moved moved_by(std::vector<Run> runs) {
  Moved m;
  for (std::size_t i = 0; i < runs.size();) {
    Loop best{i, 1, 1, 0, 0};
    for (std::size_t size = 1; size <= longest_period; ++size) {
      const Loop l = loop_at(runs, i, size);
      if (l.times > 1 && l.times * static_cast<std::int64_t>(size) >
                             best.times * static_cast<std::int64_t>(best.size))
        best = l;
    }
    i += best.size * static_cast<std::size_t>(best.times);
    const std::size_t from = best.first;
    best.first = m.runs.size();
    for (std::size_t k = 0; k < best.size; ++k) m.runs.push_back(runs[from + k]);
    m.loops.push_back(best);
  }
  return m;
}

// n bytes by two overlapping halves of a fixed size, as a call costs more than a short copy.
template <std::size_t half>
void copy_halves(std::byte* to, const std::byte* from, std::size_t n) {
  struct Part {
    std::byte bytes[half];
  } first, last;
  std::memcpy(&first, from, half);
  std::memcpy(&last, from + n - half, half);
  std::memcpy(to, &first, half);
  std::memcpy(to + n - half, &last, half);
}
void copy_bytes(std::byte* to, const std::byte* from, std::size_t n) {
  if (n > 64)
    std::memcpy(to, from, n);
  else if (n > 32)
    copy_halves<32>(to, from, n);
  else if (n >= 16)
    copy_halves<16>(to, from, n);
  else if (n >= 8)
    copy_halves<8>(to, from, n);
  else if (n >= 4)
    copy_halves<4>(to, from, n);
  else
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
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
    const auto outside = std::ranges::find_if(shaped, [](std::int64_t s) { return s < 0; });
    if (outside != shaped.end())
      for (std::size_t i = 0; i < sizeof fill_; i += width_)
        std::memcpy(
            fill_ + i,
            plain->bytes().data() + static_cast<std::size_t>(outside - shaped.begin()) * width_,
            width_);
    shaped_ = moved_by(runs_of(shaped));
    if (xs.size() < 3 && ys.size() < 3) return;
    std::vector<std::int64_t> last(shaped.size());
    for (std::size_t i = 0; i < shaped.size(); ++i)
      last[static_cast<std::size_t>(place_last(ys, static_cast<std::int64_t>(i)))] =
          shaped[i] < 0 ? -1 : place_last(xs, shaped[i]);
    last_ = moved_by(runs_of(last));
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    return (shaped_.runs.size() + last_.runs.size()) * sizeof(Run) +
           (shaped_.loops.size() + last_.loops.size()) * sizeof(Loop);
  }

  void run(const KernelRun& r) const override {
    const Moved& m = r.channels_last ? last_ : shaped_;
    const auto width = static_cast<std::int64_t>(width_);
    for (const Loop& l : m.loops)
      for (std::int64_t i = 0; i < l.times; ++i)
        for (std::size_t k = l.first; k < l.first + l.size; ++k) {
          const Run& run = m.runs[k];
          std::byte* const to = r.out[0] + (run.to + i * l.to_step) * width;
          const auto n = static_cast<std::size_t>(run.count) * width_;
          if (run.from >= 0)
            copy_bytes(to, r.in[0] + (run.from + i * l.from_step) * width, n);
          else
            fill(to, n);
        }
  }

 private:
  void fill(std::byte* to, std::size_t n) const {
    for (; n > sizeof fill_; n -= sizeof fill_, to += sizeof fill_)
      std::memcpy(to, fill_, sizeof fill_);
    copy_bytes(to, fill_, n);
  }

  std::size_t width_;
  std::byte fill_[64] = {};  // the constant, again and again
  Moved shaped_, last_;
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
