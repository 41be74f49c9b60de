#include "target/target_board.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "emit/emit.h"
#include "target/target_kept.h"
#include "target/target_names.h"
#include "target/target_times.h"
#include "target/target_wire.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

struct BoardOptions {
  std::string link, network;
  Milliseconds patience{9000};
};

Result<BoardOptions> parse_options(std::string_view uri) {
  BoardOptions o;
  const std::vector<std::string> parts = split(uri, ',');
  o.link = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    int seconds = 0;
    if (part.starts_with("network=")) {
      o.network = part.substr(8);
    } else if (part.starts_with("patience=")) {
      const auto [end, failure] =
          std::from_chars(part.data() + 9, part.data() + part.size(), seconds);
      if (failure != std::errc() || end != part.data() + part.size() || seconds < 1 ||
          seconds > 3600)
        return Error{std::string(uri), "'" + part + "'", "patience=SECONDS, 1 .. 3600", ""};
      o.patience = std::chrono::seconds(seconds);
    } else {
      return Error{std::string(uri), "no such option '" + part + "'",
                   "network=NAME, patience=SECONDS", ""};
    }
  }
  return o;
}

// Lockstep's own firmware signs with the hash of the model's file: "lockstep:" and what network.h
// says.
Result<void> check_signature(const DeviceNetwork& network, const std::string& model,
                             const std::string& where) {
  constexpr std::string_view own_mark = "lockstep:";
  if (!network.signature.starts_with(own_mark)) return {};
  const auto file = read_file(model);
  if (!file.ok()) return {};
  const std::string own = std::string(own_mark) + content_hash(*file);
  if (own == network.signature) return {};
  return Error{where, "the device's network was made from another file (" + network.signature + ")",
               own + ", that of " + model,
               "generate and flash again, or validate the file it was made from"};
}

// The first difference between two runs of one sample, or "".
std::string disagreement(const DeviceRun& a, const DeviceRun& b) {
  std::size_t tensors = 0, differing = 0, bytes = 0;
  const auto compare = [&](const DeviceTensor& x, const DeviceTensor& y) {
    ++tensors;
    if (x.data == y.data) return;
    ++differing;
    for (std::size_t i = 0; i < std::min(x.data.size(), y.data.size()); ++i)
      bytes += x.data[i] != y.data[i];
  };
  if (a.steps.size() != b.steps.size() || a.outputs.size() != b.outputs.size())
    return "another number of nodes or outputs";
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    if (a.steps[i].tensors.size() != b.steps[i].tensors.size())
      return fmt::format("node {} yields another number of tensors", i + 1);
    for (std::size_t k = 0; k < a.steps[i].tensors.size(); ++k)
      compare(a.steps[i].tensors[k], b.steps[i].tensors[k]);
  }
  for (std::size_t i = 0; i < a.outputs.size(); ++i) compare(a.outputs[i], b.outputs[i]);
  if (differing == 0) return "";
  return fmt::format("{} of {} tensors, {} bytes", differing, tensors, bytes);
}

class Board : public Target {
 public:
  Board(std::string uri, BoardOptions options, Device device, std::size_t network,
        const TargetContext& context)
      : uri_(std::move(uri)),
        options_(std::move(options)),
        device_(std::move(device)),
        network_(network),
        model_(context.model),
        arithmetic_(context.arithmetic),
        state_(context.state),
        control_(context.link) {}

  Result<void> plan() {
    for (std::size_t i = 0; i < model_.inputs().size(); ++i) {
      LOCKSTEP_TRY(InputPlan p,
                   plan_input(model_.value(model_.inputs()[i]), network().inputs[i], uri_));
      plans_.push_back(std::move(p));
    }
    return check_signature(network(), model_.file(), uri_);
  }

  Description describe() const override {
    Description d{.uri = uri_,
                  .device = device_.info().text(),
                  .arithmetic = "",
                  .all_tensors = false,
                  .takes_inputs = true,
                  .notes = {}};
    d.notes.push_back(fmt::format(
        "network '{}' on {}: {} nodes{}{}", network().name, device_.info().framing, network().nodes,
        network().signature.empty() ? "" : ", signature " + network().signature,
        network().compiled.empty() ? "" : ", compiled " + network().compiled));
    for (const InputPlan& p : plans_)
      if (!p.note.empty()) d.notes.push_back("input '" + p.name + "': " + p.note);
    if (const std::string says = device_.info().configuration(); !says.empty())
      d.notes.push_back("the firmware says of the board: " + says);
    return d;
  }

