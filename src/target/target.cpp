#include "target/target.h"

namespace lockstep {

Result<std::unique_ptr<Target>> open_target(std::string_view uri, const TargetContext& context) {
  for (const TargetDef* def : target_table())
    if (def->matches(uri)) return def->open(uri, context);
  std::string schemes;
  for (const TargetDef* def : target_table()) schemes += (schemes.empty() ? "" : " | ") + std::string(def->syntax);
  return Error{"--target " + std::string(uri), "no such target", schemes, ""};
}

}  // namespace lockstep
