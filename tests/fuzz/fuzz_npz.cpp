// Any bytes as an archive of captures: samples of a small model, or an error.
#include "run/recording.h"

namespace {

lockstep::Graph small_model() {
  lockstep::GraphBuilder g("m.onnx", "onnx");
  lockstep::Value x, y;
  x.name = "x";
  y.name = "y";
  x.shape = y.shape = {1, 2};
  lockstep::Node n;
  n.name = "relu";
  n.op = "Relu";
  n.inputs = {g.add_value(x)};
  n.outputs = {g.add_value(y)};
  g.add_node(n);
  g.add_input(n.inputs[0]);
  g.add_output(n.outputs[0]);
  return std::move(std::move(g).finish()).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const lockstep::Graph model = small_model();
  const auto npz = lockstep::parse_npz(std::as_bytes(std::span(data, size)), "fuzz.npz");
  if (!npz.ok()) return 0;
  const auto recording = lockstep::recording_from_npz(*npz, "fuzz.npz");
  if (recording.ok()) (void)lockstep::capture_from(*recording, model);
  return 0;
}
