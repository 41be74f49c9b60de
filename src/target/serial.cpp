#include "target/target_board.h"

namespace lockstep {

extern constinit const TargetDef target_serial = {
    .name = "serial",
    .syntax = "serial:PORT[:BAUD][,network=NAME][,patience=SECONDS]",
    .meaning =
        "a board on a serial line: ST's validation firmware of any version, or Lockstep's agent",
    .matches = [](std::string_view uri) { return uri.starts_with("serial:"); },
    .open = open_board,
};

}  // namespace lockstep
