#include <algorithm>
#include <cstring>
#include <optional>

#include "kernel/kernel_recurrent_codes.h"
#include "kernel/kernel_row_sums.h"
#include "num/lstm.h"
#include "op/op_codes.h"
#include "op/op_lstm_codes.h"

namespace lockstep {
namespace {

// As the operator numbers its operands.
constexpr std::size_t x_at = 0, w_at = 1, r_at = 5, projection_at = 16, h_at = 18, c_at = 19;
using Gate = LstmCodes::Gate;

LstmSizes sizes_of(const NodeView& n) {
  const Shape &x = n.input(x_at).shape, &w = n.input(w_at + 1).shape;
  const bool major = n.attrs().integer("time_major", 0) != 0;
  return {x[major ? 1 : 0], x[major ? 0 : 1], x[2], w[0], n.input(r_at + 1).shape[1], major};
}

// Rows of the gates that there are, one matrix below the other.
struct Stacked {
  std::vector<std::int32_t> start;
  std::vector<std::int8_t> w;
};
template <class Start, class Weights>
Stacked stacked(const LstmCodes& m, std::int64_t size, Start&& start, Weights&& weights) {
  Stacked s;
  for (const LstmCodes::Weights& g : m.gates) {
    if (!g.w) continue;
    s.start.insert(s.start.end(), start(g).begin(), start(g).end());
    s.w.insert(s.w.end(), weights(g), weights(g) + size);
  }
  return s;
}
RowSums sums_of_x(const DotSet& set, const LstmSizes& s, const LstmCodes& m) {
  const Stacked all = stacked(
      m, s.cells * s.in, [](const auto& g) -> const auto& { return g.from_x; },
      [](const auto& g) { return g.w; });
  return RowSums(set, s.batch * s.steps, s.in, all.start, all.w);
}
RowSums sums_of_h(const DotSet& set, const LstmSizes& s, const LstmCodes& m) {
  const Stacked all = stacked(
      m, s.cells * s.out, [](const auto& g) -> const auto& { return g.from_h; },
      [](const auto& g) { return g.r; });
  return RowSums(set, s.batch, s.out, all.start, all.w);
}

// What x brings to every step at once; then step by step what h brings, for the whole batch.
class LstmOfCodes : public PreparedKernel {
 public:
  LstmOfCodes(const KernelProblem& p, const DotSet& set)
      : s_(sizes_of(p.view)),
        p_(*p.num.lstm),
        m_(p.view, p.constants, p_),
        of_x_(sums_of_x(set, s_, m_)),
        of_h_(sums_of_h(set, s_, m_)),
        width_((m_.coupled ? 3 : 4) * s_.cells) {
    for (const Gate g : {LstmCodes::input_gate, LstmCodes::forget_gate, LstmCodes::cell_gate,
                         LstmCodes::output_gate})
      at_[g] = (static_cast<std::int64_t>(g) - (m_.coupled ? 1 : 0)) * s_.cells;
    if (m_.projected.empty()) return;
    projection_.emplace(set, s_.batch, s_.cells, m_.projected,
                        std::span(m_.projection, static_cast<std::size_t>(s_.out * s_.cells)));
  }

  std::size_t scratch_bytes(int) const override { return Room(*this, nullptr).bytes; }
  std::size_t resident_bytes() const override {
    return of_x_.resident_bytes() + of_h_.resident_bytes() +
           (projection_ ? projection_->resident_bytes() : 0);
  }

  void run(const KernelRun& r) const override {
    const Room room(*this, r.scratch);
    auto* const h = reinterpret_cast<std::int8_t*>(r.out[1]);
    auto* const cell = reinterpret_cast<std::int16_t*>(r.out[2]);
    std::memcpy(h, r.in[h_at], static_cast<std::size_t>(s_.batch * s_.out));
    std::memcpy(cell, r.in[c_at], static_cast<std::size_t>(s_.batch * s_.cells) * 2);
    of_x_.run(r.in[x_at], room.from_x, room.stage, r.workers);
    for (std::int64_t t = 0; t < s_.steps; ++t) {
      of_h_.run(r.out[1], room.from_h, room.stage, r.workers);
      std::int8_t* const hidden = projection_ ? room.hidden : h;
      for (std::int64_t b = 0; b < s_.batch; ++b)
        step(room, row_at(b, t), b, cell + b * s_.cells, hidden + b * s_.cells);
      if (projection_) project(room, h, r.workers);
      for (std::int64_t b = 0; b < s_.batch; ++b)
        std::memcpy(r.out[0] + row_at(b, t) * s_.out, h + b * s_.out,
                    static_cast<std::size_t>(s_.out));
    }
  }

 private:
  // Scratch, cut up; without memory only its size.
  struct Room {
    Room(const LstmOfCodes& k, std::byte* scratch) : at_(scratch) {
      const LstmSizes& s = k.s_;
      from_x = take<std::int32_t>(s.batch * s.steps * k.width_);
      from_h = take<std::int32_t>(s.batch * k.width_);
      sums = take<std::int32_t>(s.batch * std::max(s.cells, s.out));
      for (auto& g : gate) g = take<std::int16_t>(s.cells);
      hidden = take<std::int8_t>(s.batch * s.cells);
      stage = take<std::byte>(static_cast<std::int64_t>(
          std::max({k.of_x_.scratch_bytes(), k.of_h_.scratch_bytes(),
                    k.projection_ ? k.projection_->scratch_bytes() : std::size_t{0}})));
    }
    std::int32_t *from_x, *from_h, *sums;
    std::int16_t* gate[4];
    std::int8_t* hidden;
    std::byte* stage;
    std::size_t bytes = 0;

