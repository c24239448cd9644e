#include "analyze/summaries/merge.h"

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "formats/printable.h"
#include "ground/fnv.h"

namespace tailcap::summaries {
namespace {

using formats::add_cell;
using formats::amount_of;
using formats::kOther;
using formats::saturated;
using formats::SummarisedCapture;
using formats::Summary;
using formats::SummaryEdge;
using formats::SummaryFunction;
using formats::SummaryRoute;
using formats::SummaryStatement;
using formats::SummaryWindow;

// Parts of one recording, as --rotate makes them, meet within the time by which events can be late.
constexpr std::int64_t kMostOverlap = 1'000'000'000;  // ns

// Where what has no name of its own is counted. Callers and servers stay apart, and so do samples and waits.
SummaryRoute other_of(const SummaryRoute& r) { return {kOther, r.role, "", ""}; }
SummaryEdge other_of(const SummaryEdge&) { return {kOther, kOther}; }
SummaryStatement other_of(const SummaryStatement&) { return {kOther, kOther}; }
SummaryFunction other_of(const SummaryFunction& f) { return {kOther, kOther, f.waited}; }

// An order that favours no name.
std::uint64_t hashed(std::initializer_list<std::string_view> texts) {
  std::uint64_t hash = ground::kFnvBasis;
  for (const std::string_view text : texts)
    hash = ground::fnv_step(ground::fnv(text, hash), 0);  // 0: the end of a text
  return hash;
}
std::uint64_t hash_of(const SummaryRoute& r) { return hashed({r.service, r.role, r.method, r.route}); }
std::uint64_t hash_of(const SummaryEdge& e) { return hashed({e.from, e.to}); }
std::uint64_t hash_of(const SummaryStatement& s) { return hashed({s.store, s.statement}); }
std::uint64_t hash_of(const SummaryFunction& f) { return hashed({f.service, f.function, f.waited ? "waited" : ""}); }
std::uint64_t hash_of(const std::pair<std::string, std::string>& f) { return hashed({f.first, f.second}); }

template <class Key, class Cell>
using Cells = std::map<Key, Cell>;

// Every name, with how much is counted under it.
template <class Key, class Cell>
std::map<Key, std::uint64_t> names_of(const Summary& s, Cells<Key, Cell> SummaryWindow::*cells) {
  std::map<Key, std::uint64_t> out;
  for (const auto& [start, window] : s.windows)
    for (const auto& [key, cell] : window.*cells)
      if (key != other_of(key)) out[key] = saturated(out[key], amount_of(cell));
  return out;
}

template <class Key, class Cell>
void fold(Summary& s, Cells<Key, Cell> SummaryWindow::*cells, const std::set<Key>& kept) {
  for (auto& [start, window] : s.windows) {
    Cells<Key, Cell> folded;
    for (auto& [key, cell] : window.*cells)
      if (kept.contains(key))
        folded[key] = std::move(cell);
      else
        add_cell(folded[other_of(key)], cell);
    window.*cells = std::move(folded);
  }
}

// The names that `before` puts first.
template <class Key, class Cell, class Before>
void keep_first(Summary& s, Cells<Key, Cell> SummaryWindow::*cells, std::size_t most, Before before) {
  const auto names = names_of(s, cells);
  if (names.size() <= most) return;
  std::vector<std::pair<Key, std::uint64_t>> all(names.begin(), names.end());
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(most), before);
  std::set<Key> kept;
  for (std::size_t i = 0; i < most; ++i) kept.insert(all[i].first);
  fold(s, cells, kept);
}

constexpr auto kMostFirst = [](const auto& a, const auto& b) {
  return std::pair(b.second, a.first) < std::pair(a.second, b.first);
};
// A name that is not kept in a sum of parts is not kept in the sum of all, where there are as many before it.
constexpr auto kByHash = [](const auto& a, const auto& b) {
  return std::pair(hash_of(a.first), a.first) < std::pair(hash_of(b.first), b.first);
};

template <class Before>
void keep_first_of_all(Summary& s, std::size_t most, Before before) {
  keep_first(s, &SummaryWindow::routes, most, before);
  keep_first(s, &SummaryWindow::edges, most, before);
  keep_first(s, &SummaryWindow::statements, most, before);
  keep_first(s, &SummaryWindow::functions, most, before);
}

void bound_environment(std::set<std::pair<std::string, std::string>>& facts) {
  const std::pair<std::string, std::string> other{kOther, ""};
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& fact : facts)
    if (fact != other) all.push_back(fact);
  if (all.size() <= formats::kMostEnvironment) return;
  std::ranges::sort(all, {}, [](const auto& fact) { return std::pair(hash_of(fact), fact); });
  facts = {all.begin(), all.begin() + formats::kMostEnvironment};
  facts.insert(other);
}

// Requests would count twice.
void refuse_overlaps(const std::set<SummarisedCapture>& captures) {
  const SummarisedCapture* before = nullptr;
  for (const SummarisedCapture& c : captures) {  // by id and beginning
    if (before && before->id == c.id && std::min(before->ended, c.ended) - c.began > kMostOverlap)
      throw std::runtime_error("requests would count twice: the recording " + formats::printable(c.id) +
                               " is in two of them for the same time");
    if (!before || before->id != c.id || c.ended > before->ended) before = &c;
  }
}

}  // namespace

void keep_most(Summary& summary) { keep_first_of_all(summary, formats::kOfCapture, kMostFirst); }

void Merger::add(Summary&& part) {
  if (sum_.window == 0) sum_.window = part.window;
  if (part.window != sum_.window)
    throw std::runtime_error(
        "summaries with windows of different lengths have no sum: make them with the same --window");
  for (const SummarisedCapture& c : part.captures)
    if (!sum_.captures.insert(c).second)
      throw std::runtime_error("requests would count twice: the recording " + formats::printable(c.id) +
                               " is in two of them");
  sum_.environment.merge(part.environment);
  sum_.deployments.merge(part.deployments);
  for (auto& [start, from] : part.windows) {
    SummaryWindow& to = sum_.windows[start];
    to.covered = saturated(to.covered, from.covered);
    for (const auto& [key, cell] : from.routes) add_cell(to.routes[key], cell);
    for (const auto& [key, cell] : from.edges) add_cell(to.edges[key], cell);
    for (const auto& [key, cell] : from.statements) add_cell(to.statements[key], cell);
    for (const auto& [key, amount] : from.functions) add_cell(to.functions[key], amount);
  }
}

Summary Merger::finish() {
  refuse_overlaps(sum_.captures);
  if (sum_.windows.size() > formats::kMostWindows)
    throw std::runtime_error("a summary has at most 20,000 windows: make several, or give a longer --window");
  if (sum_.captures.size() > formats::kMostCaptures)
    throw std::runtime_error("a summary has at most 100,000 captures: make several");
  bound_environment(sum_.environment);
  while (sum_.deployments.size() > formats::kMostDeployments) sum_.deployments.erase(sum_.deployments.begin());
  keep_first_of_all(sum_, formats::kMostNames, kByHash);
  for (const auto& [start, window] : sum_.windows)
    for (const auto& [key, cell] : window.routes)
      if (cell.labels.size() > formats::kMostLabels)
        throw std::runtime_error("a route has more labels than there are: the files are no summaries of tailcap");
  return std::move(sum_);
}

}  // namespace tailcap::summaries
