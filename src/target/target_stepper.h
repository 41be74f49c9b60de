#pragma once

#include <string>
#include <vector>

#include "link/gdb.h"
#include "target/target_places.h"

namespace lockstep {

// Runs a network's functions on a core under a debugger, from one place to stop to the next. Errors
// name where the core stopped instead. What it is given outlives it.
class Stepper {
 public:
  Stepper(Gdb& gdb, const PlacedNetwork& network, const std::string& uri, Milliseconds patience)
      : gdb_(gdb), network_(network), uri_(uri), patience_(patience) {}

  // To the first call of the run function: its registers are every later run's.
  Result<void> enter();
  Result<void> call_init();
  // One run: its beginning, each place to stop in order, the return from the run function.
  Result<void> begin() { return gdb_.set_registers(entry_); }
  Result<void> to(const PlacedStop& stop);
  Result<void> to_end();

  void unbreak(std::uint32_t address);
  void clear();  // every breakpoint

 private:
  Result<void> break_at(std::uint32_t address);
  Result<std::uint32_t> go_on();
  Result<std::uint32_t> one_stop(const GdbRegisters& from);
  Error strayed(std::uint32_t at, const std::string& want) const;

  Gdb& gdb_;
  const PlacedNetwork& network_;
  const std::string& uri_;
  Milliseconds patience_;
  GdbRegisters entry_, stopped_;
  std::uint32_t back_ = 0;
  std::vector<std::uint32_t> broken_at_;
};

}  // namespace lockstep
