#pragma once

#include "target/target_generated.h"

namespace lockstep {

// How a generated network is built and run: what tells c: and qemu: apart.
struct CompiledKind {
  std::string_view scheme;  // "c:"
  std::string_view option;  // the one option that may follow the folder: ",poison=on"
  std::string_view device;  // as Description has it
  // Compiles `network` with the harness into `work`; `chosen` says that the option was given.
  Result<void> (*build)(const GeneratedNetwork& network, const ScratchFolder& work, bool chosen,
                        const std::string& uri);
  // Runs it: work/in.bin becomes work/out.bin.
  Result<void> (*execute)(const ScratchFolder& work, const std::string& uri);
};

// scheme + DIR [+ option]: a folder that `lockstep generate` wrote from the context's model.
Result<std::unique_ptr<Target>> open_compiled(const CompiledKind& kind, std::string_view uri,
                                              const TargetContext& context);

}  // namespace lockstep
