// y = x0, x1, ... along an axis; codes under another scale by a table of the operator's own `eval`
#include <algorithm>
#include <cstring>

#include "kernel/kernel.h"
#include "kernel/kernel_table.h"
#include "op/op_codes.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Concat"};

bool same_bytes(const KernelProblem& p, std::size_t i) {
  return p.view.attrs().integer("requantize", 1) == 0 ||
         same_codes(p.view.input(i), p.view.output(0));
}

// What Concat makes of every byte of input i, by the byte's value.
Result<std::vector<std::byte>> table_of(const KernelProblem& p, std::size_t i) {
  GraphBuilder b("concat", "onnx");
  Node node = p.view.node;
  Value x = p.view.input(i), y = p.view.output(0);
  x.producer = y.producer = no_id;
  x.constant = nullptr;
  x.shape = y.shape = {256};
  x.name = std::string("x");
  y.name = std::string("y");
  Tensor codes(x.dtype, x.shape);
  for (int c = 0; c < 256; ++c)
    codes.bytes()[static_cast<std::size_t>(c)] = static_cast<std::byte>(c);
  node.inputs = {b.add_value(std::move(x))};
  node.attrs.set("axis", std::int64_t{0});
  node.outputs = {b.add_value(std::move(y))};
  const std::vector<const Tensor*> in{&codes};
  std::vector<Tensor> out{Tensor(codes.dtype(), codes.shape())};
  EvalContext context{{b.so_far(), node}, p.num, in, out};
  LOCKSTEP_CHECK(find_op(node.op)->eval(context));
  const auto bytes = std::as_const(out[0]).bytes();
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

// Bytes of one input that lie together in y.
struct Part {
  std::int64_t bytes = 0;
  CodeTable table;                  // empty: copied
  std::vector<std::byte> constant;  // what it holds, in the order of the run
};

struct Layout {
  std::int64_t outer = 1, row = 0;
  std::vector<Part> parts;
};

class Concat : public PreparedKernel {
 public:
  explicit Concat(const KernelProblem& p) : layouts_{lay_out(p, false), lay_out(p, true)} {}
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    const Layout& l = layouts_[r.channels_last];
    r.workers.each(
        l.outer,
        [&](std::int64_t first, std::int64_t last, int) {
          for (std::int64_t o = first; o < last; ++o) row(l, r, o, o + 1 < last);
        },
        std::max<std::int64_t>(1, worth_sharing / l.row));
  }

 private:
  static constexpr std::int64_t worth_sharing = 16384;  // bytes of a part
  static constexpr std::int64_t block = 16;

  // Row o of y. Where another one follows at once short parts are copied in whole blocks: what is
  // too much is the next part's or the next row's.
  static void row(const Layout& l, const KernelRun& r, std::int64_t o, bool more) {
    std::byte* to = r.out[0] + o * l.row;
    for (std::size_t i = 0; i < l.parts.size(); ++i) {
      const Part& part = l.parts[i];
      const std::byte* const from =
          (part.constant.empty() ? r.in[i] : part.constant.data()) + o * part.bytes;
      if (!part.table.entries.empty())
        apply_table(part.table, from, to, 0, part.bytes, 1);
      else if (more && part.bytes <= 4 * block && l.row >= block)
        for (std::int64_t k = 0; k < part.bytes; k += block) std::memcpy(to + k, from + k, block);
      else
        std::memcpy(to, from, static_cast<std::size_t>(part.bytes));
      to += part.bytes;
    }
  }

  static Layout lay_out(const KernelProblem& p, bool channels_last) {
    Layout l;
    const Shape& y = p.view.output(0).shape;
    const auto width = static_cast<std::int64_t>(size_of(p.view.output(0).dtype));
    const std::size_t axis = *normal_axis(p.view, p.view.attrs().integer("axis", 1), y.size());
    const bool last = channels_last && y.size() > 2;
    // Where an axis lies: axis 1 behind all others when channels lie last.
    const auto place = [&](std::size_t d) { return last && d == 1 ? y.size() : d; };
    // Bytes of the axis and of all that lie inside it.
    const auto inside = [&](const Shape& s) {
      std::int64_t n = width;
      for (std::size_t d = 0; d < s.size(); ++d)
        if (place(d) >= place(axis)) n *= s[d];
      return n;
    };
    l.row = inside(y);
    l.outer = l.row == 0 ? 0 : count_of(y) * width / l.row;
    for (std::size_t i = 0; i < p.view.input_count(); ++i) {
      Part part;
      part.bytes = inside(p.view.input(i).shape);
      if (!same_bytes(p, i)) part.table.entries = *table_of(p, i);
      if (const Tensor* const t = p.constants[i]) part.constant = laid(*t, last);
      l.parts.push_back(std::move(part));
    }
    return l;
  }
  static std::vector<std::byte> laid(const Tensor& t, bool last) {
    std::vector<std::byte> bytes(t.bytes().begin(), t.bytes().end());
    bytes.resize(bytes.size() + block);
    const Shape& s = t.shape();
    if (last && t.count() > 0)
      move_channels_last(t.bytes().data(), bytes.data(), s[0], s[1], t.count() / s[0] / s[1],
                         size_of(t.dtype()));
    return bytes;
  }

  Layout layouts_[2];  // as shaped, channels last
};

bool fits(const KernelProblem& p) {
  const Value& y = p.view.output(0);
  if (!normal_axis(p.view, p.view.attrs().integer("axis", 1), y.shape.size()).ok() ||
      count_of(y.shape) < 1)
    return false;
  for (std::size_t i = 0; i < p.view.input_count(); ++i) {
    if (!p.view.has_input(i) || p.view.input(i).dtype != y.dtype) return false;
    if (same_bytes(p, i)) continue;
    if (size_of(y.dtype) != 1 || !is_code(p.view.input(i)) || !table_of(p, i).ok()) return false;
  }
  return true;
}

}  // namespace

extern constinit const Kernel kernel_concat = {
    .name = "concat",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "tensors side by side, codes of another scale by a table",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<Concat>(p);
    },
};

}  // namespace lockstep
