// A plug-in of one kernel.
// SPDX-License-Identifier: Apache-2.0
#include "mine.hpp"

#include <ulpaudit/plugin.hpp>

ULPAUDIT_PLUGIN("mine", "1.0", "",
                ulpaudit::unary("sigmoid", "sigmoid", "(z<0 ? e : 1)/(1+e), e = exp(-|z|)",
                                [](auto z) { return my_sigmoid(z); }))