   private:
    template <class T>
    T* take(std::int64_t count) {
      auto* const here = at_ ? reinterpret_cast<T*>(at_ + bytes) : nullptr;
      bytes += (static_cast<std::size_t>(count) * sizeof(T) + kernel_slack + 63) / 64 * 64;
      return here;
    }
    std::byte* at_;
  };

  std::int64_t row_at(std::int64_t b, std::int64_t t) const {
    return s_.time_major ? t * s_.batch + b : b * s_.steps + t;
  }

  void accumulate(const std::int32_t* acc, const Rescale& r, bool adds, std::int16_t* y) const {
    if (p_.accumulate_row) return p_.accumulate_row(acc, r, adds ? y : nullptr, y, s_.cells);
    for (std::int64_t k = 0; k < s_.cells; ++k) y[k] = p_.accumulate(acc[k], r, adds ? y[k] : 0);
  }
  void sigmoid(std::int16_t* y) const {
    if (p_.sigmoid_row) return p_.sigmoid_row(y, y, s_.cells);
    for (std::int64_t k = 0; k < s_.cells; ++k) y[k] = p_.sigmoid(y[k]);
  }
  void tanh(const std::int16_t* x, int integer_bits, std::int16_t* y) const {
    if (p_.tanh_row) return p_.tanh_row(x, integer_bits, y, s_.cells);
    for (std::int64_t k = 0; k < s_.cells; ++k) y[k] = p_.tanh(x[k], integer_bits);
  }

  std::int16_t* gate(const Room& room, Gate g, std::int64_t row, std::int64_t b,
                     const std::int16_t* cell) const {
    const LstmCodes::Weights& of = m_.gates[g];
    std::int16_t* const y = room.gate[g];
    accumulate(room.from_x + row * width_ + at_[g], of.x_scale, false, y);
    accumulate(room.from_h + b * width_ + at_[g], of.h_scale, true, y);
    if (of.peephole) {
      for (std::int64_t k = 0; k < s_.cells; ++k)
        room.sums[k] = std::int32_t{of.peephole[k]} * cell[k];
      accumulate(room.sums, of.peephole_scale, true, y);
    }
    if (g == LstmCodes::cell_gate)
      tanh(y, 3, y);
    else
      sigmoid(y);
    return y;
  }

  void step(const Room& room, std::int64_t row, std::int64_t b, std::int16_t* cell,
            std::int8_t* hidden) const {
    const std::int16_t* const forget = gate(room, LstmCodes::forget_gate, row, b, cell);
    const std::int16_t* const fresh = gate(room, LstmCodes::cell_gate, row, b, cell);
    const std::int16_t* const input =
        m_.coupled ? nullptr : gate(room, LstmCodes::input_gate, row, b, cell);
    for (std::int64_t k = 0; k < s_.cells; ++k) {
      const std::int16_t kept = p_.product(forget[k], cell[k], 15),
                         let = input ? input[k] : p_.complement(forget[k]);
      const std::int16_t sum = p_.sum(kept, p_.product(let, fresh[k], 30 + m_.cell_power));
      cell[k] = m_.cell_clip > 0
                    ? static_cast<std::int16_t>(std::clamp<int>(sum, -m_.cell_clip, m_.cell_clip))
                    : sum;
    }
    const std::int16_t* const open = gate(room, LstmCodes::output_gate, row, b, cell);
    std::int16_t* const bent = room.gate[LstmCodes::cell_gate];
    tanh(cell, 15 + m_.cell_power, bent);
    const std::int32_t zero = projection_ ? -m_.hidden_zero : m_.hidden_zero;
    for (std::int64_t k = 0; k < s_.cells; ++k)
      hidden[k] = p_.hidden(open[k], bent[k], m_.hidden_scale, zero);
  }

  void project(const Room& room, std::int8_t* h, Workers& workers) const {
    projection_->run(reinterpret_cast<const std::byte*>(room.hidden), room.sums, room.stage,
                     workers);
    const int clip = m_.projection_clip;
    for (std::int64_t i = 0; i < s_.batch * s_.out; ++i) {
      h[i] = p_.project(room.sums[i], m_.project_scale, m_.state_zero);
      if (clip > 0) h[i] = static_cast<std::int8_t>(std::clamp<int>(h[i], -clip, clip));
    }
  }

  const LstmSizes s_;
  const LstmPolicy& p_;
  const LstmCodes m_;
  const RowSums of_x_, of_h_;
  std::optional<const RowSums> projection_;
  const std::int64_t width_;
  std::int64_t at_[4] = {};  // of a gate's sums in a row
};

}  // namespace

bool lstm_codes_fits(const KernelProblem& p) {
  const NodeView& n = p.view;
  if (!p.num.lstm || n.input_count() < 20 || !is_code(n.input(x_at)) || n.node.outputs.size() != 3)
    return false;
  for (std::size_t i = 0; i < n.input_count(); ++i) {
    const bool changes = i == x_at || i == h_at || i == c_at;
    if (n.has_input(i) && (p.constants[i] != nullptr) == changes) return false;
  }
  for (const ValueId v : n.node.outputs)
    if (v == no_id) return false;
  const bool coupled = !n.has_input(w_at), projects = n.has_input(projection_at);
  return check_lstm_codes(n).ok() && (!coupled || p.num.lstm->complement) &&
         (!projects || p.num.lstm->project) && count_of(n.input(x_at).shape) > 0;
}

std::unique_ptr<PreparedKernel> prepare_lstm_codes(const KernelProblem& p, const DotSet& set) {
  return std::make_unique<LstmOfCodes>(p, set);
}

}  // namespace lockstep
