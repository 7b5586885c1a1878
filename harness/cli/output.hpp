// What commands print: facts on stdout, lost output noticed once at the end; sentences on stderr.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "reports/text.hpp"

namespace ulpaudit {

/// On stdout. Throws nothing where it cannot be written: see stdout_trouble().
void put_text(const std::string& text);
template <class... A>
void put(fmt::format_string<A...> form, A&&... a) {
  put_text(fmt::format(form, std::forward<A>(a)...));
}

/// Some output was lost: what is still to be printed need not be made.
bool stdout_lost();
/// Flushes stdout. 0, or the errno of the first output that was lost; EPIPE: the reader went away.
int stdout_trouble();

/// One line on stderr, "ulpaudit: …", in which foreign text gives no orders to a terminal or to a
/// workflow. Throws nothing.
void tell_text(const std::string& text);
template <class... A>
void tell(fmt::format_string<A...> form, A&&... a) {
  tell_text(fmt::format(form, std::forward<A>(a)...));
}

}  // namespace ulpaudit