  Result<Capture> run(std::span<const Sample> inputs, std::span<const std::string>) override {
    LOCKSTEP_CHECK(resume(inputs));
    repeat_ = control_.repeat > 0                                           ? control_.repeat
              : device_.is_serial() && !device_.info().can(Capability::crc) ? 2
                                                                            : 1;
    start_ = Clock::now();
    begun_at_ = capture_.samples.size();
    auto done = state_ == StateMode::keep ? run_in_sequence(inputs) : run_one_by_one(inputs);
    if (!done.ok()) return with_kept(done.error(), control_.kept, capture_, inputs, of());
    say_what_came();
    return std::move(capture_);
  }

 private:
  const DeviceNetwork& network() const { return device_.info().networks[network_]; }

  Result<void> resume(std::span<const Sample> inputs) {
    capture_ = {};
    if (!control_.resume.empty()) {
      LOCKSTEP_TRY(capture_, kept_capture(control_.resume, inputs, of()));
      capture_.notes.push_back(fmt::format(
          "{} of {} samples taken from {}{}", capture_.samples.size(), inputs.size(),
          control_.resume,
          state_ == StateMode::keep ? ", and run again for the device's states, with equal results"
                                    : ""));
    }
    capture_.source = uri_;
    return {};
  }

  KeptOf of() const {
    return kept_of(model_.file(),
                   fmt::format("{}; network '{}', signature '{}', compiled '{}', runtime '{}'",
                               device_.info().text(), network().name, network().signature,
                               network().compiled, network().runtime),
                   state_ == StateMode::keep);
  }

  Result<DeviceRun> run_sample(const Sample& sample, bool first) {
    std::vector<Bytes> bytes;
    for (const InputPlan& p : plans_) {
      const auto it = sample.find(p.name);
      if (it == sample.end())
        return Error{uri_, "no input '" + p.name + "'", "every input of the model", ""};
      LOCKSTEP_TRY(Bytes b, apply(p, it->second, arithmetic_));
      bytes.push_back(std::move(b));
    }
    LOCKSTEP_TRY(DeviceRun run,
                 device_.run(network(), bytes, {.nodes = true, .tensors = true, .first = first}));
    for (const Bytes& b : bytes) moved_ += b.size();
    for (const DeviceTensor& t : run.outputs) moved_ += t.data.size();
    for (const DeviceStep& step : run.steps)
      for (const DeviceTensor& t : step.tensors) moved_ += t.data.size();
    return run;
  }

  Error disagree(std::size_t sample, const std::string& how) const {
    return Error{
        uri_, fmt::format("sample {}: two runs of the same input disagree in {}", sample + 1, how),
        "equal bytes",
        "a link fault, or a device that does not repeat itself: shorter cable, lower rate, "
        "--repeat 1 to look at one run",
        Blame::target};
  }

  Result<void> run_one_by_one(std::span<const Sample> inputs) {
    for (std::size_t s = capture_.samples.size(); s < inputs.size(); ++s) {
      LOCKSTEP_TRY(const DeviceRun run, run_sample(inputs[s], true));
      for (int again = 1; again < repeat_; ++again) {
        LOCKSTEP_TRY(const DeviceRun other, run_sample(inputs[s], true));
        if (const std::string how = disagreement(run, other); !how.empty()) return disagree(s, how);
      }
      record(run);
      progress(inputs.size());
    }
    return {};
  }

  // Kept samples too: only they bring the device's states to where they were.
  Result<void> run_in_sequence(std::span<const Sample> inputs) {
    std::vector<DeviceRun> runs;
    for (int round = 0; round < repeat_; ++round) {
      for (std::size_t s = 0; s < inputs.size(); ++s) {
        LOCKSTEP_TRY(DeviceRun run, run_sample(inputs[s], s == 0));
        if (round > 0) {
          if (const std::string how = disagreement(runs[s], run); !how.empty())
            return disagree(s, how);
          continue;
        }
        if (s < begun_at_)
          LOCKSTEP_CHECK(same_as_kept(capture_.samples[s], sample_of(run), s, uri_));
        else
          record(run);
        if (repeat_ > 1) runs.push_back(std::move(run));
        progress(inputs.size());
      }
    }
    return {};
  }

