// The sections of report.md, in its order; each adds itself to the document.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reports/markdown_text.hpp"

namespace ulpaudit::markdown {

void add_headline(Document& doc, const Report& report);
void add_findings(Document& doc, const Report& report);
void add_accuracy(Document& doc, const Report& report);
void add_regions(Document& doc, const Report& report);
void add_special_values(Document& doc, const Report& report);
void add_speed(Document& doc, const Report& report);
void add_training(Document& doc, const Report& report);
void add_textbook(Document& doc, const Report& report);
void add_evidence(Document& doc, const Report& report);
void add_context(Document& doc, const Report& report);

}  // namespace ulpaudit::markdown
