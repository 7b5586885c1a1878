// A plug-in of one kernel.
#include "mine.hpp"

#include <ulpaudit/plugin.hpp>

ULPAUDIT_PLUGIN("mine", "1.0", "",
                ulpaudit::unary("sigmoid", "sigmoid", "1/(1+exp(-z))",
                                [](auto z) { return my_sigmoid(z); }))
