#pragma once

#include "target/target.h"

namespace lockstep {

// A device behind a link that speaks the validation protocol. `uri` is the link's address, then
// options: ",network=NAME", ",patience=SECONDS" (silence allowed during an inference).
Result<std::unique_ptr<Target>> open_board(std::string_view uri, const TargetContext& context);

}  // namespace lockstep
