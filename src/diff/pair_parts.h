#pragma once

#include <string>

#include "diff/pair.h"

namespace lockstep {

// What pairing is made of beside the search for partners.

bool same_scale(const QuantParams& a, const QuantParams& b);

// A float at the network's rim that the device yields as codes: the codes next to it, else `id`.
ValueId codes_beside(const Graph& g, ValueId id, const TensorInfo& device);

// A float that a quantizer reads, recorded as what the quantizer made of it (dequantized codes
// under the float's name): the quantizer's codes, else `id`. Known by every recorded real lying on
// the quantizer's grid, or by the zeros of a Relu that the quantizer stands for (what the reference
// holds under that name is not clamped yet). A tensor of one value says nothing, and codes that are
// recorded themselves are not paired twice.
ValueId codes_of_reals(const Graph& g, ValueId id, const Capture& capture,
                       const std::string& device);

// A float at the network's rim, recorded as its codes by something that writes every number as a
// real (a text, a .csv): whole numbers inside the range of the codes beside it, of which at least
// one is no real that those codes stand for.
ValueId codes_as_text(const Graph& g, ValueId id, const Capture& capture,
                      const std::string& device);

// Takes the device's tensor into `out`, in the shape and, where that loses nothing, the type of
// `id`.
Result<void> add_pair(const Graph& g, const Capture& capture, ValueId id, const std::string& device,
                      const std::string& how, Pairing& out);

}  // namespace lockstep
