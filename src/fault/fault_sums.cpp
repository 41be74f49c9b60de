#include "fault/fault_sums.h"

#include <algorithm>

#include "fault/fault_work.h"
#include "op/op_codes.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

// What turns an accumulator of one output channel into a code.
class Finish {
 public:
  Finish(const Replay& r, const RequantPolicy& policy) : policy_(policy) {
    const NodeView n = r.site.view();
    const Value &x = n.input(0), &w = n.input(kWeights), &y = n.output(0);
    x_zero_ = x.quant.zero_at(0);
    y_zero_ = y.quant.zero_at(0);
    clamp_ = clamp_of(n);
    bias_ = r.in.size() > kBias ? r.in[kBias] : nullptr;
    const std::int64_t channels = weight_channels(n);
    for (std::int64_t o = 0; o < channels; ++o) {
      w_zero_.push_back(w.quant.zero_at(static_cast<std::size_t>(o)));
      rescale_.push_back(policy.prepare(
          x.quant.scale_at(0), w.quant.scale_at(static_cast<std::size_t>(o)), y.quant.scale_at(0)));
    }
  }
  // `sum` stands for the products of codes as stored and the bias; zero points are added exactly.
  std::int32_t operator()(std::int64_t sum, std::span<const Term> terms, std::int64_t o) const {
    const auto c = static_cast<std::size_t>(o);
    if (w_zero_[c] == 0 && x_zero_ != 0) {
      std::int64_t weights = 0;
      for (const Term& t : terms) weights += t.w;
      sum -= x_zero_ * weights;
    } else if (w_zero_[c] != 0) {
      for (const Term& t : terms)
        sum += std::int64_t{x_zero_} * w_zero_[c] - std::int64_t{t.x} * w_zero_[c] -
               std::int64_t{x_zero_} * t.w;
    }
    return clamp_code(std::int64_t{policy_.apply(saturate32(sum), rescale_[c])} + y_zero_,
                      clamp_.low, clamp_.high);
  }

  std::int64_t bias(std::int64_t o) const {
    return bias_ ? bias_->code(bias_->count() == 1 ? 0 : o) : 0;
  }

 private:
  const RequantPolicy& policy_;
  std::vector<Rescale> rescale_;
  std::vector<std::int32_t> w_zero_;
  const Tensor* bias_ = nullptr;
  std::int32_t x_zero_ = 0, y_zero_ = 0;
  CodeClamp clamp_{};
};

using Sum = std::function<std::int64_t(std::span<const Term>, std::int64_t bias)>;

struct ConvWeights {
  std::int64_t channels, depth, taps;
  char order;  // 'O' OIHW, 'H' OHWI, '1' 1HWO
  std::vector<std::int64_t> kernel;
  std::int64_t at(std::int64_t o, std::int64_t c, std::int64_t t) const {
    return order == '1'   ? t * channels + o
           : order == 'H' ? (o * taps + t) * depth + c
                          : (o * depth + c) * taps + t;
  }
};

ConvWeights conv_weights(const NodeView& n) {
  const Shape& w = n.input(kWeights).shape;
  const std::string order = n.attrs().text("weights", "OIHW");
  ConvWeights out{};
  out.order = order == "1HWO" ? '1' : order == "OHWI" ? 'H' : 'O';
  out.kernel = out.order == 'O' ? std::vector<std::int64_t>(w.begin() + 2, w.end())
                                : std::vector<std::int64_t>(w.begin() + 1, w.end() - 1);
  out.channels = out.order == '1' ? w.back() : w[0];
  out.depth = out.order == 'H' ? w.back() : out.order == '1' ? 1 : w[1];
  out.taps = count_of(out.kernel);
  return out;
}

