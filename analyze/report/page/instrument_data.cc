#include "analyze/report/page/instrument_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "analyze/model/columns/label_times.h"
#include "analyze/model/label_group.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/page/data_columns.h"
#include "analyze/report/page/function_data.h"
#include "analyze/report/page/lane_data.h"
#include "analyze/report/page/log_data.h"
#include "analyze/report/page/map_data.h"
#include "analyze/report/page/packed.h"
#include "analyze/report/page/shown_rows.h"
#include "analyze/report/tail/answer_of.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::page {
namespace {

constexpr std::size_t kTimeBins = 240, kDurationBins = 48;
constexpr std::size_t kCourseStretches = 200'000;  // in all: beyond that, requests have sums only
constexpr std::size_t kStretchesOfOne = 2'000;
constexpr std::size_t kChainsOfOne = 8;

class DataWriter {
 public:
  DataWriter(const model::Study& study, const model::RequestTable& table, const ReportOptions& options,
             const FactsOfRequests& facts, std::span<const ShownRow> rows)
      : study_(study), table_(table), options_(options), facts_(facts), rows_(rows), json_(out_) {}

  // Packed.
  std::string take() {
    const auto pack = [this] { packer_.add(out_); };
    json_.begin_object();
    head();
    write_labels();
    write_starts();
    pack();
    write_columns(json_, table_, rows_, texts_, pack);
    write_remotes();
    write_accounts();
    pack();
    write_courses();
    pack();
    write_behind();
    write_twins();
    write_functions(json_, table_, facts_, rows_, texts_);
    pack();
    if (facts_.services) write_map(json_, *facts_.services, rows_);
    if (facts_.logs) write_logs(json_, *facts_.logs, table_, rows_, texts_);
    if (rows_.size() < table_.rows.size()) write_bins();
    json_.key("texts");
    texts_.write(json_);
    json_.end_object();
    pack();
    return packer_.take();
  }

 private:
  template <class Values, class Get>
  void numbers(std::string_view name, const Values& values, Get get) {
    json_.key(name);
    json_.begin_array();
    for (const auto& value : values) json_.number(static_cast<std::int64_t>(get(value)));
    json_.end_array();
  }
  template <class Values>
  void numbers(std::string_view name, const Values& values) {
    numbers(name, values, [](const auto& v) { return v; });
  }

  void head() {
    json_.field("file", printable(options_.file));
    json_.field("length", std::int64_t{(study_.end - study_.begin).count()});
    const model::WallClock& clock = study_.quality.clock;
    json_.field("wall", clock.known() ? std::to_string(clock.realtime(study_.begin)) : std::string());
    json_.field("selected", !options_.scope.empty());
    json_.field("open", options_.opened.connection == 0 ? std::string() : id_text(options_.opened));
    json_.field("total", std::uint64_t{table_.rows.size()});
    numbers("detailed", rows_, [](const ShownRow& r) { return r.detailed; });
    numbers("answer", rows_, [](const ShownRow& r) { return r.answer; });
    numbers("failed", rows_, [&](const ShownRow& r) { return model::failed(table_.rows[r.row]); });
  }

  void write_labels() {
    json_.key("labels");
    json_.begin_array();
    for (std::size_t i = 0; i < model::kLabels; ++i) {
      const auto label = static_cast<model::Label>(i);
      json_.begin_array();
      json_.text(model::name_of(label));
      json_.text(model::text_of(label));
      json_.number(static_cast<std::uint64_t>(model::group_of(label)));
      json_.end_array();
    }
    json_.end_array();
    json_.key("groups");
    json_.begin_array();
    for (std::size_t i = 0; i < model::kLabelGroups; ++i) {
      const auto group = static_cast<model::LabelGroup>(i);
      json_.begin_array();
      json_.text(model::text_of(group));
      json_.text(model::colour_of(group));
      json_.end_array();
    }
    json_.end_array();
  }

  // ns since the beginning, each since the one before it; null: not known.
  void write_starts() {
    json_.key("starts");
    json_.begin_array();
    formats::Time last = study_.begin;
    for (const ShownRow& shown : rows_) {
      const formats::Time start = table_.rows.start(shown.row);
      if (formats::known(start)) {
        json_.number(std::int64_t{(start - last).count()});
        last = start;
      } else {
        json_.null();
      }
    }
    json_.end_array();
  }

