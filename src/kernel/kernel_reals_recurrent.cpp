#include <algorithm>

#include "kernel/kernel_reals_rows.h"
#include "num/ort_float.h"
#include "num/ort_rows.h"
#include "num/real_functions.h"
#include "op/op_recurrent.h"

namespace lockstep {
namespace {

using Function = float (*)(float);

std::int64_t gates_of(const NodeView& v) {
  return v.node.op == "LSTM" ? 4 : v.node.op == "GRU" ? 3 : 1;
}

// One direction: its weights, and the rows of the recurrent ones that are multiplied at once (all
// of them; of a GRU the two gates, then the output).
struct Direction {
  RealRows of_x;
  std::vector<RealRows> of_state;
};

// A run's operands; null where absent or not wanted.
struct Operands {
  const float *x, *bias, *h, *cell;
  float *y, *y_h, *y_cell;
};

// The steps of a direction over every sample (N103), in a room of its own: what x brings to every
// step, the state, and what a step needs.
class Steps {
 public:
  Steps(const RecurrentPlan& p, const FloatPolicy& real, const Direction& weights,
        const Operands& o, std::int64_t gates, std::int64_t d, float* room)
      : p_(p),
        real_(real),
        weights_(weights),
        o_(o),
        d_(d),
        rows_(gates * p.hidden),
        n_(p.batch * p.hidden),
        bias_(o.bias ? o.bias + d * 2 * rows_ : nullptr),
        from_x_(room),
        h_(room + p.steps * p.batch * rows_),
        rest_(h_ + n_) {}

  static std::int64_t room(const RecurrentPlan& p, std::int64_t gates) {
    return p.steps * p.batch * gates * p.hidden + 6 * p.batch * p.hidden;
  }

  void lstm() {
    float *const cell = rest_, *const sums = cell + n_;
    start(h_, o_.h);
    start(cell, o_.cell);
    weights_.of_x.run(o_.x, p_.steps * p_.batch, from_x_, false);
    for (std::int64_t step = 0; step < p_.steps; ++step) {
      const std::int64_t t = time_of(step);
      for (std::int64_t b = 0; b < p_.batch; ++b)
        std::copy_n(brought(t, b), rows_, sums + b * rows_);
      weights_.of_state[0].run(h_, p_.batch, sums, true);
      for (std::int64_t b = 0; b < p_.batch; ++b) cell_step(sums + b * rows_, b, cell);
      record(t);
    }
    leave(h_, o_.y_h);
    leave(cell, o_.y_cell);
  }

  void gru(bool linear) {
    const std::int64_t two = 2 * p_.hidden;
    float *const both = rest_, *const reset = both + 2 * n_, *const last = reset + n_;
    start(h_, o_.h);
    weights_.of_x.run(o_.x, p_.steps * p_.batch, from_x_, false);
    for (std::int64_t step = 0; step < p_.steps; ++step) {
      const std::int64_t t = time_of(step);
      for (std::int64_t b = 0; b < p_.batch; ++b) {
        std::copy_n(brought(t, b), two, both + b * two);
        std::copy_n(brought(t, b) + two, p_.hidden, last + b * p_.hidden);
      }
      weights_.of_state[0].run(h_, p_.batch, both, true);
      for (std::int64_t b = 0; b < p_.batch; ++b) {
        float* const gates = both + b * two;  // z, r
        for (std::int64_t k = 0; k < two; ++k) gates[k] = biased(gates[k], k);
        sigmoids(gates, p_.hidden);
        std::copy_n(gates + p_.hidden, p_.hidden, reset + b * p_.hidden);
      }
      resets(reset, n_);
      add_reset_state(linear, reset, last, last + n_);
      for (std::int64_t i = 0; bias_ && i < n_; ++i) {
        const std::int64_t k = two + i % p_.hidden;
        last[i] = last[i] + (linear ? bias_[k] : bias_of(k));
      }
      outputs(last, n_);
      for (std::int64_t i = 0; i < n_; ++i) {
        const float update = both[i / p_.hidden * two + i % p_.hidden];
        h_[i] = (1.0f - update) * last[i] + update * h_[i];
      }
      record(t);
    }
    leave(h_, o_.y_h);
  }

