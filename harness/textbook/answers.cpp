// The textbook's claims, measured.
// SPDX-License-Identifier: Apache-2.0
#include "textbook/answers.hpp"

#include "textbook/claims.hpp"
#include "textbook/table.hpp"

namespace ulpaudit {

void append_textbook(const std::vector<Job>& jobs, SessionPool& sessions, Report& report) {
  using namespace textbook;
  Probe probe(jobs, sessions);
  for (Claim* claim : {&four_digits, &open_interval, &gradient_maximum, &attenuation,
                       &naive_extremes, &naive_nan, &branchy_is_stable, &torch_is_stable,
                       &logits_form_is_stable, &rounded_sigmoid_nan, &mean_loss, &decision}) {
    std::optional<TextbookAnswer> answer = claim(probe, report);
    if (!answer) continue;
    shorten(*answer);
    report.textbook.push_back(std::move(*answer));
  }
}

}  // namespace ulpaudit
