#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/npy.h"
#include "run/build.h"
#include "run/capture.h"
#include "run/executor.h"

namespace lockstep {

// Who said which type an array is of: its file, nobody yet (bytes), or the model.
enum class TypeFrom { file, nobody, model };

// One array as a file of recorded tensors holds it, and what the file says about it.
struct RecordedArray {
  std::string name;          // as the file says, ".npy" and folders removed
  Tensor tensor;             // float16 widened to float32
  QuantParams quant;         // empty where the file is silent
  Origin origin;             // node and layout where the file says
  std::int64_t sample = -1;  // the sample that it belongs to; -1: all samples along its first axis
  TypeFrom type_from = TypeFrom::file;
};

// The contents of a captures file or folder, not yet cut into samples. docs/captures.md has the
// forms.
struct Recording {
  std::string source;
  std::string arithmetic;
  std::int64_t samples = 0;  // 0: the file does not say
  std::vector<RecordedArray> arrays;
  std::vector<std::string> notes;
  Build build = {};
};

// Whether `path` looks like recorded tensors: a folder, or .npz, .npy, .csv, .json, .raw.
bool is_recording(std::string_view path);

// Reads any of those forms. Nothing is allocated before its size was checked against the file.
Result<Recording> read_recording(const std::string& path);
Result<Recording> recording_from_npz(const NpzFile& npz, const std::string& where);
Result<Recording> recording_from_csv(std::string_view text, const std::string& name,
                                     const std::string& where);
// `json_path` names the description; its raw files lie in the same folder.
Result<Recording> recording_from_raw(std::string_view json, const std::string& json_path);

// Recorded arrays as samples of `model`: names become the model's where they can (ST's c_outputs_1,
// names whose slashes were replaced), arrays are cut along their first axis. `expected` is the
// number of samples that the caller will compare with, 0 when open. Errors: arrays that disagree
// about the number of samples, a tensor of the model with a count that does not fit.
Result<Capture> capture_from(const Recording& recording, const Graph& model,
                             std::int64_t expected = 0);

// Writes a capture as .npz: each tensor's samples along the first axis, and "lockstep.json" with
// quantization, origins and the build. An error when a tensor is missing in some samples.
Result<void> write_capture(const std::string& path, const Capture& capture,
                           const Build& build = {});

Tensor tensor_of(const NpyArray& array);
NpyArray array_of(const Tensor& tensor);

}  // namespace lockstep
