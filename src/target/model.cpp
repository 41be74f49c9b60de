#include <algorithm>

#include "base/text.h"
#include "import/import.h"
#include "target/target.h"

namespace lockstep {
namespace {

// Another model, run here in the arithmetic of its own format. Its inputs are found by name, else
// by order when every one has the type and the number of elements of its counterpart.
class OtherModel : public Target {
 public:
  OtherModel(std::string uri, Executor executor, std::vector<std::string> feeds, StateMode state)
      : uri_(std::move(uri)),
        executor_(std::move(executor)),
        feeds_(std::move(feeds)),
        state_(state) {}

  Description describe() const override {
    return {.uri = uri_,
            .device = "the model " + uri_,
            .arithmetic = std::string(executor_.arithmetic().name),
            .all_tensors = true,
            .takes_inputs = true,
            .notes = {}};
  }

  // The names wanted are the reference's; pairing finds their counterparts, so all tensors are
  // yielded.
  Result<Capture> run(std::span<const Sample> inputs, std::span<const std::string>) override {
    const Graph& g = executor_.graph();
    std::vector<Sample> own;
    for (const Sample& sample : inputs) {
      Sample& fed = own.emplace_back();
      for (std::size_t i = 0; i < feeds_.size(); ++i) {
        const Value& input = g.value(g.inputs()[i]);
        const auto it = sample.find(feeds_[i]);
        if (it == sample.end())
          return Error{uri_, "no input '" + feeds_[i] + "'", "every input of the model", ""};
        fed.emplace(input.name, it->second.reshaped(input.shape));
      }
    }
    RunOptions options;
    options.state = state_;
    LOCKSTEP_TRY(Capture capture, executor_.run(own, {}, options));
    capture.source = uri_;
    return capture;
  }

 private:
  std::string uri_;
  Executor executor_;
  std::vector<std::string> feeds_;  // the reference's input for each of its own
  StateMode state_;
};

bool fits(const Value& a, const Value& b) {
  return a.dtype == b.dtype && count_of(a.shape) == count_of(b.shape);
}

std::string facts(const Graph& g) {
  std::string text;
  for (const ValueId id : g.inputs()) {
    const Value& v = g.value(id);
    text += (text.empty() ? "'" : ", '") + v.name + "' " + std::string(name_of(v.dtype)) +
            shape_text(v.shape);
  }
  return text;
}

Result<std::vector<std::string>> feeds_of(const Graph& reference, const Graph& other) {
  std::vector<std::string> feeds;
  for (std::size_t i = 0; i < other.inputs().size(); ++i) {
    const Value& input = other.value(other.inputs()[i]);
    ValueId from = reference.find_value(input.name);
    if (std::ranges::find(reference.inputs(), from) == reference.inputs().end() ||
        !fits(reference.value(from), input))
      from = i < reference.inputs().size() ? reference.inputs()[i] : no_id;
    if (from == no_id || !fits(reference.value(from), input))
      return Error{other.file(), "inputs " + facts(other),
                   "the inputs of the reference: " + facts(reference),
                   "is it a form of the same network?"};
    feeds.push_back(reference.value(from).name);
  }
  return feeds;
}

Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  LOCKSTEP_TRY(const Graph graph, import_model(std::string(uri)));
  const Arithmetic* arithmetic = find_arithmetic(default_arithmetic(graph.format()));
  if (graph.format() == context.model.format()) arithmetic = &context.arithmetic;
  LOCKSTEP_TRY(std::vector<std::string> feeds, feeds_of(context.model, graph));
  LOCKSTEP_TRY(Executor executor, Executor::make(graph, *arithmetic));
  return std::unique_ptr<Target>(std::make_unique<OtherModel>(std::string(uri), std::move(executor),
                                                              std::move(feeds), context.state));
}

}  // namespace

extern constinit const TargetDef target_model = {
    .name = "model",
    .syntax = "OTHER.onnx | OTHER.tflite",
    .meaning = "another model, for instance a compiler's optimized graph, paired by origin",
    .matches =
        [](std::string_view uri) {
          return !uri.starts_with("sim:") && (uri.ends_with(".onnx") || uri.ends_with(".tflite"));
        },
    .open = open,
};

}  // namespace lockstep