  void rnn() {
    float* const sums = rest_;
    start(h_, o_.h);
    for (std::int64_t i = 0; i < p_.steps * n_; ++i) from_x_[i] = bias_of(i % p_.hidden);
    std::fill_n(sums, n_, 0.0f);
    weights_.of_x.run(o_.x, p_.steps * p_.batch, from_x_, true);
    for (std::int64_t step = 0; step < p_.steps; ++step) {
      const std::int64_t t = time_of(step);
      if (step > 0 || o_.h) weights_.of_state[0].run(h_, p_.batch, sums, false);
      const Function output = real_.functions ? real_.functions->rnn_output : nullptr;
      for (std::int64_t i = 0; i < n_; ++i) {
        const float sum = sums[i] + brought(t, i / p_.hidden)[i % p_.hidden];
        h_[i] = output ? output(sum) : tanh_of(real_, sum);
      }
      record(t);
    }
    leave(h_, o_.y_h);
  }

 private:
  std::int64_t time_of(std::int64_t step) const {
    return p_.backward(d_) ? p_.steps - 1 - step : step;
  }
  const float* brought(std::int64_t t, std::int64_t b) const {
    return from_x_ + p_.x_at(t, b) / p_.in * rows_;
  }
  float bias_of(std::int64_t i) const { return bias_ ? bias_[i] + bias_[rows_ + i] : 0.0f; }
  float biased(float sum, std::int64_t i) const { return bias_ ? sum + bias_of(i) : sum; }
  void sigmoids(float* v, std::int64_t n) const {
    if (real_.sigmoid) return map_row(real_.sigmoid, v, v, n);
    for (std::int64_t i = 0; i < n; ++i) v[i] = sigmoid_of(real_, v[i]);
  }
  void tanhs(const float* x, float* y, std::int64_t n) const {
    if (real_.tanh) return map_row(real_.tanh, x, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = tanh_of(real_, x[i]);
  }
  void resets(float* v, std::int64_t n) const {
    if (!real_.functions || !real_.functions->gru_reset) return sigmoids(v, n);
    map_row(real_.functions->gru_reset, v, v, n);
  }
  void outputs(float* v, std::int64_t n) const {
    if (!real_.functions || !real_.functions->gru_output) return tanhs(v, v, n);
    map_row(real_.functions->gru_output, v, v, n);
  }

  // One sample's gates i, o, f, c.
  void cell_step(float* gates, std::int64_t b, float* cells) const {
    const std::int64_t hidden = p_.hidden;
    float *const cell = cells + b * hidden, *const h = h_ + b * hidden;
    for (std::int64_t k = 0; k < rows_; ++k) gates[k] = biased(gates[k], k);
    sigmoids(gates, 3 * hidden);
    float* const fresh = gates + 3 * hidden;
    tanhs(fresh, fresh, hidden);
    for (std::int64_t k = 0; k < hidden; ++k) {
      const float kept = gates[2 * hidden + k] * cell[k];
      cell[k] = kept + gates[k] * fresh[k];
    }
    tanhs(cell, fresh, hidden);
    for (std::int64_t k = 0; k < hidden; ++k) h[k] = fresh[k] * gates[hidden + k];
  }

  void start(float* state, const float* given) const {
    for (std::int64_t b = 0; b < p_.batch; ++b)
      if (given)
        std::copy_n(given + p_.state_at(d_, b), p_.hidden, state + b * p_.hidden);
      else
        std::fill_n(state + b * p_.hidden, p_.hidden, 0.0f);
  }
  void leave(const float* state, float* wanted) const {
    for (std::int64_t b = 0; wanted && b < p_.batch; ++b)
      std::copy_n(state + b * p_.hidden, p_.hidden, wanted + p_.state_at(d_, b));
  }
  void record(std::int64_t t) const {
    for (std::int64_t b = 0; o_.y && b < p_.batch; ++b)
      std::copy_n(h_ + b * p_.hidden, p_.hidden, o_.y + p_.y_at(t, d_, b));
  }

  void add_reset_state(bool linear, const float* reset, float* sums, float* state) const {
    if (!linear) {
      for (std::int64_t i = 0; i < n_; ++i) state[i] = h_[i] * reset[i];
      weights_.of_state[1].run(state, p_.batch, sums, true);
      return;
    }
    for (std::int64_t i = 0; i < n_; ++i)
      state[i] = bias_ ? bias_[5 * p_.hidden + i % p_.hidden] : 0.0f;
    weights_.of_state[1].run(h_, p_.batch, state, bias_ != nullptr);
    for (std::int64_t i = 0; i < n_; ++i) sums[i] = sums[i] + state[i] * reset[i];
  }

  const RecurrentPlan& p_;
  const FloatPolicy& real_;
  const Direction& weights_;
  const Operands& o_;
  std::int64_t d_, rows_, n_;
  const float* bias_;
  float *from_x_, *h_, *rest_;
};

class RecurrentKernel : public PreparedKernel {
 public:
  RecurrentKernel(const KernelProblem& p, const RealSet& set)
      : gates_(gates_of(p.view)),
        plan_(recurrent_plan(p.view, gates_).value()),
        real_(p.num.real),
        linear_(p.view.attrs().integer("linear_before_reset", 0) != 0),
        inputs_(p.view.input_count()),
        outputs_(p.view.node.outputs.size()) {
    const auto stored = [&](std::size_t i) {
      return gates_ > 1 && p.view.constant(i) && !p.view.input(i).folded;
    };
    const std::int64_t rows = gates_ * plan_.hidden, in = plan_.in, hidden = plan_.hidden;
    for (std::int64_t d = 0; d < plan_.directions; ++d) {
      const float* const w = p.constants[1]->as<float>().data() + d * rows * in;
      const float* const r = p.constants[2]->as<float>().data() + d * rows * hidden;
      Direction& made =
          directions_.emplace_back(Direction{RealRows(set, real_, w, rows, in, stored(1)), {}});
      const std::int64_t first = gates_ == 3 ? 2 * hidden : rows;
      made.of_state.emplace_back(set, real_, r, first, hidden, stored(2));
      if (gates_ == 3)
        made.of_state.emplace_back(set, real_, r + first * hidden, hidden, hidden, stored(2));
    }
    keep(p, 3, bias_);
    keep(p, 5, h_);
    keep(p, 6, cell_);
  }

