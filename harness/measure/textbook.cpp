// The textbook's claims, measured.
#include "measure/textbook.hpp"

namespace ulpaudit {
void append_textbook(const std::vector<Job>&, SessionPool&, Report&) {}
}  // namespace ulpaudit