Result<void> resum_conv(Replay& r, TermOrder order, const Sum& f, const Finish& finish,
                        bool padded) {
  const NodeView n = r.site.view();
  const ConvWeights w = conv_weights(n);
  LOCKSTEP_TRY(const Window g, window_of(n, n.input(0).shape, w.kernel));
  const auto x = centred_codes(*r.in[0], 0), weights = centred_codes(*r.in[kWeights], 0);
  const std::int32_t x_zero = n.input(0).quant.zero_at(0);
  const std::int64_t group = n.attrs().integer("group", 1), per_group = w.channels / group;
  const std::int64_t first_weight = w.order == '1' ? 1 : w.depth * w.taps;
  std::vector<std::pair<std::int64_t, std::int64_t>> taps;
  std::vector<std::int32_t> read;       // activations of one position, in the order of the sum
  std::vector<std::int64_t> weight_of;  // and where their weights lie, from the channel's first
  std::vector<Term> terms;
  for (std::int64_t batch = 0; batch < g.batch; ++batch)
    each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      taps.clear();
      for (std::int64_t t = 0; padded && t < w.taps; ++t) taps.emplace_back(-1, t);
      each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) {
        if (padded)
          taps[static_cast<std::size_t>(tap)].first = at;
        else
          taps.emplace_back(at, tap);
      });
      for (std::int64_t part = 0; part < group; ++part) {
        read.clear();
        weight_of.clear();
        const auto add = [&](std::int64_t c, const std::pair<std::int64_t, std::int64_t>& t) {
          read.push_back(t.first < 0
                             ? x_zero
                             : x[static_cast<std::size_t>(g.index(
                                   batch, part * w.depth + c, t.first, g.in_count(), g.channels))]);
          weight_of.push_back(w.at(0, c, t.second));
        };
        if (order == TermOrder::channel_last)
          for (const auto& t : taps)
            for (std::int64_t c = 0; c < w.depth; ++c) add(c, t);
        else
          for (std::int64_t c = 0; c < w.depth; ++c)
            for (const auto& t : taps) add(c, t);
        terms.resize(read.size());
        for (std::int64_t o = part * per_group; o < (part + 1) * per_group; ++o) {
          const auto* of_channel = weights.data() + o * first_weight;
          for (std::size_t k = 0; k < terms.size(); ++k)
            terms[k] = {read[k], of_channel[weight_of[k]]};
          r.out[0].set_code(g.index(batch, o, position, g.out_count(), w.channels),
                            finish(f(terms, finish.bias(o)), terms, o));
        }
      }
    });
  return {};
}

Result<void> resum_gemm(Replay& r, const Sum& f, const Finish& finish) {
  const NodeView n = r.site.view();
  const auto a = centred_codes(*r.in[0], 0), b = centred_codes(*r.in[kWeights], 0);
  const Shape& shape = r.in[kWeights]->shape();
  const bool trans_b = n.attrs().integer("transB", 0) != 0,
             trans_a = n.attrs().integer("transA", 0) != 0;
  const std::int64_t width = trans_b ? shape[0] : shape[1], depth = trans_b ? shape[1] : shape[0];
  const std::int64_t rows = static_cast<std::int64_t>(a.size()) / depth;
  std::vector<Term> terms(static_cast<std::size_t>(depth));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t o = 0; o < width; ++o) {
      for (std::int64_t k = 0; k < depth; ++k)
        terms[static_cast<std::size_t>(k)] = {
            a[static_cast<std::size_t>(trans_a ? k * rows + i : i * depth + k)],
            b[static_cast<std::size_t>(trans_b ? o * depth + k : k * width + o)]};
      r.out[0].set_code(i * width + o, finish(f(terms, finish.bias(o)), terms, o));
    }
  return {};
}

}  // namespace

bool has_terms(const Site& site) {
  if (!is_coded_sum(site) || !has_weights(site)) return false;
  const NodeView n = site.view();
  if (size_of(n.input(0).dtype) != 1) return false;
  return n.node.op == "Conv" || n.input(kWeights).shape.size() == 2;
}

Result<void> resum(Replay& r, TermOrder order,
                   const std::function<std::int64_t(std::span<const Term>)>& f, bool padded) {
  return resum_from_bias(
      r, order, [&f](std::span<const Term> terms, std::int64_t bias) { return f(terms) + bias; },
      padded);
}

Result<void> resum_from_bias(Replay& r, TermOrder order, const Sum& f, bool padded) {
  const NodeView n = r.site.view();
  const Numerics& num = *r.site.reference.arithmetic().numerics;
  const RequantPolicy* policy = n.node.op == "Conv" ? num.conv : num.dense;
  if (n.node.op == "Conv" && n.input(0).dtype == DType::u8 && num.conv_unsigned)
    policy = num.conv_unsigned;
  if (n.node.op == "MatMul" && num.matmul) policy = num.matmul;
  if (!policy)
    return Error{n.where(), "no requantization in this arithmetic", "another --reference", ""};
  if (!spend(node_work(n, 1)))
    return Error{n.where(), "more work than a proposal may do", "a smaller layer", ""};
  const Finish finish(r, *policy);
  return n.node.op == "Conv" ? resum_conv(r, order, f, finish, padded) : resum_gemm(r, f, finish);
}

}  // namespace lockstep
