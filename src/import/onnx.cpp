#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "import/onnx_reader.h"

namespace lockstep {
namespace {

Result<void> parse(std::span<const std::byte> bytes, const std::string& path,
                   onnx::ModelProto& model) {
  const auto limit = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (bytes.size() > limit) return Error{path, "more than 2 GiB", "a smaller model", ""};
  google::protobuf::LogSilencer silent;  // protobuf would print what the Error says
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Error{path, std::to_string(bytes.size()) + " bytes that protobuf cannot read as ONNX",
                 "an .onnx or .tflite model", "the file is damaged, cut, or of another kind"};
  if (!model.has_graph() || model.graph().node_size() + model.graph().output_size() == 0)
    return Error{path, "no graph", "an .onnx or .tflite model",
                 "the file is damaged, cut, or of another kind"};
  return {};
}

}  // namespace

Result<Graph> import_onnx(const std::string& path, const ImportOptions& options) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  return import_onnx_bytes(bytes, path, options);
}

Result<Graph> import_onnx_bytes(std::span<const std::byte> bytes, const std::string& path,
                                const ImportOptions& options) {
  try {
    onnx::ModelProto model;
    LOCKSTEP_CHECK(parse(bytes, path, model));
    OnnxReader first(path, options, model, 1);
    auto graph = first.read();
    if (graph.ok() || !first.guessed_extents()) return graph;
    for (std::int64_t extent = 2; extent <= 256; extent *= 2)
      if (auto other = OnnxReader(path, options, model, extent).read(); other.ok()) return other;
    if (graph.error().hint.empty())
      graph.error().hint = "extents that the file leaves open were taken as 1";
    return graph;
  } catch (const std::exception& e) {  // protobuf's, and memory that is not there
    return Error{path, std::string("a model that could not be read: ") + e.what(), "an ONNX model",
                 ""};
  }
}

}  // namespace lockstep
