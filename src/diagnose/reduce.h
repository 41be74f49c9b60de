#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "diagnose/session.h"

namespace lockstep {

// The smallest part of a model, and the smallest input, that still show what a verdict found first:
// the wrong operation alone, fed with what the device had there, cropped as far as cropping changes
// no number.
struct ReducedCase {
  // A run before the one shown, which the device still had something of.
  struct Earlier {
    Sample input;
    Tensor expected, device;
    std::size_t sample = 0;
  };
  std::vector<Earlier> before;  // in the order of the runs
  Bytes model;                  // in the format of the whole
  std::string file;             // "model.onnx" or "model.tflite"
  std::vector<std::string> inputs;
  std::string output;
  Sample input;             // one sample
  Tensor expected, device;  // of the output
  QuantParams quant;        // of the output
  std::size_t sample = 0;   // of the original run
  std::size_t nodes = 0, nodes_before = 0;
  std::int64_t differing = 0;      // of the output's values
  std::vector<std::string> steps;  // what was done, one sentence each
};

// Which run before the wrong one is kept: for faults that show something of it.
enum class KeptRun : std::uint8_t { none, previous, first };

// How much of the evidence the part keeps: at least so many wrong values, which run before, and the
// device's codes in the place of the reals that it yields (a fault of lines or words of memory is
// one of the reals' bytes).
struct Keep {
  std::int64_t values = 12;
  KeptRun earlier = KeptRun::none;
  bool codes = true;
};

// `bytes` are the model's file. Errors: a healthy device; a fault that is in the network's input; a
// model that cannot be cut (subgraphs, tensors that the file does not name).
Result<ReducedCase> reduce(const Request& request, const Answer& answer,
                           std::span<const std::byte> bytes, const Keep& keep);

}  // namespace lockstep
