// Training runs in groups, and their figures as text; for all renderers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

/// Runs of one network, data and path, in the order of the record.
struct TrainingGroup {
  std::vector<const Training*> runs;
};
std::vector<TrainingGroup> training_groups(const Report& report);

/// "binary on outliers, BCE from the logit": what the runs of a group have in common.
std::string training_title(const Training& t);
/// "300 steps of 64, learning rate 0.3; reference: loss 0.2, accuracy 91.2%".
std::string training_setting(const Training& t);

/// "binary", "deep_sigmoid, depth 3".
std::string network_text(const Training& t);
/// The outcome in two words: "same", "+3.1 %", "NaN at 17", "stalls at 120", "failed".
std::string outcome_text(const Training& t);

/// Figures of a row; kAbsent where there is none.
std::string loss_text(const std::optional<Training::Quality>& q);
std::string accuracy_text(const std::optional<Training::Quality>& q);
std::string quality_text(const std::optional<Training::Quality>& q, double Training::Quality::*of);
std::string steps_text(const std::optional<std::uint64_t>& steps);
std::string drift_text(const std::optional<double>& drift);
std::string distance_text(const std::optional<double>& distance);
/// Share of results that are 0 where the true one is not: gradients of the loss and sigma'.
std::string zero_text(const Training& t);
/// The same for results with more than half of their digits wrong.
std::string digits_text(const Training& t);
/// "1.2e-5": a norm or a loss.
std::string small_number(double v);

/// What the columns mean.
extern const char kTrainingNote[];

}  // namespace ulpaudit
