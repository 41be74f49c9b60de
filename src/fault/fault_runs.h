#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "fault/fault.h"

namespace lockstep {

// Stretches of bytes of a tensor. Faults that strike here and there are explained by the stretches
// that evidence shows, kept in the parameters as "r<run>.<i>.first" and "r<run>.<i>.count".
struct Stretch {
  std::int64_t first, count;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};
void put_stretches(Params& params, std::int64_t run, const std::vector<Stretch>& stretches);
std::vector<Stretch> stretches_of(const Params& params, std::int64_t run);
bool names_stretches(const Params& params);  // for any run

// Blocks of `size` bytes (the last may be shorter), neighbours joined, that hold a byte in which
// the two differ.
std::vector<Stretch> differing_blocks(const Tensor& a, const Tensor& b, std::int64_t size);
// Blocks drawn with probability `share`, at least one; the same for the same seed and run.
std::vector<Stretch> drawn_blocks(std::int64_t bytes, std::int64_t size, double share, double seed,
                                  std::int64_t run);

void copy_bytes(Tensor& to, const Tensor& from, const std::vector<Stretch>& stretches);
bool equal_bytes(const Tensor& a, const Tensor& b, const std::vector<Stretch>& stretches);
std::int64_t total(const std::vector<Stretch>& stretches);

// Which earlier tensor a stale stretch shows: what was made or what was shown in the run before.
// One set of parameters when in every run the differing blocks hold the earlier contents and some
// do.
std::vector<Params> stale_blocks(const Evidence& evidence, std::int64_t size);
// The blocks of `size` bytes, run by run, that leave least misfit when they are those of the run
// before: one after the other is taken in or out while that brings the replay nearer.
std::vector<Params> fit_blocks(const Evidence& evidence, std::int64_t size, const Misfit& misfit);
// The same for what else may befall whole blocks: the other parameters, and whether a block of what
// was expected would change at all. Nothing where more than `most` blocks would.
struct BlockChange {
  Params others = {};
  std::function<bool(const Evidence::Item& item, const Stretch& block)> shows;
  std::size_t most = 1024;
};
std::optional<Params> fit_blocks(const Evidence& evidence, std::int64_t size, const Misfit& misfit,
                                 const BlockChange& change);
// The replay to it: stretches of the parameters, else drawn blocks, are those of `earlier`.
void make_stale(Replay& r, std::int64_t size, double share, double seed);

}  // namespace lockstep
