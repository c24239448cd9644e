#include "analyze/pipeline/following.h"

#include <algorithm>
#include <variant>

namespace tailcap::pipeline {
namespace {

Options following_options() {
  Options options;
  options.study = false;
  return options;
}

}  // namespace

Following::Following(const formats::Preamble& preamble)
    : options_(following_options()), wire_(preamble, options_, nullptr), table_(wire_.requests().table()) {}

void Following::push(const formats::Event& event) {
  wire_.push(event);
  if (const auto* loss = std::get_if<formats::Loss>(&event.body)) lost_ += loss->count;
  now_ = std::max(now_, event.time);
  const std::size_t rows = table().rows.size();
  if (rows == seen_) return;
  seen_ = rows;
  announced_.emplace_back(rows, now_);
}

std::vector<model::Request> Following::take(bool all) {
  std::size_t until = given_;
  while (!announced_.empty() && (all || now_ - announced_.front().second >= kSettling)) {
    until = announced_.front().first;
    announced_.pop_front();
  }
  if (until == given_) return {};
  // What was lost meanwhile marks them as it would in the end.
  model::RequestTable settled;
  for (; given_ < until; ++given_) settled.rows.push_back(table().rows[given_]);
  wire_.recording().facts().taint(settled);
  return {settled.rows.begin(), settled.rows.end()};
}

}  // namespace tailcap::pipeline
