#include "analyze/pipeline/label_pass.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "analyze/pipeline/exemplars.h"
#include "analyze/pipeline/wanted.h"
#include "ground/threads/background.h"

namespace tailcap::pipeline {
namespace {

// Clocks of machines whose captures were merged differ by less.
constexpr formats::Duration kMargin = std::chrono::seconds{1};

// The labels of a request's other end, and of those that held it up, are asked for, too. They overlap with it.
void label_wanted(partition::Partitioner& partitioner, const model::Rows& rows, const Wanted& wanted,
                  formats::Duration margin) {
  const formats::Time from = wanted.from().value_or(formats::kNoTime);
  formats::Time to = std::min(wanted.to().value_or(formats::kMaxTime), formats::kMaxTime);
  const formats::Time begun_before = to;
  for (std::uint32_t i = 0; i < rows.size() && rows.start(i) < begun_before; ++i)
    if (rows.start(i) >= from && rows.has_duration(i)) to = std::max(to, rows.start(i) + rows.duration(i));
  partitioner.only(from > formats::kNoTime + margin ? from - margin : formats::kNoTime, to + kMargin);
}

}  // namespace

LabelPass::LabelPass(WirePass& wire, const Options& options) : wire_(wire) {
  const model::RequestTable& table = wire.requests().table();
  std::optional<Wanted> wanted;
  if (options.study || options.from || options.to || options.past) wanted.emplace(options, wire.recording().so_far());
  LikelyRows likely;
  const auto find_likely = [&] {
    if (options.study) likely = likely_rows(table, *wanted);
  };
  {
    ground::Background beside(options.threads);
    beside.run(find_likely);
    partitioner_.emplace(table, wire.requests().take_notes(), wire.connections().carriers(), options.threads);
    beside.wait();
  }
  if (options.follow.connection != 0) partitioner_->follow(options.follow);
  if (options.every_turn) partitioner_->look_at_every_turn();
  if (options.occurrences) partitioner_->count_occurrences();
  all_courses_ =
      options.all_courses || (options.courses_up_to != 0 &&
                              few_courses(table, wire.recording().so_far().quality.events, options.courses_up_to));
  if (all_courses_) {
    std::vector<std::uint32_t> rows(table.rows.size());
    std::iota(rows.begin(), rows.end(), 0u);
    partitioner_->follow_likely(rows);
  }
  // What happened to those that are older than the window around a request is not read.
  if (options.from || options.to || options.past)
    label_wanted(*partitioner_, table.rows, *wanted, options.past && !options.from ? formats::Duration{} : kMargin);
  if (!options.study) return;
  partitioner_->explain(likely.slow);
  if (options.exemplars != 0) partitioner_->follow_likely(likely.exemplars);
}

partition::CourseBook LabelPass::finish(Analysis& out) {
  wire_.requests().table().partitions = partitioner_->take();
  wire_.requests().table().unfinished = partitioner_->take_unfinished();
  wire_.requests().table().chains = partitioner_->take_chains();
  wire_.requests().table().occurrences = partitioner_->take_occurrences();
  wire_.requests().table().crowd = partitioner_->take_crowd();
  wire_.requests().table().cpus = partitioner_->take_cpus();
  out.files = partitioner_->take_files();
  out.wrong = partitioner_->wrong();
  wire_.requests().add(partitioner_->findings());
  partition::CourseBook courses = partitioner_->take_courses();
  freeing_ = std::thread([old = std::move(*partitioner_)] {});
  partitioner_.reset();
  return courses;
}

LabelPass::~LabelPass() {
  if (freeing_.joinable()) freeing_.join();
}

}  // namespace tailcap::pipeline
