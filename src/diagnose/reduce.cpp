// From a verdict to the least that shows it. Nothing here is assumed: every step is taken only when
// the smaller model, run again, yields the same numbers as the larger one did at those places.
#include "diagnose/reduce.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "diagnose/slice.h"
#include "diff/local.h"
#include "export/edit.h"
#include "import/import.h"

namespace lockstep {
namespace {

std::int64_t differing(const Tensor& a, const Tensor& b) {
  std::int64_t n = 0;
  const std::size_t width = size_of(a.dtype());
  for (std::size_t i = 0; i < a.bytes().size(); i += width)
    n += !std::ranges::equal(a.bytes().subspan(i, width), b.bytes().subspan(i, width));
  return n;
}

class Reducer {
 public:
  Reducer(const Request& q, const Answer& a, std::span<const std::byte> bytes, const Keep& keep)
      : q_(q),
        a_(a),
        g_(a.reference->graph()),
        bytes_(bytes),
        keep_(keep),
        earlier_(keep.earlier),
        recorded_{a.sent, a.expected, a.observed, a.state},
        test_(*a.reference, recorded_) {}

  Result<ReducedCase> run() {
    LOCKSTEP_CHECK(choose());
    LOCKSTEP_CHECK(cut());
    const std::int64_t needed = std::min(keep_.values, r_.differing);
    for (std::size_t axis = r_.expected.shape().size(); axis-- > 0;)
      LOCKSTEP_CHECK(crop_axis(axis, needed));
    return std::move(r_);
  }

 private:
  // The first wrong tensor, and the sample in which most of its values are wrong.
  Result<void> choose() {
    const Verdict& v = a_.verdict;
    if (v.healthy)
      return Error{q_.target, "healthy: nothing to reduce", "a target with a mismatch", ""};
    if (v.suspects.empty())
      return Error{q_.target, "no operation is wrong from its own inputs", "captures that show one",
                   ""};
    row_ = &v.comparison.rows[v.suspects[0].row];
    if (row_->node == no_id)
      return Error{q_.target, "the device's input '" + row_->tensor + "' is not what was sent",
                   "a fault inside the network",
                   "no model is needed to show it: compare the two inputs"};
    bool before_was_right = false, some_after_right = false;
    for (std::size_t s = 0; s < a_.observed.size(); ++s) {
      const Tensor* device = test_.device(row_->value, s);
      if (!device) continue;
      LOCKSTEP_TRY(Tensor expected, test_.recompute(row_->value, s));
      if (expected.dtype() != device->dtype() || expected.count() != device->count()) continue;
      const std::int64_t n = differing(expected, *device);
      const bool after_right = before_was_right;  // a run before that is wrong itself leaves more
                                                  // than one thing to explain
      before_was_right = n == 0;
      if (earlier_ == KeptRun::previous && (s == 0 || (some_after_right && !after_right))) continue;
      const bool better =
          earlier_ == KeptRun::previous && n > 0 && after_right && !some_after_right;
      if (n <= r_.differing && !better) continue;
      some_after_right = some_after_right || (earlier_ == KeptRun::previous && after_right);
      r_.differing = n;
      r_.sample = s;
      r_.device = device->reshaped(expected.shape());
      r_.expected = std::move(expected);
    }
    if (r_.differing == 0)
      return Error{q_.target, "no sample shows it in the reference's own type", "captures in codes",
                   ""};
    r_.output = row_->tensor;
    r_.quant = g_.value(row_->value).quant;
    return {};
  }

  Result<void> cut() {
    LOCKSTEP_TRY(whole_, import_model(q_.model));
    const Cone cone = test_.cone(row_->value, r_.sample);
    for (const ValueId id : cone.frontier) {
      const Tensor* given = test_.given(id, r_.sample);
      if (!given)
        return Error{q_.target, "'" + g_.value(id).name + "' was not captured",
                     "what the operation reads", ""};
      r_.inputs.push_back(g_.value(id).name);
      r_.input.emplace(g_.value(id).name, *given);
    }
    r_.nodes_before = whole_->nodes().size();
    r_.file = is_tflite(bytes_) ? "model.tflite" : "model.onnx";
    LOCKSTEP_CHECK(keep_earlier(cone));
    LOCKSTEP_TRY(auto made, attempt(r_));
    if (!made)
      return Error{
          q_.model,
          "the part that makes '" + r_.output + "' yields other numbers when it stands alone", "",
          "please report it"};
    r_.model = std::move(*made);
    if (keep_.codes) LOCKSTEP_CHECK(speak_codes(cone));
    r_.steps.push_back(fmt::format("cut to {} of {} nodes: what makes {} from captured tensors",
                                   r_.nodes, r_.nodes_before, r_.output));
    for (const State& state : g_.states())
      if (r_.input.contains(g_.value(state.in).name))
        r_.steps.push_back(
            fmt::format("'{}' is a state of the whole; here it is an input with what it should "
                        "hold in that run, so that a fault of "
                        "keeping it shows as one of this operand",
                        g_.value(state.in).name));
    if (a_.observed.size() > 1)
      r_.steps.push_back(fmt::format("sample {} of {}: the one in which most values are wrong",
                                     r_.sample + 1, a_.observed.size()));
    return {};
  }

