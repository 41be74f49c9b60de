#include "target/target_board.h"

namespace lockstep {

extern constinit const TargetDef target_tcp = {
    .name = "tcp",
    .syntax = "tcp:HOST:PORT[,network=NAME][,patience=SECONDS]",
    .meaning = "the same over a network connection, for instance an emulated board",
    .matches = [](std::string_view uri) { return uri.starts_with("tcp:"); },
    .open = open_board,
};

}  // namespace lockstep
