#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "emit/emit.h"
#include "link/gdb.h"
#include "target/target.h"
#include "target/target_kept.h"
#include "target/target_places.h"
#include "target/target_stepper.h"
#include "target/target_wire.h"

namespace lockstep {
namespace {

constexpr std::string_view prefix = "gdb:";
constexpr std::byte poison{0xA5};

struct GdbOptions {
  std::string host, port, elf, description, run;
  std::vector<std::string> inputs, outputs;  // places, where no file describes the network
  std::vector<std::string> monitor;          // commands for the server, after connecting
  Milliseconds patience{9000};
  bool poison = true;
};

Result<GdbOptions> parse_options(std::string_view uri) {
  const std::vector<std::string> parts = split(uri.substr(prefix.size()), ',');
  const std::size_t colon = parts[0].rfind(':');
  const Error form{
      std::string(uri), "no such target",
      "gdb:HOST:PORT,net=network.json,elf=FIRMWARE.elf[,run=FUNCTION][,monitor=COMMAND][,patience="
      "SECONDS][,poison=no], or elf=,run=,input=SYMBOL,output=SYMBOL",
      ""};
  if (colon == std::string::npos || colon == 0 || colon + 1 == parts[0].size()) return form;
  GdbOptions o;
  o.host = parts[0].substr(0, colon);
  o.port = parts[0].substr(colon + 1);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    const std::string key = parts[i].substr(0, equals),
                      value = equals == std::string::npos ? "" : parts[i].substr(equals + 1);
    int seconds = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    const bool number = failure == std::errc() && end == value.data() + value.size() &&
                        seconds > 0 && seconds <= 3600;
    if (key == "elf")
      o.elf = value;
    else if (key == "net")
      o.description = value;
    else if (key == "run")
      o.run = value;
    else if (key == "input")
      o.inputs.push_back(value);
    else if (key == "output")
      o.outputs.push_back(value);
    else if (key == "monitor")
      o.monitor.push_back(value);
    else if (key == "patience" && number)
      o.patience = std::chrono::seconds(seconds);
    else if (key == "poison" && (value == "yes" || value == "no"))
      o.poison = value == "yes";
    else
      return Error{std::string(uri), "'" + parts[i] + "'",
                   "net=FILE, elf=FILE, run=FUNCTION, input=SYMBOL, output=SYMBOL, "
                   "monitor=COMMAND, patience=SECONDS, poison=no",
                   ""};
  }
  if (o.elf.empty() || o.description.empty() == o.inputs.empty()) return form;
  return o;
}

// A firmware under a debugger: inputs are written where the network reads them, the core runs to
// each stop, and what a node made is read before it is reused.
class Debugged : public Target {
 public:
  Debugged(std::string uri, GdbOptions options, Gdb gdb, PlacedNetwork network,
           const TargetContext& context)
      : uri_(std::move(uri)),
        options_(std::move(options)),
        gdb_(std::move(gdb)),
        network_(std::move(network)),
        model_(context.model),
        arithmetic_(context.arithmetic),
        state_(context.state),
        control_(context.link) {}
  ~Debugged() override {
    stepper_.clear();
    gdb_.detach();
  }

  Result<void> plan() {
    const DeviceNetwork seen{network_.name,    "", "", "", 0, 0, network_.inputs,
                             network_.outputs, {}, {}};
    LOCKSTEP_TRY(const std::size_t fits, network_for(model_, {seen}, "", uri_));
    (void)fits;
    for (std::size_t i = 0; i < model_.inputs().size(); ++i) {
      LOCKSTEP_TRY(InputPlan p,
                   plan_input(model_.value(model_.inputs()[i]), network_.inputs[i], uri_));
      plans_.push_back(std::move(p));
    }
    return {};
  }

  Description describe() const override {
    Description d{.uri = uri_,
                  .device = "network '" + network_.name + "' under a debugger",
                  .arithmetic = "",
                  .all_tensors = !network_.stops.empty(),
                  .takes_inputs = true,
                  .notes = {}};
    for (const InputPlan& p : plans_)
      if (!p.note.empty()) d.notes.push_back("input '" + p.name + "': " + p.note);
    if (network_.stops.empty()) {
      const std::size_t left = surviving(network_).size();
      if (network_.nodes.size() > 1)
        d.notes.push_back(
            fmt::format("the firmware has no place to stop after a node: whole runs only, and of "
                        "{} nodes the outputs of {} survive to its end{}",
                        network_.nodes.size(), left, names_of_surviving()));
      else
        d.notes.push_back(
            "whole runs only: without a description of the network its inner tensors are not "
            "known");
    }
    return d;
  }

