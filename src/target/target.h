#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arith/arith.h"
#include "ir/graph.h"
#include "run/capture.h"
#include "run/executor.h"

namespace lockstep {

// What a target says of itself.
struct Description {
  std::string uri;
  std::string device;        // "virtual device", "STM32N657, Neural-ART", the file's name
  std::string arithmetic;    // "" when unknown
  bool all_tensors = false;  // false: outputs only, or what the file holds
  bool takes_inputs = true;  // false: recorded; its samples are what they are
  std::vector<std::string> notes;
};

// How a target over a link is run.
struct LinkControl {
  int repeat = 0;    // times each sample; 0: twice on a serial line without check fields, else once
  std::string kept;  // .npz for what was captured when the link breaks; "": nothing is kept
  std::string resume;  // .npz kept by an earlier run, whose samples are not run again; "": none
  std::function<void(const std::string& what)> progress = {};
};

// What a target needs to know when it is opened.
struct TargetContext {
  const Graph& model;            // imported, not lowered
  const Arithmetic& arithmetic;  // the reference's
  StateMode state = StateMode::reset;
  LinkControl link = {};
};

// Anything that takes inputs and yields named tensors.
class Target {
 public:
  virtual ~Target() = default;
  virtual Description describe() const = 0;
  // Runs the samples in order and yields the wanted tensors (all it can when empty).
  virtual Result<Capture> run(std::span<const Sample> inputs,
                              std::span<const std::string> wanted) = 0;
};

// A kind of target: one per URI scheme.
struct TargetDef {
  std::string_view name = {};     // "sim", "captures"
  std::string_view syntax = {};   // "sim:FAULT[@NODE][,key=value...]"
  std::string_view meaning = {};  // one sentence
  bool (*matches)(std::string_view uri);
  Result<std::unique_ptr<Target>> (*open)(std::string_view uri, const TargetContext& context);
};

std::span<const TargetDef* const> target_table();
// Opens whatever matches; an error says what the word is nearest to.
Result<std::unique_ptr<Target>> open_target(std::string_view uri, const TargetContext& context);

}  // namespace lockstep
