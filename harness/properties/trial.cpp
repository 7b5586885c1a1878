// Trials as text.
// SPDX-License-Identifier: Apache-2.0
#include "properties/trial.hpp"

#include <fmt/format.h>

#include <charconv>
#include <sstream>
#include <stdexcept>

#include "fp/text.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kMostElements = 1u << 18;
constexpr const char* kRoundings[] = {"nearest", "up", "down", "zero"};

constexpr std::size_t kShortestRun = 4;  ///< of neighbours that are written by their ends

std::string list_text(Dtype d, const std::vector<Bits>& v) {
  std::string out;
  for (std::size_t i = 0; i < v.size();) {
    std::size_t same = 1, rising = 1;
    while (i + same < v.size() && v[i + same] == v[i]) ++same;
    while (i + rising < v.size() && ordinal(d, v[i + rising]) == ordinal(d, v[i]) + rising)
      ++rising;
    out += (out.empty() ? "" : ",") + bits_text(d, v[i]);
    if (rising >= kShortestRun) {
      out += ".." + bits_text(d, v[i + rising - 1]);
      i += rising;
      continue;
    }
    if (same > 1) out += fmt::format("*{}", same);
    i += same;
  }
  return out;
}

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument(
      what +
      "; accepted: words like 'z=0x3f800000*17,0x7fc00000,0x40000000..0x400000ff', y=…, "
      "edge=start, "
      "z_offset=4, y_offset=, out_offset=, readable, in_place, in_place_y, fill=0xa5, stack=0x55, "
      "rounding=up, flush, flags_up, process, threads=4, repeats=1000, tile=70000, fresh, "
      "others, "
      "unguarded");
}

std::uint64_t number(const std::string& word, const std::string& text, std::uint64_t most) {
  std::uint64_t v = 0;
  const bool hex = text.rfind("0x", 0) == 0;
  const char* first = text.data() + (hex ? 2 : 0);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, v, hex ? 16 : 10);
  if (error != std::errc{} || end != last || v > most)
    refuse(fmt::format("'{}' is no number up to {}", word, most));
  return v;
}

std::vector<Bits> read_list(Dtype d, const std::string& text) {
  std::vector<Bits> out;
  std::istringstream items(text);
  std::string item;
  while (std::getline(items, item, ',')) {
    if (const std::size_t dots = item.find(".."); dots != item.npos) {
      const std::uint64_t first = ordinal(d, parse_number(d, item.substr(0, dots)));
      const std::uint64_t last = ordinal(d, parse_number(d, item.substr(dots + 2)));
      if (last < first) refuse(fmt::format("'{}' falls", item));
      if (last - first >= kMostElements - out.size())
        refuse(fmt::format("'{}' has too many elements", item));
      for (std::uint64_t o = first; o <= last; ++o) out.push_back(from_ordinal(d, o));
      continue;
    }
    const std::size_t star = item.find('*');
    const std::uint64_t n =
        star == item.npos ? 1 : number(item, item.substr(star + 1), kMostElements);
    if (out.size() + n > kMostElements) refuse(fmt::format("'{}' has too many elements", text));
    out.insert(out.end(), n, parse_number(d, item.substr(0, star)));
  }
  return out;
}

void read_word(Dtype d, const std::string& word, Trial& t) {
  const std::size_t equals = word.find('=');
  const std::string key = word.substr(0, equals);
  const std::string value = equals == word.npos ? "" : word.substr(equals + 1);
  Stage& s = t.stage;
  const auto offset = [&] { return static_cast<std::uint32_t>(number(word, value, 4095)); };
  const auto byte = [&] { return static_cast<std::uint8_t>(number(word, value, 255)); };
  if (key == "z") {
    t.z = read_list(d, value);
  } else if (key == "y") {
    t.y = read_list(d, value);
  } else if (key == "edge" && (value == "start" || value == "end")) {
    s.edge = value == "start" ? Stage::Edge::start : Stage::Edge::end;
  } else if (key == "z_offset") {
    s.z_offset = offset();
  } else if (key == "y_offset") {
    s.y_offset = offset();
  } else if (key == "out_offset") {
    s.out_offset = offset();
  } else if (key == "fill") {
    s.out_fill = byte();
  } else if (key == "stack") {
    s.stack_fill = byte();
  } else if (key == "threads") {
    s.threads = static_cast<std::uint32_t>(number(word, value, 64));
  } else if (key == "repeats") {
    s.repeats = static_cast<std::uint32_t>(number(word, value, 100'000'000));
  } else if (key == "tile") {
    s.tile = number(word, value, std::uint64_t{1} << 40);
  } else if (key == "rounding") {
    for (int i = 0; i < 4; ++i)
      if (value == kRoundings[i]) {
        s.rounding = static_cast<Stage::Rounding>(i);
        return;
      }
    refuse(fmt::format("unknown '{}'", word));
  } else if (word == "readable") {
    s.readable = true;
  } else if (word == "in_place") {
    s.in_place = true;
  } else if (word == "in_place_y") {
    s.in_place_y = true;
  } else if (word == "unguarded") {
    t.unguarded = true;
  } else if (word == "flush") {
    s.flush = true;
  } else if (word == "flags_up") {
    s.flags_up = true;
  } else if (word == "process") {
    s.process = true;
  } else if (word == "fresh") {
    t.fresh = true;
  } else if (word == "others") {
    t.others = true;
  } else {
    refuse(fmt::format("unknown '{}'", word));
  }
}