  // The other end of its connection, of those with every fact.
  void write_remotes() {
    numbers("remotes", rows_, [&](const ShownRow& shown) -> std::int64_t {
      const model::ConnectionId connection = table_.rows.id(shown.row).connection;
      if (!shown.detailed || connection >= table_.remotes.size() || table_.remotes[connection] == 0) return 0;
      return texts_.number(table_.texts[table_.remotes[connection]]);
    });
  }

  // Time by label, largest first; of requests without every fact only the label with the most.
  void write_accounts() {
    std::vector<std::int64_t> lengths, labels, times;
    for (const ShownRow& shown : rows_) {
      auto sums = model::columns::longest_labels(table_.partitions.parts(table_.rows.id(shown.row)));
      if (!shown.detailed) sums.resize(std::min<std::size_t>(sums.size(), 1));
      lengths.push_back(static_cast<std::int64_t>(sums.size()));
      for (const auto& [label, time] : sums) {
        labels.push_back(static_cast<std::int64_t>(label));
        times.push_back(time);
      }
    }
    json_.key("accounts");
    json_.begin_object();
    numbers("lengths", lengths);
    numbers("labels", labels);
    numbers("times", times);
    json_.end_object();
  }

  const model::Course* course_of(model::ExchangeId id) const {
    const auto at = std::ranges::lower_bound(facts_.courses, id, {}, &model::Course::request);
    return at != facts_.courses.end() && at->request == id ? &*at : nullptr;
  }

  // Requests in the order in which their courses are given: those of answers first.
  std::vector<std::uint32_t> followed() const {
    std::vector<std::uint32_t> out;
    for (const bool of_answers : {true, false})
      for (std::uint32_t i = 0; i < rows_.size(); ++i)
        if ((rows_[i].answer != 0) == of_answers && rows_[i].detailed) out.push_back(i);
    return out;
  }

  void write_courses() {
    std::vector<std::int64_t> rows, lengths, labels, times, sure, whose, calls;
    for (const std::uint32_t i : followed()) {
      const model::Course* course = course_of(table_.rows.id(rows_[i].row));
      if (!course || course->stretches.empty()) continue;
      for (const model::Course::Call& call : course->calls) {
        calls.push_back(texts_.id(call.request));
        calls.push_back(call.on_path);
      }
      if (course->stretches.size() > kStretchesOfOne || labels.size() + course->stretches.size() > kCourseStretches)
        continue;
      rows.push_back(i);
      lengths.push_back(static_cast<std::int64_t>(course->stretches.size()));
      for (const model::LabelledStretch& s : course->stretches) {
        labels.push_back(static_cast<std::int64_t>(s.label));
        times.push_back((s.to - s.from).count());
        sure.push_back(static_cast<std::int64_t>(s.evidence));
        whose.push_back(texts_.id(s.culprit.request));
      }
    }
    json_.key("courses");
    json_.begin_object();
    numbers("rows", rows);
    numbers("lengths", lengths);
    numbers("labels", labels);
    numbers("times", times);
    numbers("evidence", sure);
    numbers("requests", whose);
    json_.end_object();
    numbers("calls", calls);
  }

  // What is known of the one behind a wait, beside its request.
  std::string behind(const model::Culprit& c) const {
    std::string text;
    const auto add = [&](const std::string& part) {
      if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
    };
    if (const std::string where = where_text(c, table_.partitions.locks()); !where.empty()) add(where);
    if (const model::CpuGroup* group = model::group_of(c, table_.partitions.groups())) add(group_text(*group));
    if (const model::SocketPeer* peer = model::peer_of(c, table_.partitions.peers())) add(peer_text(*peer));
    if (c.tid != 0) add("thread " + std::to_string(c.tid));
    return text;
  }

  void write_step(const model::Culprit& c) {
    json_.begin_array();
    json_.number(static_cast<std::uint64_t>(c.label));
    json_.number(std::uint64_t{texts_.id(c.request)});
    json_.number(std::uint64_t{texts_.number(behind(c))});
    json_.end_array();
  }

