#pragma once

#include "report/report.h"

namespace lockstep {

// Predicted from the model alone (arithmetic `neural-art`), every tensor says how well its rule is
// founded: the least of the operations that its row recomputes. No verdict rests on an assumed one:
// such a row is not called wrong, carries no cause, and a report without other wrong rows is no
// mismatch.
void mark_standing(Report& report);

}  // namespace lockstep
