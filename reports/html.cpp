// report.html: one page that needs no network; styles, script and data are inside.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/html/html_sections.hpp"
#include "reports/html/html_text.hpp"
#include "reports/renderer.hpp"
#include "reports/view.hpp"
#include "ulpaudit_page.hpp"

namespace ulpaudit {
namespace {

std::string subtitle(const Report& report) {
  std::string out;
  const auto add = [&](const std::string& what, const std::string& value) {
    if (!value.empty())
      out += fmt::format("{}{}{}", out.empty() ? "" : " · ", what, html::text(value));
  };
  add("profile ", report.context.profile);
  add("", report.run.started);
  add("", report.run.cpu);
  add("", report.context.isa);
  add("", report.context.libm);
  add("commit ", report.context.commit);
  return out;
}

std::string part(const Report& report, const Report* before, std::string_view name) {
  if (name == "css") return kPage_css;
  if (name == "js") return kPage_js;
  if (name == "css_hash") return kPageHash_css;
  if (name == "js_hash") return kPageHash_js;
  if (name == "subtitle") return subtitle(report);
  if (name == "headline") return html::headline(report);
  if (name == "findings") return html::findings(report);
  if (name == "matrix") return html::matrix(report);
  if (name == "details") return html::details(report);
  if (name == "training") return html::training(report);
  if (name == "training_link")
    return report.training.empty() ? "" : "<a href=\"#training\">Training</a> ";
  if (name == "textbook") return html::textbook(report);
  if (name == "evidence") return html::evidence(report);
  if (name == "reproduce") return html::reproduce(report);
  if (name == "data") return html::data(report, before);
  if (name == "changes") return before ? html::changes(report, *before) : "";
  if (name == "changes_link") return before ? "<a href=\"#changes\">Changes</a> " : "";
  throw std::logic_error(fmt::format("page.html asks for '{}', which nobody makes", name));
}

}  // namespace

/// The page with each {{name}} replaced, once: what a part holds is not looked at again.
std::string render_html(const Report& report, const RenderOptions& options) {
  std::string out;
  std::string_view page = kPage_html;
  for (std::size_t at; (at = page.find("{{")) != std::string_view::npos;) {
    const std::size_t end = page.find("}}", at);
    out += page.substr(0, at);
    out += part(report, options.against, page.substr(at + 2, end - at - 2));
    page.remove_prefix(end + 2);
  }
  return out += page;
}

}  // namespace ulpaudit
