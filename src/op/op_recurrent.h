#pragma once

#include <cmath>
#include <functional>

#include "op/op_foreign.h"

namespace lockstep {

// What ONNX's recurrent operators share: x [seq, batch, in] (or batch first), weights by direction,
// one or two directions, states that start at zero or as given.

inline constexpr AttrSpec recurrent_attrs[] = {
    {"hidden_size", "", "extent of the state"},
    {"direction", "forward", "forward, reverse or bidirectional"},
    {"layout", "0", "1: the batch axis of x and of the states stands first"},
    {"linear_before_reset", "0",
     "GRU: 1: the reset gate meets the recurrent product, not the state"},
};

struct RecurrentPlan {
  std::int64_t steps = 0, batch = 0, in = 0, hidden = 0, directions = 1;
  bool batch_first = false, reverse_only = false;

  std::int64_t x_at(std::int64_t t, std::int64_t b) const {
    return (batch_first ? b * steps + t : t * batch + b) * in;
  }
  // Y [seq, directions, batch, hidden] or [batch, seq, directions, hidden].
  std::int64_t y_at(std::int64_t t, std::int64_t d, std::int64_t b) const {
    return (batch_first ? (b * steps + t) * directions + d : (t * directions + d) * batch + b) *
           hidden;
  }
  // States [directions, batch, hidden] or [batch, directions, hidden].
  std::int64_t state_at(std::int64_t d, std::int64_t b) const {
    return (batch_first ? b * directions + d : d * batch + b) * hidden;
  }
  bool backward(std::int64_t d) const { return reverse_only || d == 1; }
  Shape y_shape() const {
    return batch_first ? Shape{batch, steps, directions, hidden}
                       : Shape{steps, directions, batch, hidden};
  }
  Shape state_shape() const {
    return batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  }
};

// `gates` rows of weights for each element of the state; the error names the shape that does not
// fit. `coded`: the weights are codes and stand the other way round, [direction, in, gates *
// hidden], with their scales and zero points behind all else.
Result<RecurrentPlan> recurrent_plan(const NodeView& n, std::int64_t gates, bool coded = false);
// Attributes that change nothing at their defaults are dropped; others are refused by name.
Result<void> recurrent_from_onnx(const ForeignNode& f, GraphBuilder& graph, std::string_view op,
                                 const std::vector<std::string>& activations);

// Weights of one direction, each gate's rows one after another; bias null when absent.
struct RecurrentWeights {
  const float *w = nullptr, *r = nullptr, *bias = nullptr;
  bool w_stored = false, r_stored = false;  // constants of the file
  float bias_of(std::int64_t i, std::int64_t rows) const {
    return bias ? bias[i] + bias[rows + i] : 0.0f;
  }
};
RecurrentWeights recurrent_weights(const EvalContext& c, const RecurrentPlan& p, std::int64_t gates,
                                   std::int64_t direction);

// One matrix product: y[rows, n] = x[rows, k] * w[n, k]^T, or y + that. In the arithmetic's own
// order, else in float32 in the order of k from zero.
struct RecurrentProduct {
  std::int64_t rows, n, k;
  const float* x;
  const float* w;
  bool stored;  // w is a constant of the file
  float* y;
  bool add = false;
};
void multiply(const FloatPolicy& policy, const RecurrentProduct& p);

// What an LSTM takes of one direction: y = x W and y = y + h R of whole rows, and the bias, null
// when absent.
struct LstmLayer {
  std::function<void(std::int64_t rows, const float*x, float*y)> from_x, add_from_state;
  const float* bias = nullptr;
};
// All directions and samples of an LSTM, outputs y, y_h and y_c. Sums first over x, then over h,
// then the bias (N103).
void run_lstm(EvalContext& c, const RecurrentPlan& p,
              const std::function<LstmLayer(std::int64_t direction)>& layer_of);

// `to` = what input `state` gives as the start of a direction, else zero: [batch, hidden].
std::vector<float> recurrent_start(const EvalContext& c, const RecurrentPlan& p,
                                   std::int64_t direction, std::size_t state);
// The state that a direction leaves, into output `output` where it is wanted.
void recurrent_end(EvalContext& c, const RecurrentPlan& p, std::int64_t direction,
                   std::size_t output, const std::vector<float>& state);
inline bool is_wanted(const EvalContext& c, std::size_t output) {
  return output < c.view.node.outputs.size() && c.view.node.outputs[output] != no_id;
}
// One step's states as they stand in output 0, where that is wanted.
void recurrent_step(EvalContext& c, const RecurrentPlan& p, std::int64_t direction, std::int64_t t,
                    const std::vector<float>& h);

inline float sigmoid_of(const FloatPolicy& p, float v) {
  return p.sigmoid ? p.sigmoid(v) : 1.0f / (1.0f + std::exp(-v));
}
inline float tanh_of(const FloatPolicy& p, float v) {
  return p.tanh ? p.tanh(v) : std::tanh(v);
}

}  // namespace lockstep
