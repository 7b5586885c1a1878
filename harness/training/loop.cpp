// The networks and their loop in f32 and f64, so that no other file compiles them again.
#include "training/loop.hpp"

namespace ulpaudit {

ULPAUDIT_LOOP_OF(, float)
ULPAUDIT_LOOP_OF(, double)

}  // namespace ulpaudit