  Result<Capture> run(std::span<const Sample> inputs, std::span<const std::string>) override {
    capture_ = {};
    if (!control_.resume.empty()) {
      LOCKSTEP_TRY(capture_, kept_capture(control_.resume, inputs, of()));
      capture_.notes.push_back(fmt::format(
          "{} of {} samples taken from {}{}", capture_.samples.size(), inputs.size(),
          control_.resume,
          state_ == StateMode::keep ? ", and run again for the device's states, with equal results"
                                    : ""));
    }
    begun_at_ = capture_.samples.size();
    capture_.source = uri_;
    start_ = std::chrono::steady_clock::now();
    const auto done = run_all(inputs);
    stepper_.clear();
    if (done.ok()) return std::move(capture_);
    return with_kept(done.error(), control_.kept, capture_, inputs, of());
  }

 private:
  // The build: the firmware's file and the description of its network.
  KeptOf of() const {
    std::string build;
    for (const std::string& path : {options_.elf, options_.description})
      if (const auto file = read_file(path); file.ok())
        build += (build.empty() ? "" : ", ") + path + " " + content_hash(*file);
    return kept_of(model_.file(), build, state_ == StateMode::keep);
  }

  std::string names_of_surviving() const {
    std::vector<std::string> names;
    for (const std::size_t i : surviving(network_))
      names.push_back("'" + network_.nodes[i].name + "'");
    const std::size_t more = names.size() > 8 ? names.size() - 8 : 0;
    names.resize(names.size() - more);
    return names.empty()
               ? ""
               : ": " + join(names, ", ") + (more ? fmt::format(" and {} more", more) : "");
  }

  // Kept samples are run again where only they bring the firmware's states to where they were.
  Result<void> run_all(std::span<const Sample> inputs) {
    LOCKSTEP_CHECK(stepper_.enter());
    for (std::size_t s = state_ == StateMode::keep ? 0 : begun_at_; s < inputs.size(); ++s) {
      if (network_.init != 0 && (s == 0 || state_ == StateMode::reset))
        LOCKSTEP_CHECK(stepper_.call_init());
      LOCKSTEP_CHECK(poison_buffers());
      LOCKSTEP_CHECK(write_inputs(inputs[s]));
      LOCKSTEP_TRY(Sample sample, run_sample());
      if (s < begun_at_)
        LOCKSTEP_CHECK(same_as_kept(capture_.samples[s], sample, s, uri_));
      else
        capture_.samples.push_back(std::move(sample));
      ++ran_;
      if (control_.progress) {
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        const auto left = static_cast<int>(seconds / static_cast<double>(ran_) *
                                           static_cast<double>(inputs.size() - s - 1));
        control_.progress(fmt::format(
            "sample {} of {}, {:.1f} KB/s, {}:{:02} left", s + 1, inputs.size(),
            seconds > 0 ? static_cast<double>(moved_) / 1024 / seconds : 0, left / 60, left % 60));
      }
    }
    return {};
  }

  // Every output buffer is overwritten first, so that what a node left undone shows.
  Result<void> poison_buffers() {
    if (!options_.poison) return {};
    for (const PlacedNode& node : network_.nodes)
      for (const DeviceTensor& t : node.outputs) {
        const auto touches = [&](const DeviceTensor& s) {
          return t.address < s.address + s.bytes() && s.address < t.address + t.bytes();
        };
        if (std::ranges::any_of(network_.states, touches)) continue;
        LOCKSTEP_CHECK(gdb_.write(t.address, Bytes(t.bytes(), poison)));
      }
    return {};
  }

  Result<void> write_inputs(const Sample& sample) {
    for (const InputPlan& p : plans_) {
      const auto it = sample.find(p.name);
      if (it == sample.end())
        return Error{uri_, "no input '" + p.name + "'", "every input of the model", ""};
      LOCKSTEP_TRY(const Bytes bytes, apply(p, it->second, arithmetic_));
      LOCKSTEP_CHECK(gdb_.write(p.to.address, bytes));
      moved_ += bytes.size();
    }
    return {};
  }

