#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diagnose/verdict.h"

namespace lockstep {

// A verdict with what it is about: what text, JSON and HTML are made from.
struct Report {
  std::string model, format;       // as the user named it; "onnx", "tflite"
  std::string input;               // file, or how the inputs were made
  std::string reference, runtime;  // arithmetic; what it imitates, with version
  std::string target, device;      // URI; what it says of itself
  std::string tolerance;           // as given, "" for the standard one
  std::vector<std::string> notes;
  Verdict verdict;
  const Graph* graph =
      nullptr;  // the lowered reference: scales for the line of the first wrong operation
};

struct TextStyle {
  bool colour = false;
  bool all_rows = false;  // otherwise long tables keep the rows around what is wrong
  bool ranking = false;   // all explanations, as `diagnose` prints them
};

std::string text_report(const Report& report, const TextStyle& style);
// docs/report.md: "lockstep.report", version 1.
std::string json_report(const Report& report);

// "24 576"
std::string grouped(std::int64_t n);
// A cause with its parameters; of a long list of runs or channels the first ones and how many more.
std::string short_spec(const std::string& spec);
// Specs that are one fault with the same parameters at several places stand as one, in the order of
// the first of each: "stale-output at any of /fc, /conv, /mean and 3 more places".
std::vector<std::string> specs_by_fault(const std::vector<std::string>& specs);
// "81.2 %", "< 0.1 %", "0 %"
std::string percent(double share);

}  // namespace lockstep
