// Reading comma-separated numbers.
// SPDX-License-Identifier: Apache-2.0
#include "training/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <vector>

#include "ulpaudit_breast_cancer.hpp"

namespace ulpaudit {
namespace {

constexpr char kAccepted[] =
    "accepted: rows of as many finite numbers, separated by commas, labels last and in [0, 1]";

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',')
      cells.emplace_back();
    else if (c != '\r' && c != ' ' && c != '\t')
      cells.back() += c;
  }
  return cells;
}

std::optional<double> number_in(const std::string& cell) {
  double v = 0;
  const char* first = cell.data() + (cell.rfind('+', 0) == 0 ? 1 : 0);
  const char* last = cell.data() + cell.size();
  const auto [end, error] = std::from_chars(first, last, v);
  if (first == last || error != std::errc{} || end != last) return std::nullopt;
  return v;
}

class Reader {
 public:
  Reader(const std::string& path, int labels) : path_(path), labels_(labels) {}

  std::vector<std::vector<double>> rows(std::istream& in) {
    std::vector<std::vector<double>> out;
    std::string line;
    for (std::size_t row = 1; std::getline(in, line); ++row) {
      const std::vector<std::string> cells = cells_of(line);
      if (cells.size() == 1 && cells[0].empty()) continue;
      const bool header = row == 1 && std::none_of(cells.begin(), cells.end(), number_in);
      if (columns_ == 0) columns_ = cells.size();
      if (cells.size() != columns_)
        fail(row, fmt::format("has {} columns, those above have {}", cells.size(), columns_));
      if (columns_ <= static_cast<std::size_t>(labels_))
        fail(row, fmt::format("has {} columns: {} of labels, and no feature", columns_, labels_));
      if (header) continue;
      out.push_back(numbers(row, cells));
    }
    if (out.size() < 2)
      throw BadData(
          fmt::format("'{}' has {} rows of numbers; accepted: two at least, half of them "
                      "to be kept apart",
                      path_, out.size()));
    return out;
  }

 private:
  std::vector<double> numbers(std::size_t row, const std::vector<std::string>& cells) const {
    std::vector<double> out;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto v = number_in(cells[c]);
      if (!v || !std::isfinite(*v) || !std::isfinite(static_cast<float>(*v)))
        fail(row, fmt::format("column {}: '{}' is not a finite number of f32", c + 1, cells[c]));
      if (c + static_cast<std::size_t>(labels_) >= cells.size() && !(*v >= 0 && *v <= 1))
        fail(row, fmt::format("column {}: label {} lies outside [0, 1]", c + 1, cells[c]));
      out.push_back(*v);
    }
    return out;
  }
  [[noreturn]] void fail(std::size_t row, const std::string& what) const {
    throw BadData(fmt::format("'{}', row {}: {}; {}", path_, row, what, kAccepted));
  }

  std::string path_;
  int labels_;
  std::size_t columns_ = 0;
};

/// Mean 0 and variance 1 over the training samples; a constant feature becomes 0.
void standardise(DataSet& d) {
  for (Eigen::Index f = 0; f < d.x.rows(); ++f) {
    const double mean = d.x.row(f).mean();
    const double deviation = std::sqrt((d.x.row(f).array() - mean).square().mean());
    const auto scaled = [&](double v) {
      return deviation > 0 ? static_cast<double>(static_cast<float>((v - mean) / deviation)) : 0.0;
    };
    d.x.row(f) = d.x.row(f).unaryExpr(scaled).eval();
    d.test_x.row(f) = d.test_x.row(f).unaryExpr(scaled).eval();
  }
}

}  // namespace

DataSet read_csv(const std::string& path, int labels) {
  std::ifstream in(path);
  if (!in) throw BadData(fmt::format("cannot read '{}'", path));
  return read_csv(in, path, labels);
}

DataSet breast_cancer() {
  std::stringstream in;  // without the first line: counts, and names of the classes
  std::for_each(std::begin(kBreastCancer) + 1, std::end(kBreastCancer),
                [&](const char* line) { in << line << '\n'; });
  return read_csv(in, std::string(name(DataKind::breast_cancer)), 1);
}

DataSet read_csv(std::istream& in, const std::string& path, int labels) {
  const auto rows = Reader(path, labels).rows(in);
  const auto n = static_cast<Eigen::Index>(rows.size());
  const auto features = static_cast<Eigen::Index>(rows[0].size()) - labels;
  DataSet d;
  d.name = path;
  d.x.resize(features, (n + 1) / 2);
  d.y.resize(labels, (n + 1) / 2);
  d.test_x.resize(features, n / 2);
  d.test_y.resize(labels, n / 2);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Eigen::Map<const Eigen::VectorXd> row(rows[static_cast<std::size_t>(i)].data(),
                                                features + labels);
    (i % 2 == 0 ? d.x : d.test_x).col(i / 2) = row.head(features);
    (i % 2 == 0 ? d.y : d.test_y).col(i / 2) = row.tail(labels).cast<float>().cast<double>();
  }
  standardise(d);
  return d;
}

}  // namespace ulpaudit
