#include "target/target_compiled.h"

namespace lockstep {
namespace {

class CompiledNetwork : public Target {
 public:
  CompiledNetwork(const CompiledKind& kind, std::string uri, GeneratedNetwork network,
                  ScratchFolder work, StateMode state)
      : kind_(kind),
        uri_(std::move(uri)),
        network_(std::move(network)),
        work_(std::move(work)),
        state_(state) {}

  Description describe() const override {
    return {.uri = uri_,
            .device = std::string(kind_.device),
            .arithmetic = network_.arithmetic,
            .all_tensors = true,
            .takes_inputs = true,
            .notes = {}};
  }

  Result<Capture> run(std::span<const Sample> inputs,
                      std::span<const std::string> wanted) override {
    LOCKSTEP_CHECK(write_harness_input(network_, inputs, state_, work_ / "in.bin"));
    LOCKSTEP_CHECK(kind_.execute(work_, uri_));
    return read_harness_output(network_, inputs, wanted, work_ / "out.bin");
  }

 private:
  const CompiledKind& kind_;
  std::string uri_;
  GeneratedNetwork network_;
  ScratchFolder work_;
  StateMode state_;
};

}  // namespace

Result<std::unique_ptr<Target>> open_compiled(const CompiledKind& kind, std::string_view uri,
                                              const TargetContext& context) {
  std::string folder(uri.substr(kind.scheme.size()));
  const bool chosen = folder.ends_with(kind.option);
  if (chosen) folder.resize(folder.size() - kind.option.size());
  LOCKSTEP_TRY(GeneratedNetwork network, read_generated(folder));
  LOCKSTEP_CHECK(same_model(network, context.model));
  LOCKSTEP_TRY(ScratchFolder work, ScratchFolder::make());
  LOCKSTEP_CHECK(kind.build(network, work, chosen, std::string(uri)));
  return std::unique_ptr<Target>(std::make_unique<CompiledNetwork>(
      kind, std::string(uri), std::move(network), std::move(work), context.state));
}

}  // namespace lockstep
