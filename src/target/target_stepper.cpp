#include "target/target_stepper.h"

#include <algorithm>

#include <fmt/format.h>

namespace lockstep {

Result<void> Stepper::enter() {
  LOCKSTEP_TRY(entry_, gdb_.registers());
  if (entry_.at(GdbRegisters::program) != network_.run) {
    LOCKSTEP_CHECK(gdb_.set_breakpoint(network_.run));
    LOCKSTEP_CHECK(gdb_.run_until_stop(patience_));
    LOCKSTEP_CHECK(gdb_.clear_breakpoint(network_.run));
    LOCKSTEP_TRY(entry_, gdb_.registers());
  }
  if (entry_.at(GdbRegisters::program) != network_.run)
    return link_error(
        uri_,
        fmt::format("the core stopped at {:#010x}{}", entry_.at(GdbRegisters::program),
                    network_.function_around(entry_.at(GdbRegisters::program))),
        fmt::format("the run function at {:#010x}", network_.run),
        "a fault, or another breakpoint?");
  back_ = entry_.at(GdbRegisters::link) & ~1u;
  LOCKSTEP_CHECK(break_at(back_));
  return {};
}

Result<void> Stepper::break_at(std::uint32_t address) {
  if (std::ranges::find(broken_at_, address) != broken_at_.end()) return {};
  LOCKSTEP_CHECK(gdb_.set_breakpoint(address));
  broken_at_.push_back(address);
  return {};
}

void Stepper::unbreak(std::uint32_t address) {
  if (std::erase(broken_at_, address) > 0) (void)gdb_.clear_breakpoint(address);
}

void Stepper::clear() {
  while (!broken_at_.empty()) unbreak(broken_at_.back());
}

Result<void> Stepper::call_init() {
  GdbRegisters r = entry_;
  r.set(GdbRegisters::program, network_.init);
  LOCKSTEP_CHECK(gdb_.set_registers(r));
  LOCKSTEP_TRY(const std::uint32_t at, go_on());
  if (at != back_) return strayed(at, "the end of the init function");
  return {};
}

// To the next breakpoint: the program counter there. A step may end in an interrupt's handler,
// which comes back to where it began: that is not the next stop.
Result<std::uint32_t> Stepper::go_on() {
  for (int interrupts = 0;; ++interrupts) {
    LOCKSTEP_TRY(const GdbRegisters from, gdb_.registers());
    LOCKSTEP_TRY(const std::uint32_t at, one_stop(from));
    bool same = at == from.at(GdbRegisters::program) && interrupts < 1000;
    for (const std::size_t i : {std::size_t{0}, GdbRegisters::stack, GdbRegisters::link})
      same = same && stopped_.at(i) == from.at(i);
    if (!same) return at;
  }
}

Result<std::uint32_t> Stepper::one_stop(const GdbRegisters& from) {
  const std::uint32_t here = from.at(GdbRegisters::program);
  if (std::ranges::find(broken_at_, here) != broken_at_.end()) {
    LOCKSTEP_CHECK(gdb_.clear_breakpoint(here));
    LOCKSTEP_CHECK(gdb_.step());
    LOCKSTEP_CHECK(gdb_.set_breakpoint(here));
    LOCKSTEP_TRY(stopped_, gdb_.registers());
    const std::uint32_t there = stopped_.at(GdbRegisters::program);
    if (std::ranges::find(broken_at_, there) != broken_at_.end()) return there;
  }
  LOCKSTEP_CHECK(gdb_.run_until_stop(patience_));
  LOCKSTEP_TRY(stopped_, gdb_.registers());
  return stopped_.at(GdbRegisters::program);
}

Error Stepper::strayed(std::uint32_t at, const std::string& want) const {
  return link_error(uri_,
                    fmt::format("the core stopped at {:#010x}{}", at, network_.function_around(at)),
                    want, "a fault handler, or a breakpoint of another debugger?");
}

Result<void> Stepper::to(const PlacedStop& stop) {
  LOCKSTEP_CHECK(break_at(stop.address));
  LOCKSTEP_TRY(const std::uint32_t at, go_on());
  if (at != stop.address)
    return strayed(at, fmt::format("the end of node '{}' at {:#010x}",
                                   network_.nodes[stop.done - 1].name, stop.address));
  if (stop.counted && stopped_.at(0) + 1 != stop.done)
    return link_error(uri_, fmt::format("the firmware ended node {}", stopped_.at(0)),
                      fmt::format("node {}", stop.done - 1),
                      "was it built with another network.json?");
  return {};
}

Result<void> Stepper::to_end() {
  LOCKSTEP_TRY(const std::uint32_t at, go_on());
  if (at != back_) return strayed(at, "the end of the run function");
  return {};
}

}  // namespace lockstep
