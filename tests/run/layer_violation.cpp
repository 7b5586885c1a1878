// Compiled by layer_violation.cmake as if it lay in the fp layer; FORBIDDEN is a header of another.
// SPDX-License-Identifier: Apache-2.0
#include "fp/format.hpp"
#ifdef FORBIDDEN
#include FORBIDDEN
#endif

static_assert(ulpaudit::format(ulpaudit::Dtype::f32).p == 24);
