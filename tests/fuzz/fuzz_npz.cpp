// Any bytes as an archive of captures: its tensors and inputs in the terms of a
// small model, or an error.
#include <cstdlib>

#include "diff/inputs.h"
#include "diff/pair.h"
#include "run/recording.h"

namespace {

// x (float) -> QuantizeLinear -> q int8 [1,2,1,3] -> Relu -> y int8
lockstep::Graph small_model() {
  lockstep::GraphBuilder g("m.onnx", "onnx");
  const char* names[] = {"x", "q", "y"};
  lockstep::ValueId ids[3];
  for (int i = 0; i < 3; ++i) {
    lockstep::Value v;
    v.name = names[i];
    v.shape = {1, 2, 1, 3};
    if (i > 0) v.dtype = lockstep::DType::i8, v.quant = {{0.5}, {-1}, -1};
    ids[i] = g.add_value(v);
  }
  for (int i = 0; i < 2; ++i) {
    lockstep::Node n;
    n.name = i ? "relu" : "quantize";
    n.op = i ? "Relu" : "QuantizeLinear";
    n.inputs = {ids[i]};
    n.outputs = {ids[i + 1]};
    g.add_node(n);
  }
  g.add_input(ids[0]);
  g.add_output(ids[2]);
  return std::move(std::move(g).finish()).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const lockstep::Graph model = small_model();
  const auto npz = lockstep::parse_npz(std::as_bytes(std::span(data, size)), "fuzz.npz");
  if (!npz.ok()) return 0;
  const auto recording = lockstep::recording_from_npz(*npz, "fuzz.npz");
  if (!recording.ok()) return 0;
  const auto capture = lockstep::capture_from(*recording, model);
  if (!capture.ok()) return 0;
  std::vector<std::string> notes;
  (void)lockstep::inputs_from(model, *capture, notes);
  const auto pairing = lockstep::pair_tensors(model, *capture);
  if (!pairing.ok()) return 0;
  for (const auto& sample : pairing->samples)
    for (const auto& [name, tensor] : sample)
      if (tensor.shape() != model.value(model.find_value(name)).shape) std::abort();
  return 0;
}
