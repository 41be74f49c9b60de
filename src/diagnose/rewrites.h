#pragma once

#include <vector>

#include "diagnose/judge.h"

namespace lockstep {

// The catalogue of rewrites of a sum of two operands (a residual Add) that a found cause makes
// wrong, each requantized and run under that very cause at every operation that shows it:
//   the operation on the CPU; operands in the other order; a larger output scale; one scale for
//   both operands; Concat and a 1x1 convolution in its place; 16-bit activations; the identity
//   folded into the convolution.
// A cause of memory or operands (lost, replaced, misplaced, its factor wrong) strikes whatever
// reads the two operands; one that lies in the operator's own computing does not strike another
// operator. At other operations those below; empty when the network's inputs are not known.
Result<std::vector<Rewrite>> simulate_rewrites(const Case& c, const Verdict& verdict);

// The same for any other operation: it on the CPU; and for a convolution or matrix product on
// codes: split by groups of input channels, weights of 7 bits or of one scale, a larger or
// symmetric output, a symmetric input, activation or padding as operations of their own. Each is
// the node itself, cut out, changed and run on what it reads, under the cause where that still
// reaches it, and says what it costs.
Result<std::vector<Rewrite>> simulate_sum_rewrites(const Case& c, const Verdict& verdict);

}  // namespace lockstep
