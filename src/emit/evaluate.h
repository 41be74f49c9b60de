#pragma once

#include "emit/node.h"

namespace lockstep {

// What a node yields for tensors other than its own: tables and index maps come from the operator's
// meaning, so that C cannot differ from it.

// y for each code of input 0, which has at most 16 bits (from the least), other inputs as they are;
// input 0's own shape is not looked at by operators on single codes. Codes of negative numbers have
// the root of zero.
Result<Tensor> every_code(const NodeWriter& w);

// Which element of input 0 each element of output `o` is; -1 where it is filled.
Result<std::vector<std::int64_t>> index_map(const NodeWriter& w, std::size_t o);

}  // namespace lockstep