/// The words of what differs from the plain stage.
std::vector<std::string> stage_words(const Trial& t) {
  const Stage plain, &s = t.stage;
  std::vector<std::string> w;
  if (s.edge != plain.edge) w.emplace_back("edge=start");
  if (s.z_offset != 0) w.push_back(fmt::format("z_offset={}", s.z_offset));
  if (s.y_offset != 0) w.push_back(fmt::format("y_offset={}", s.y_offset));
  if (s.out_offset != 0) w.push_back(fmt::format("out_offset={}", s.out_offset));
  if (s.readable) w.emplace_back("readable");
  if (s.in_place) w.emplace_back("in_place");
  if (s.in_place_y) w.emplace_back("in_place_y");
  if (s.out_fill != plain.out_fill) w.push_back(fmt::format("fill=0x{:02x}", s.out_fill));
  if (s.stack_fill != plain.stack_fill) w.push_back(fmt::format("stack=0x{:02x}", s.stack_fill));
  if (s.rounding != plain.rounding)
    w.push_back(fmt::format("rounding={}", kRoundings[static_cast<int>(s.rounding)]));
  if (s.flush) w.emplace_back("flush");
  if (s.flags_up) w.emplace_back("flags_up");
  if (s.process) w.emplace_back("process");
  if (s.threads != 1) w.push_back(fmt::format("threads={}", s.threads));
  if (s.repeats != 1) w.push_back(fmt::format("repeats={}", s.repeats));
  if (s.tile != 0) w.push_back(fmt::format("tile={}", s.tile));
  if (t.fresh) w.emplace_back("fresh");
  if (t.others) w.emplace_back("others");
  if (t.unguarded) w.emplace_back("unguarded");
  return w;
}

}  // namespace

std::string to_text(Dtype d, const Trial& t) {
  std::string out = "z=" + list_text(d, t.z);
  if (!t.y.empty()) out += " y=" + list_text(d, t.y);
  for (const std::string& w : stage_words(t)) out += " " + w;
  return out;
}

Trial parse_trial(Dtype d, const std::string& text) {
  Trial t;
  std::istringstream words(text);
  std::string word;
  while (words >> word) read_word(d, word, t);
  if (t.y.size() == 1 && t.z.size() > 1) t.y.resize(t.z.size(), Bits{t.y[0]});
  if (!t.y.empty() && t.y.size() != t.z.size())
    refuse(fmt::format("{} logits and {} labels", t.z.size(), t.y.size()));
  if (t.stage.in_place && t.stage.in_place_y) refuse("in_place and in_place_y at once");
  if (t.stage.in_place_y && t.y.empty()) refuse("in_place_y without y");
  if (t.unguarded && t.stage != Stage()) refuse("unguarded with words about guarded buffers");
  return t;
}

std::string in_words(const Trial& t) {
  const Stage& s = t.stage;
  std::string out = fmt::format("{} element{}", length(t), length(t) == 1 ? "" : "s");
  for (const auto& [offset, what] :
       {std::pair{s.z_offset, "z"}, {s.y_offset, "y"}, {s.out_offset, "out"}})
    if (offset != 0) out += fmt::format(", {} {} bytes off", what, offset);
  if (s.in_place) out += ", in place";
  if (s.in_place_y) out += ", in place of y";
  if (s.rounding != Stage::Rounding::nearest)
    out += fmt::format(", rounding {}", kRoundings[static_cast<int>(s.rounding)]);
  if (s.flush) out += ", FTZ and DAZ on";
  if (s.threads != 1) out += fmt::format(", {} threads", s.threads);
  if (s.repeats != 1) out += fmt::format(", {} calls", s.repeats);
  if (t.fresh) out += ", first call of the process";
  if (t.others) out += ", after other kernels of the plug-in";
  return out;
}

}  // namespace ulpaudit
