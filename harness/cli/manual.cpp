// Manual page and completion.
// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <vector>

#include "version.hpp"

namespace ulpaudit {
namespace {

/// The commands that --help lists.
std::vector<const CLI::App*> commands_of(const CLI::App& parser) {
  return parser.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* o) { return !o->get_group().empty(); });
}

/// Text of a line for troff: no escapes, no dashes turned into hyphens, no control line.
std::string troff(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_begins = c == '\n';
  }
  return out;
}

/// "-o, --output FOLDER"
std::string heading(const CLI::Option& o) {
  std::string names = o.get_positional() ? o.get_name() : o.get_name(false, true);
  std::replace(names.begin(), names.end(), ',', ' ');
  const bool flag = o.get_items_expected_max() == 0;
  return names + (flag || o.get_type_name().empty() ? "" : " " + o.get_type_name());
}

std::string option_items(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* o : options_of(app)) {
    out += fmt::format(".TP\n.B {}\n{}", troff(heading(*o)), troff(o->get_description()));
    if (!o->get_default_str().empty())
      out += fmt::format(" (default {})", troff(o->get_default_str()));
    out += "\n";
  }
  return out;
}

/// Lines of a footer, each its own.
std::string lines(const std::string& text) {
  std::string out = troff(text);
  for (std::size_t at = 0; (at = out.find('\n', at)) != out.npos; at += 5)
    out.replace(at, 1, "\n.br\n");
  return out;
}

/// --impl, -o: what may stand on a command line.
std::vector<std::string> dashed_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* o : options_of(app)) {
    for (const std::string& n : o->get_snames()) out.push_back("-" + n);
    for (const std::string& n : o->get_lnames()) out.push_back("--" + n);
  }
  return out;
}

/// "{on,off}" and "…:{a,b}" are how CLI11 writes a closed list of words.
std::vector<std::string> words_of(const CLI::Option& o) {
  const std::string type = o.get_type_name();
  const std::size_t from = type.find('{'), to = type.find('}');
  if (from == type.npos || to == type.npos || to < from) return {};
  return CLI::detail::split(type.substr(from + 1, to - from - 1), ',');
}

}  // namespace

std::string man_page(const CLI::App& parser) {
  std::string out =
      fmt::format(".TH ULPAUDIT 1 \"\" \"ulpaudit {}\" \"User Commands\"\n", kVersion);
  out += fmt::format(".SH NAME\nulpaudit \\- {}\n", troff(parser.get_description()));
  out += ".SH SYNOPSIS\n.B ulpaudit\n.I COMMAND\n[\\fIOPTIONS\\fR]\n";
  out += ".SH OPTIONS\n" + option_items(parser);
  out += ".SH COMMANDS\n";
  for (const CLI::App* c : commands_of(parser))
    out += fmt::format(".TP\n.B {}\n{}\n", troff(c->get_name()), troff(c->get_description()));
  for (const CLI::App* c : commands_of(parser)) {
    out += fmt::format(".SH \"ULPAUDIT {}\"\n{}\n", c->get_name(), troff(c->get_description()));
    out += option_items(*c);
    if (!c->get_footer().empty()) out += ".PP\n" + lines(c->get_footer()) + "\n";
  }
  out += ".SH \"EXIT STATUS\"\n" + lines(parser.get_footer()) + "\n";
  return out;
}

std::string bash_completion(const CLI::App& parser) {
  std::vector<std::string> names;
  std::string options, words;
  for (const CLI::App* c : commands_of(parser)) {
    names.push_back(c->get_name());
    options +=
        fmt::format("    {}) options='{}' ;;\n", c->get_name(), fmt::join(dashed_names(*c), " "));
    for (const CLI::Option* o : options_of(*c)) {
      const std::vector<std::string> accepted = words_of(*o);
      if (accepted.empty()) continue;
      for (const std::string& n : o->get_lnames())
        words += fmt::format("    '{} --{}') words='{}' ;;\n", c->get_name(), n,
                             fmt::join(accepted, " "));
    }
  }
  return fmt::format(R"(# bash completion for ulpaudit; made by `ulpaudit manual --bash-completion`
_ulpaudit() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  local command=${{COMP_WORDS[1]}} options='' words=''
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '{} --help --version' -- "$current"))
    return
  fi
  case $command in
{}  esac
  case "$command $before" in
    *' --dtype') words='f16 bf16 f32 f64' ;;
{}  esac
  if [[ $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _ulpaudit ulpaudit
)",
                     fmt::join(names, " "), options, words);
}

}  // namespace ulpaudit
