#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diagnose/judge.h"

namespace lockstep {

// What is wrong with a recording rather than with a device: samples in another order or recorded
// twice, two tensors under each other's names, tensors that were never recorded, cut off or in
// another byte order or type. Such captures are refused with one sentence, not explained. Nothing
// when none of these is seen.
std::optional<std::string> bad_capture(const Case& c, const Comparison& comparison);

// The same of what only shows once no cause was found: values that are not finite, inputs other
// than those given. `v` holds the suspects.
std::optional<std::string> unexplained_capture(const Case& c, const Verdict& v);

// The device's samples are what the reference makes, to the value, of the inputs in another order:
// seen before anything is judged by its distance.
std::optional<std::string> reordered_exactly(const Case& c, const Comparison& comparison);

// What a reader should know of the recording beside the verdict: values that are not finite,
// tensors that only some samples hold.
std::vector<std::string> capture_notes(const Case& c, const Comparison& comparison);

// An output that is the same for all inputs where the reference's moves: said beside any cause. ""
// when it is not so.
std::string constant_output(const Case& c);

// Most operations with weights are wrong, each from its own inputs, and nothing explains them,
// while the others are right: the captures come from other weights. "" when it is not so.
std::string other_version(const Case& c, const Verdict& verdict);

// Everything follows from what the operations that read the network's inputs yield, and these are
// wrong throughout without a cause. "" when it is not so.
std::string doubtful_inputs(const Case& c, const Verdict& verdict);

// The samples are what the reference makes, to the value, where it keeps its state between them.
std::optional<std::string> one_stream(const Case& c, const Comparison& comparison);

// Each sample is the answer to the input before, and no cause says what the first is: seen once
// none was found.
std::optional<std::string> begun_early(const Case& c, const Comparison& comparison);

// Parts of bad_capture: which input each sample is of; what the tensors hold.
std::optional<std::string> misplaced_samples(const Case& c, const Comparison& comparison);
// The same of samples that hold so few values that a device's may be another sample's by chance:
// the recording is wrong where no cause is found, else it is said beside the cause, which is not
// certain then.
std::optional<std::string> perhaps_misplaced(const Case& c, const Comparison& comparison);
// Two of the outputs hold each other's contents, and nothing else was recorded: the recording is
// wrong where no one cause further in makes both.
std::optional<std::string> perhaps_exchanged(const Case& c, const Comparison& comparison);
std::optional<std::string> bad_contents(const Case& c, const Comparison& comparison);

const Tensor* recorded_tensor(const Sample& sample, const std::string& name);
// Within one step everywhere (reals: within a ten thousandth of the greatest).
bool within_a_step(const Graph& g, const Row& row, const Tensor& expected, const Tensor& device);

}  // namespace lockstep