  std::size_t scratch_bytes(int) const override {
    return static_cast<std::size_t>(plan_.directions * Steps::room(plan_, gates_)) * sizeof(float);
  }
  std::size_t resident_bytes() const override {
    std::size_t bytes = (bias_.size() + h_.size() + cell_.size()) * sizeof(float);
    for (const Direction& d : directions_) {
      bytes += d.of_x.bytes();
      for (const RealRows& r : d.of_state) bytes += r.bytes();
    }
    return bytes;
  }

  void run(const KernelRun& r) const override {
    const auto in = [&](std::size_t i, const std::vector<float>& kept) {
      return !kept.empty() ? kept.data()
             : i < inputs_ ? reinterpret_cast<const float*>(r.in[i])
                           : nullptr;
    };
    const auto out = [&](std::size_t i) {
      return i < outputs_ ? reinterpret_cast<float*>(r.out[i]) : nullptr;
    };
    const Operands o{in(0, {}), in(3, bias_), in(5, h_), in(6, cell_), out(0), out(1), out(2)};
    r.workers.each(plan_.directions, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t d = first; d < last; ++d) {
        Steps steps(plan_, real_, directions_[static_cast<std::size_t>(d)], o, gates_, d,
                    reinterpret_cast<float*>(r.scratch) + d * Steps::room(plan_, gates_));
        if (gates_ == 4)
          steps.lstm();
        else if (gates_ == 3)
          steps.gru(linear_);
        else
          steps.rnn();
      }
    });
  }

 private:
  static void keep(const KernelProblem& p, std::size_t i, std::vector<float>& to) {
    if (i < p.constants.size() && p.constants[i])
      to.assign(p.constants[i]->as<float>().begin(), p.constants[i]->as<float>().end());
  }

  std::int64_t gates_;
  RecurrentPlan plan_;
  FloatPolicy real_;
  bool linear_;
  std::size_t inputs_, outputs_;
  std::vector<Direction> directions_;
  std::vector<float> bias_, h_, cell_;
};

}  // namespace

bool real_recurrent_fits(const KernelProblem& p) {
  if (p.view.input_count() < 3 || p.constants[0] || !p.constants[1] || !p.constants[2] ||
      (p.num.real.matrix && p.num.real.matrix != ort_matrix))
    return false;
  const auto plan = recurrent_plan(p.view, gates_of(p.view));
  if (!plan.ok() || plan->steps < 1 || plan->batch < 1 || plan->in < 1) return false;
  const auto absent = [&](std::size_t i) { return !p.view.has_input(i); };
  return (absent(3) || p.constants[3]) && absent(4) && absent(7);
}

std::unique_ptr<PreparedKernel> prepare_real_recurrent(const KernelProblem& p, const RealSet& set) {
  return std::make_unique<RecurrentKernel>(p, set);
}

}  // namespace lockstep