  // The run before, or the first, fed with what the device had then.
  Result<void> keep_earlier(const Cone& cone) {
    if (earlier_ == KeptRun::none) return {};
    const std::size_t s = earlier_ == KeptRun::first ? 0 : r_.sample - 1;
    if (r_.sample == 0)
      return Error{q_.target, "no run stands before the wrong one", "captures of several runs", ""};
    ReducedCase::Earlier run;
    run.sample = s;
    const Tensor* device = test_.device(row_->value, s);
    for (const ValueId id : cone.frontier) {
      const Tensor* given = test_.given(id, s);
      if (!given)
        return Error{q_.target, "'" + g_.value(id).name + "' was not captured in the run before",
                     "what the operation reads", ""};
      run.input.emplace(g_.value(id).name, *given);
    }
    LOCKSTEP_TRY(run.expected, test_.recompute(row_->value, s));
    if (!device || device->count() != run.expected.count())
      return Error{q_.target, "the run before was not captured", "it", ""};
    run.device = device->reshaped(run.expected.shape());
    r_.before.push_back(std::move(run));
    r_.steps.push_back(
        fmt::format("run {} is kept before it: what was there then is part of the fault", s));
    return {};
  }

  // Where the device's codes stand behind dequantizers and before a quantizer, the part takes in
  // and yields those: what a device holds.
  Result<void> speak_codes(const Cone& cone) {
    ReducedCase coded = r_;
    coded.inputs.clear();
    coded.input.clear();
    for (const ValueId id : cone.frontier) {
      const NodeId maker = g_.value(id).producer;
      const bool real =
          is_float(g_.value(id).dtype) && maker != no_id && g_.node(maker).op == "DequantizeLinear";
      const ValueId codes = real ? g_.node(maker).inputs[0] : id;
      const Tensor* given = g_.value(codes).constant ? nullptr : test_.given(codes, r_.sample);
      const ValueId taken = given ? codes : id;
      if (coded.input.contains(g_.value(taken).name)) continue;
      coded.inputs.push_back(g_.value(taken).name);
      coded.input.emplace(g_.value(taken).name, given ? *given : *test_.given(id, r_.sample));
      for (ReducedCase::Earlier& run : coded.before) {
        const Tensor* then = test_.given(taken, run.sample);
        if (!then) return {};
        if (taken != id) run.input.erase(g_.value(id).name);
        run.input.insert_or_assign(g_.value(taken).name, *then);
      }
    }
    for (const NodeId n : g_.consumers(row_->value)) {
      if (g_.node(n).op != "QuantizeLinear" || !is_float(g_.value(row_->value).dtype)) continue;
      const ValueId codes = g_.node(n).outputs[0];
      const Tensor* device = test_.device(codes, r_.sample);
      if (!device || device->dtype() != g_.value(codes).dtype) continue;
      coded.output = g_.value(codes).name;
      coded.quant = g_.value(codes).quant;
      coded.device = device->reshaped(g_.value(codes).shape);
      for (ReducedCase::Earlier& run : coded.before) {
        const Tensor* then = test_.device(codes, run.sample);
        if (!then) return {};
        run.device = then->reshaped(g_.value(codes).shape);
      }
      break;
    }
    std::swap(coded, r_);
    LOCKSTEP_TRY(auto made, part(r_, r_.device.shape()));
    if (made) {
      r_.expected = std::move(made->yields.back());
      for (std::size_t i = 0; i < r_.before.size(); ++i)
        r_.before[i].expected = std::move(made->yields[i]);
      r_.model = std::move(made->bytes);
      r_.differing = differing(r_.expected, r_.device);
    }
    if (!made || r_.differing == 0) std::swap(coded, r_);
    return {};
  }

  struct Part {
    Bytes bytes;
    std::vector<Tensor> yields;  // of the runs before, then of the one shown
  };