  // Chains: [row, ns, whether they end beyond the capture, steps]. Where there are none, each culprit is one.
  void write_behind() {
    json_.key("behind");
    json_.begin_array();
    for (std::uint32_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i].detailed) continue;
      const model::ExchangeId id = table_.rows.id(rows_[i].row);
      const auto write = [&](std::int64_t time, bool beyond, std::span<const model::Culprit> steps) {
        json_.begin_array();
        json_.number(std::uint64_t{i});
        json_.number(time);
        json_.boolean(beyond);
        for (const model::Culprit& step : steps) write_step(step);
        json_.end_array();
      };
      if (const auto chains = table_.chains.find(id); chains != table_.chains.end()) {
        std::vector<const model::Chain*> longest;
        for (const model::Chain& chain : chains->second) longest.push_back(&chain);
        std::ranges::stable_sort(longest, [](auto* a, auto* b) { return a->time > b->time; });
        longest.resize(std::min(longest.size(), kChainsOfOne));
        for (const model::Chain* chain : longest) write(chain->time, chain->beyond_capture, chain->steps);
      } else {
        for (const model::Culprit& c : table_.partitions.culprits(id)) write(c.time, false, {&c, 1});
      }
    }
    json_.end_array();
  }

  // Requests that were compared, and the typical request that each is to be held against.
  void write_twins() {
    std::vector<std::int64_t> pairs;
    for (const model::RouteStudy& route : study_.routes) {
      if (!route.tail) continue;
      for (const model::Exemplar& e : route.tail->exemplars) {
        pairs.push_back(texts_.id(table_.rows.id(e.row)));
        pairs.push_back(texts_.id(table_.rows.id(e.typical)));
      }
    }
    numbers("twins", pairs);
  }

  // How many requests there are by start and duration: those that are not in the columns, too.
  void write_bins() {
    std::int64_t shortest = INT64_MAX, longest = 1;
    const model::Rows& rows = table_.rows;
    const auto placed = [&](std::size_t i) { return rows.has_duration(i) && formats::known(rows.start(i)); };
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!placed(i)) continue;
      const std::int64_t took = std::max<std::int64_t>(1, rows.duration(i).count());
      shortest = std::min(shortest, took);
      longest = std::max(longest, took);
    }
    std::vector<std::uint32_t> counts(kTimeBins * kDurationBins);
    const auto length = std::max<std::int64_t>(1, (study_.end - study_.begin).count());
    const double low = std::log(static_cast<double>(std::min(shortest, longest)));
    const double high = std::log(static_cast<double>(longest)) + 1e-9;
    const auto bin = [](double share, std::size_t bins) {
      return std::min(bins - 1, static_cast<std::size_t>(std::max(0.0, share) * static_cast<double>(bins)));
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!placed(i)) continue;
      const double at = static_cast<double>((rows.start(i) - study_.begin).count()) / static_cast<double>(length);
      const double took = std::log(std::max(1.0, static_cast<double>(rows.duration(i).count())));
      ++counts[bin(at, kTimeBins) * kDurationBins + bin((took - low) / (high - low), kDurationBins)];
    }
    json_.key("bins");
    json_.begin_object();
    json_.field("times", std::uint64_t{kTimeBins});
    json_.field("durations", std::uint64_t{kDurationBins});
    json_.field("shortest", std::min(shortest, longest));
    json_.field("longest", longest);
    numbers("counts", counts);
    json_.end_object();
  }

  const model::Study& study_;
  const model::RequestTable& table_;
  const ReportOptions& options_;
  const FactsOfRequests& facts_;
  const std::span<const ShownRow> rows_;
  Packer packer_;
  std::string out_;  // what is not in the packer yet
  JsonWriter json_;
  DataTexts texts_;
};

}  // namespace

InstrumentData instrument_data(const model::Study& study, const model::RequestTable& table,
                               const ReportOptions& options, const FactsOfRequests& facts) {
  if (table.rows.empty()) return {};
  std::vector<std::uint32_t> answers(table.rows.size());
  tail::AnswerOf answer_of(study, table, tail::answers(study, table, options).verdicts);
  for (std::size_t i = 0; i < answers.size(); ++i)
    answers[i] = static_cast<std::uint32_t>(answer_of.number(table.rows[i]));
  const std::vector<model::ExchangeId> around = requests_around(study, table, options.opened);
  for (std::size_t less = 1;; less *= 2) {
    const std::vector<ShownRow> rows =
        shown_rows(table, facts.courses, answers, around, kDetailed / less, kInColumns / less);
    std::string out = DataWriter(study, table, options, facts, rows).take();
    if (out.size() > kLargestData && kDetailed / less > 1) continue;
    std::string lanes = facts.lanes ? lane_data(*facts.lanes, study, table, rows, around) : std::string();
    return {std::move(out), std::move(lanes)};
  }
}

}  // namespace tailcap::report::page