  Result<Sample> run_sample() {
    LOCKSTEP_CHECK(stepper_.begin());
    Sample sample;
    std::size_t done = 0;
    for (const PlacedStop& stop : network_.stops) {
      LOCKSTEP_CHECK(stepper_.to(stop));
      for (; done < stop.done; ++done) LOCKSTEP_CHECK(read_node(network_.nodes[done], sample));
      if (!stop.counted) stepper_.unbreak(stop.address);
    }
    if (!network_.stops.empty() && network_.stops.back().counted)
      stepper_.unbreak(network_.stops.back().address);
    LOCKSTEP_CHECK(stepper_.to_end());
    if (network_.stops.empty()) {
      for (const std::size_t i : surviving(network_))
        LOCKSTEP_CHECK(read_node(network_.nodes[i], sample));
    } else {
      for (; done < network_.nodes.size(); ++done)
        LOCKSTEP_CHECK(read_node(network_.nodes[done], sample));
    }
    for (std::size_t i = 0; i < network_.outputs.size(); ++i)
      LOCKSTEP_CHECK(
          read_tensor(network_.outputs[i], model_.value(model_.outputs()[i]).name, sample));
    return sample;
  }

  Result<void> read_node(const PlacedNode& node, Sample& sample) {
    for (const DeviceTensor& t : node.outputs) LOCKSTEP_CHECK(read_tensor(t, t.name, sample));
    return {};
  }

  Result<void> read_tensor(const DeviceTensor& t, const std::string& name, Sample& sample) {
    if (sample.contains(name) || !t.dtype || t.elements == 0) return {};
    DeviceTensor held = t;
    LOCKSTEP_TRY(held.data, gdb_.read(t.address, static_cast<std::uint32_t>(t.bytes())));
    moved_ += held.data.size();
    std::optional<Tensor> tensor = tensor_of_device(held);
    if (!tensor) return {};
    if (capture_.infos
            .emplace(name, TensorInfo{tensor->dtype(), tensor->shape(), quant_of_device(t), {}})
            .second)
      capture_.order.push_back(name);
    sample.emplace(name, std::move(*tensor));
    return {};
  }

  std::string uri_;
  GdbOptions options_;
  Gdb gdb_;
  PlacedNetwork network_;
  Graph model_;
  const Arithmetic& arithmetic_;
  StateMode state_;
  LinkControl control_;
  std::vector<InputPlan> plans_;
  Stepper stepper_{gdb_, network_, uri_, options_.patience};
  std::size_t begun_at_ = 0, ran_ = 0;
  Capture capture_;
  std::uint64_t moved_ = 0;
  std::chrono::steady_clock::time_point start_;
};

Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  LOCKSTEP_TRY(const GdbOptions options, parse_options(uri));
  LOCKSTEP_TRY(PlacedNetwork network,
               options.inputs.empty() ? place_network(options.description, options.elf, options.run)
                                      : place_by_symbols(context.model, options.elf, options.run,
                                                         options.inputs, options.outputs));
  LOCKSTEP_TRY(auto stream, open_tcp(options.host, options.port));
  LOCKSTEP_TRY(Gdb gdb, Gdb::connect(std::move(stream)));
  for (const std::string& line : options.monitor) LOCKSTEP_CHECK(gdb.monitor(line));
  auto target = std::make_unique<Debugged>(std::string(uri), options, std::move(gdb),
                                           std::move(network), context);
  LOCKSTEP_CHECK(target->plan());
  return std::unique_ptr<Target>(std::move(target));
}

}  // namespace

extern constinit const TargetDef target_gdb = {
    .name = "gdb",
    .syntax =
        "gdb:HOST:PORT,elf=FIRMWARE.elf,net=network.json[,run=FUNCTION][,monitor=COMMAND][,"
        "patience=SECONDS][,poison=no] | "
        "gdb:HOST:PORT,elf=FIRMWARE.elf,run=FUNCTION,input=SYMBOL,output=SYMBOL",
    .meaning =
        "a firmware under any GDB server (QEMU, OpenOCD, ST-LINK, J-Link), stopped after every "
        "operation or epoch",
    .matches = [](std::string_view uri) { return uri.starts_with(prefix); },
    .open = open,
};

}  // namespace lockstep