  // The part as a model for these inputs, and what it yields; nothing when it is no model.
  Result<std::optional<Part>> part(const ReducedCase& r, const Shape& shape) {
    std::map<std::string, Shape> shapes = {{r.output, shape}};
    for (const auto& [name, tensor] : r.input) shapes.emplace(name, tensor.shape());
    const std::string outputs[] = {r.output};
    const bool tflite = is_tflite(bytes_);
    LOCKSTEP_TRY(Bytes bytes, (tflite ? tflite_between : onnx_between)(bytes_, *whole_, r.inputs,
                                                                       std::span(outputs), shapes));
    const auto graph =
        tflite ? import_tflite_bytes(bytes, "part.tflite") : import_onnx_bytes(bytes, "part.onnx");
    if (!graph.ok()) return std::optional<Part>();
    const auto executor = Executor::make(*graph, a_.reference->arithmetic());
    if (!executor.ok()) return std::optional<Part>();
    std::vector<Sample> runs;
    for (const ReducedCase::Earlier& run : r.before) runs.push_back(run.input);
    runs.push_back(r.input);
    auto made = executor->run(runs, outputs);
    if (!made.ok()) return std::optional<Part>();
    r_.nodes = graph->nodes().size();
    Part p{std::move(bytes), {}};
    for (Sample& s : made->samples) p.yields.push_back(std::move(s.at(r.output)));
    return std::optional(std::move(p));
  }

  // The part as a model, when it computes what is expected in every run; nothing when not.
  Result<std::optional<Bytes>> attempt(const ReducedCase& r) {
    LOCKSTEP_TRY(auto made, part(r, r.expected.shape()));
    if (!made || !(made->yields.back() == r.expected)) return std::optional<Bytes>();
    for (std::size_t i = 0; i < r.before.size(); ++i)
      if (!(made->yields[i] == r.before[i].expected)) return std::optional<Bytes>();
    return std::optional(std::move(made->bytes));
  }

  // Halves the axis while the part's numbers stay what they are and enough of them are wrong.
  Result<void> crop_axis(std::size_t axis, std::int64_t needed) {
    const std::int64_t before = r_.expected.shape()[axis];
    for (bool again = true; again && r_.expected.shape()[axis] > 1;) {
      const std::int64_t extent = r_.expected.shape()[axis], half = (extent + 1) / 2;
      struct Side {
        std::int64_t begin, wrong;
      };
      Side parts[] = {{0, 0}, {extent - half, 0}};
      for (Side& p : parts)
        p.wrong = differing(sliced(r_.expected, axis, p.begin, half),
                            sliced(r_.device, axis, p.begin, half));
      const Side best = parts[0].wrong >= parts[1].wrong ? parts[0] : parts[1];
      again = best.wrong >= needed;
      if (!again) break;
      LOCKSTEP_TRY(again, crop(axis, best.begin, half, best.wrong));
    }
    if (r_.expected.shape()[axis] < before)
      r_.steps.push_back(fmt::format("axis {} cropped from {} to {}: the numbers left are the same",
                                     axis, before, r_.expected.shape()[axis]));
    return {};
  }

  Result<bool> crop(std::size_t axis, std::int64_t begin, std::int64_t length, std::int64_t wrong) {
    ReducedCase smaller = r_;
    const Shape& whole = r_.expected.shape();
    const auto crop_inputs = [&](Sample& input) {
      bool any = false;
      for (auto& [name, tensor] : input)
        if (tensor.shape().size() == whole.size() && tensor.shape()[axis] == whole[axis]) {
          tensor = sliced(tensor, axis, begin, length);
          any = true;
        }
      return any;
    };
    if (!crop_inputs(smaller.input)) return false;
    smaller.expected = sliced(r_.expected, axis, begin, length);
    smaller.device = sliced(r_.device, axis, begin, length);
    for (ReducedCase::Earlier& run : smaller.before) {
      crop_inputs(run.input);
      run.expected = sliced(run.expected, axis, begin, length);
      run.device = sliced(run.device, axis, begin, length);
    }
    LOCKSTEP_TRY(auto made, attempt(smaller));
    if (!made) return false;
    smaller.model = std::move(*made);
    smaller.nodes = r_.nodes;
    smaller.differing = wrong;
    r_ = std::move(smaller);
    return true;
  }

  const Request& q_;
  const Answer& a_;
  const Graph& g_;
  std::span<const std::byte> bytes_;
  const Keep keep_;
  const KeptRun earlier_;
  Recorded recorded_;
  LocalTest test_;
  const Row* row_ = nullptr;
  std::optional<Graph> whole_;
  ReducedCase r_;
};

}  // namespace

Result<ReducedCase> reduce(const Request& request, const Answer& answer,
                           std::span<const std::byte> bytes, const Keep& keep) {
  return Reducer(request, answer, bytes, keep).run();
}

}  // namespace lockstep