  void record(const DeviceRun& run) {
    capture_.samples.push_back(sample_of(run));
    times_.add(run);
  }

  Sample sample_of(const DeviceRun& run) {
    Sample sample;
    std::vector<const DeviceTensor*> tensors;
    for (const auto& step : run.steps)
      for (const DeviceTensor& t : step.tensors) tensors.push_back(&t);
    if (names_.size() != tensors.size()) names_ = whole_names(tensors, model_, arithmetic_);
    auto name = names_.begin();
    for (std::size_t i = 0; i < run.steps.size(); ++i)
      for (std::size_t k = 0; k < run.steps[i].tensors.size(); ++k, ++name)
        add(name->empty() ? fmt::format("{}_{}.{}", device_.info().npu() ? "epoch" : "node", i, k)
                          : *name,
            run.steps[i].tensors[k], sample);
    for (std::size_t i = 0; i < run.outputs.size(); ++i)
      add(model_.value(model_.outputs()[i]).name, run.outputs[i], sample);
    return sample;
  }

  void add(const std::string& wish, const DeviceTensor& t, Sample& sample) {
    std::optional<Tensor> tensor = tensor_of_device(t);
    if (!tensor) return;
    std::string name = wish;
    if (const auto it = sample.find(wish);
        it != sample.end() && std::ranges::equal(it->second.bytes(), tensor->bytes()))
      return;  // an output that a node made
    for (int n = 2; sample.contains(name); ++n) name = fmt::format("{}#{}", wish, n);
    if (capture_.infos
            .emplace(name, TensorInfo{tensor->dtype(), tensor->shape(), quant_of_device(t), {}})
            .second)
      capture_.order.push_back(name);
    sample.emplace(name, std::move(*tensor));
  }

  void progress(std::size_t all) const {
    if (!control_.progress) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    const auto done = static_cast<double>(capture_.samples.size() - begun_at_);
    const double left =
        done > 0 ? seconds / done * static_cast<double>(all - capture_.samples.size()) : 0;
    control_.progress(fmt::format("sample {} of {}, {:.1f} KB/s, {}:{:02} left",
                                  capture_.samples.size(), all,
                                  seconds > 0 ? static_cast<double>(moved_) / 1024 / seconds : 0,
                                  static_cast<int>(left) / 60, static_cast<int>(left) % 60));
  }

  void say_what_came() {
    const bool npu = device_.info().npu();
    if (times_.runs > 0) capture_.notes.push_back(times_.text(npu));
    if (repeat_ > 1)
      capture_.notes.push_back(
          fmt::format("every sample ran {} times with equal results", repeat_));
    if (capture_.order.size() > model_.outputs().size()) return;
    capture_.notes.push_back(
        fmt::format("this firmware yields final outputs and times{}, no tensors between them; "
                    "more: gdb:HOST:PORT, or Lockstep's agent on the board",
                    times_.steps.empty() ? ""
                    : npu                ? " of every epoch"
                                         : " of every node"));
  }

  std::string uri_;
  BoardOptions options_;
  Device device_;
  std::size_t network_;
  Graph model_;
  const Arithmetic& arithmetic_;
  StateMode state_;
  LinkControl control_;
  std::vector<InputPlan> plans_;
  Capture capture_;
  Times times_;
  std::vector<std::string> names_;  // of the steps' tensors, whole
  int repeat_ = 1;
  std::uint64_t moved_ = 0;
  std::size_t begun_at_ = 0;
  Clock::time_point start_;
};

}  // namespace

Result<std::unique_ptr<Target>> open_board(std::string_view uri, const TargetContext& context) {
  LOCKSTEP_TRY(const BoardOptions options, parse_options(uri));
  LOCKSTEP_TRY(auto stream, open_stream(options.link));
  LOCKSTEP_TRY(Device device, Device::connect(std::move(stream), {.result = options.patience}));
  LOCKSTEP_TRY(const std::size_t network, network_for(context.model, device.info().networks,
                                                      options.network, std::string(uri)));
  auto board =
      std::make_unique<Board>(std::string(uri), options, std::move(device), network, context);
  LOCKSTEP_CHECK(board->plan());
  return std::unique_ptr<Target>(std::move(board));
}

}  // namespace lockstep
