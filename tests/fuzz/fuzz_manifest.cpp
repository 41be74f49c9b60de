// Any text as the manifest of a generated network: tensors inside their pools, or an error; and the
// same bytes as what its harness answers.
#include <cstdlib>

#include "target/target_generated.h"

namespace {

constexpr std::string_view small =
    R"({"format": "lockstep-network", "version": 1, "name": "n", "model_hash": "",
  "arithmetic": "ort", "pools": [{"name": "arena", "bytes": 64}],
  "activation_bytes": 64, "weight_bytes": 0, "states": [],
  "inputs": [{"name": "x", "dtype": "int8", "shape": [1, 4], "pool": "arena", "offset": 0}],
  "outputs": [{"name": "y", "dtype": "int8", "shape": [1, 4], "pool": "arena", "offset": 16}],
  "nodes": [{"name": "a", "op": "Relu", "inputs": ["x"],
    "outputs": [{"name": "y", "dtype": "int8", "shape": [1, 4],
                 "pool": "arena", "offset": 16}]}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  const auto network = generated_from({reinterpret_cast<const char*>(data), size}, "fuzz.json");
  if (network.ok())
    for (const auto& outputs : network->nodes)
      for (const GeneratedTensor& t : outputs)
        if (t.pool >= 0 &&
            (t.offset < 0 ||
             t.bytes > network->pools[static_cast<std::size_t>(t.pool)].second - t.offset))
          std::abort();
  static const GeneratedNetwork known = generated_from(small, "small.json").value();
  static const std::vector<Sample> inputs = {{{"x", Tensor(DType::i8, {1, 4})}}};
  const auto capture = harness_capture(known, inputs, {}, std::as_bytes(std::span(data, size)));
  if (capture.ok() && capture->samples.size() != inputs.size()) std::abort();
  return 0;
}
