#include "base/text.h"
#include "npu/record.h"
#include "target/target.h"

namespace lockstep {
namespace {

// "npu:PATH[,mode=M][,ties=T]"
struct Request {
  std::string path;
  NpuMode mode = NpuMode::chained;
  NpuRules rules;
};

Result<Request> parse(std::string_view uri) {
  const std::vector<std::string> parts = split(uri.substr(4), ',');
  Request r;
  r.path = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto pair = split(parts[i], '=');
    const auto mode =
        pair.size() == 2 && pair[0] == "mode" ? npu_mode_named(pair[1]) : std::nullopt;
    const auto tie = pair.size() == 2 && pair[0] == "ties" ? npu_tie_named(pair[1]) : std::nullopt;
    if (mode)
      r.mode = *mode;
    else if (tie)
      r.rules.conv = r.rules.arith = r.rules.pool = r.rules.activ = *tie;
    else
      return Error{std::string(uri), "option '" + parts[i] + "'",
                   "mode=chained|forced|exact, ties=away|up|even|odd|zero|down", ""};
  }
  return r;
}

class CompiledProgram : public Target {
 public:
  CompiledProgram(std::string uri, NpuMode mode, NpuSimulator simulator, const Graph& model,
                  Executor executor, StateMode state)
      : uri_(std::move(uri)),
        mode_(mode),
        simulator_(std::move(simulator)),
        model_(model),
        mapping_(map_npu_buffers(simulator_.program(), model_)),
        executor_(std::move(executor)),
        state_(state) {}

  Description describe() const override {
    Description d{
        .uri = uri_,
        .device = "Neural-ART program, simulated, compiler " + simulator_.program().compiler,
        .arithmetic = "neural-art",
        .all_tensors = true,
        .takes_inputs = true,
        .notes = simulator_.program().notes};
    for (const std::string& u : mapping_.unmapped) d.notes.push_back("not mapped: " + u);
    return d;
  }

  Result<Capture> run(std::span<const Sample> inputs,
                      std::span<const std::string> wanted) override {
    std::vector<Sample> given(inputs.begin(), inputs.end());
    if (mode_ != NpuMode::chained) {
      RunOptions options;
      options.state = state_;
      LOCKSTEP_TRY(Capture reference, executor_.run(inputs, {}, options));
      given = std::move(reference.samples);
    }
    LOCKSTEP_TRY(Capture capture, record_npu(simulator_, model_, mapping_, given, mode_, wanted));
    capture.source = uri_;
    return capture;
  }

 private:
  std::string uri_;
  NpuMode mode_;
  NpuSimulator simulator_;
  Graph model_;
  NpuMapping mapping_;
  Executor executor_;
  StateMode state_;
};

Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  LOCKSTEP_TRY(const Request request, parse(uri));
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(request.path));
  LOCKSTEP_TRY(
      NpuSimulator simulator,
      NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)), request.rules));
  LOCKSTEP_TRY(Executor executor, Executor::make(context.model, context.arithmetic));
  return std::unique_ptr<Target>(
      std::make_unique<CompiledProgram>(std::string(uri), request.mode, std::move(simulator),
                                        context.model, std::move(executor), context.state));
}

}  // namespace

extern constinit const TargetDef target_npu = {
    .name = "npu",
    .syntax = "npu:PROGRAM[,mode=chained|forced|exact][,ties=RULE]",
    .meaning = "a compiled Neural-ART program (network.c, x.program.json), simulated",
    .matches = [](std::string_view uri) { return uri.starts_with("npu:"); },
    .open = open,
};

}  // namespace lockstep
