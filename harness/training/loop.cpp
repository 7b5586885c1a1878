// The networks and their loop in f32 and f64, so that no other file compiles them again.
// SPDX-License-Identifier: Apache-2.0
#include "training/loop.hpp"

namespace ulpaudit {

ULPAUDIT_LOOP_OF(, float)
ULPAUDIT_LOOP_OF(, double)

std::unique_ptr<Network<double>> trained_network(const LoopChoice& c, const LoopResult& r) {
  auto network = make_network<double>(c.shape, c.seed);
  const auto weights = network->weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i]->value = r.weights[i];
  return network;
}

}  // namespace ulpaudit
