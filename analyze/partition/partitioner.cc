#include "analyze/partition/partitioner.h"

#include <algorithm>
#include <map>

#include "analyze/partition/course_book.h"
#include "analyze/partition/drafted.h"
#include "analyze/partition/files.h"
#include "analyze/partition/look_through.h"

namespace tailcap::partition {
namespace {

using model::ExchangeId;
using model::Finding;
using model::Label;

// Events of a request come at most this much later than others of the same time: blocks are closed every 250 ms.
constexpr Nanos kLate = 1'000'000'000;
// How much is kept from before the oldest request under way: the batch, or the wait, in which it began.
constexpr Nanos kBefore = 1'000'000'000;
constexpr std::uint32_t kEvery = 8192;  // events between two looks at what can be finished
constexpr std::size_t kMaxWrong = 10;
constexpr Nanos kWorthALook = 100'000;   // shorter stretches are not compared with waits for a CPU
constexpr std::size_t kMaxBlockers = 4;  // of a label in one request
constexpr std::size_t kMaxFollowed = 1000;
constexpr std::size_t kMaxExemplars = 200'000;  // with the calls below them

std::unordered_set<std::uint32_t> pids_of(const model::RequestTable& table) {
  std::unordered_set<std::uint32_t> pids;
  for (const model::Request row : table.rows)
    if (row.pid != 0) pids.insert(row.pid);
  return pids;
}

}  // namespace

struct Partitioner::Impl {
  Impl(const model::RequestTable& table, std::vector<ExchangeNote> notes, std::span<const ByteCarrier> carriers)
      : windows(table, std::move(notes)), observed(windows, carriers, pids_of(table)) {}

  const Windows windows;
  Observed observed;
  std::size_t next = 0;  // in windows.by_end()
  std::uint32_t pushed = 0;
  model::Partitions done;
  std::vector<ExchangeId> wrong;
  CourseBook book;
  bool with_files = false;
  std::vector<model::FileCalls> files;
  model::Findings findings;
  Drafted drafted;  // its memory is used again
  LookThrough look_through{{windows, observed}};
  std::vector<bool> explained;  // by row
  model::Chains chains;
  std::vector<model::Part> parts;
  std::vector<model::Culprit> culprits;

  Nanos end_of(std::uint32_t row) const {
    const auto& rows = windows.table().rows;
    return formats::nanoseconds(rows.start(row) + rows.duration(row));
  }

  void advance(Nanos until) {
    const auto rows = windows.by_end();
    while (next < rows.size() && end_of(rows[next]) < until) finish(rows[next++]);
    observed.forget_before(std::min(windows.began(next), until) - kBefore);
    if (!observed.full()) return;
    // A request lasts too long: the older half is dropped.
    findings.add(Finding::waits_dropped);
    const Nanos oldest = observed.forgotten_until();
    observed.forget_before(oldest + (observed.now() - oldest) / 2);
  }

  void finish(std::uint32_t row) {
    draft_request({windows, observed}, row, drafted);
    if (drafted.pieces.empty()) return;
    cut();
    blame();
    check();
    const Draft& draft = drafted.draft;
    done.add(draft.w.id, parts, culprits);
    if (row < explained.size() && explained[row])
      if (auto found = look_through.chains_of(draft, drafted.pieces); !found.empty())
        chains.emplace(row, std::move(found));
    if (book.empty()) return;
    book.add(windows, draft, drafted.pieces, drafted.calls, culprits);
    if (!with_files || !book.follows(row)) return;
    if (model::FileCalls used = files_of({windows, observed}, draft); !used.empty()) files.push_back(std::move(used));
  }

  // Pieces and phases are both in order of time.
  void cut() {
    const Draft& draft = drafted.draft;
    struct Sum {
      Nanos time = 0, crowded = 0;
    };
    std::map<std::tuple<model::Phase, Label, model::Evidence>, Sum> sums;
    std::size_t s = 0;
    for (const Condition& p : drafted.pieces) {
      for (Nanos at = p.from; at < p.to;) {
        while (s + 1 < draft.w.stretches && draft.w.stretch[s].to <= at) ++s;
        const Nanos until = s + 1 < draft.w.stretches ? std::min(p.to, draft.w.stretch[s].to) : p.to;
        Sum& sum = sums[{draft.w.stretch[s].phase, p.label, p.evidence}];
        sum.time += until - at;
        if (until - at >= kWorthALook) sum.crowded += observed.crowd().within(at, until);
        at = until;
      }
    }
    parts.clear();
    for (const auto& [what, sum] : sums)
      parts.push_back({std::get<0>(what), std::get<1>(what), std::get<2>(what),
                       static_cast<std::uint8_t>(255 * sum.crowded / sum.time), sum.time});
  }

  // For each label, the blockers with the most time, most first.
  void blame() {
    std::map<std::pair<Label, std::uint32_t>, Nanos> sums;
    for (const Condition& p : drafted.pieces)
      if (p.behind != 0) sums[{p.label, p.behind}] += p.to - p.from;
    culprits.clear();
    for (const auto& [what, time] : sums) {
      model::Culprit c = drafted.draft.behind[what.second - 1];
      if (c.what == 0 && c.request.connection == 0 && c.tid == 0) continue;
      c.label = what.first;
      c.time = time;
      culprits.push_back(c);
    }
    std::stable_sort(culprits.begin(), culprits.end(), [](const model::Culprit& a, const model::Culprit& b) {
      return a.label != b.label ? a.label < b.label : a.time > b.time;
    });
    std::size_t of_label = 0, kept = 0;
    for (std::size_t i = 0; i < culprits.size(); ++i) {
      of_label = i > 0 && culprits[i].label == culprits[i - 1].label ? of_label + 1 : 0;
      if (of_label < kMaxBlockers) culprits[kept++] = culprits[i];
    }
    culprits.resize(kept);
  }

  void check() {
    const Draft& draft = drafted.draft;
    const model::Request r = windows.table().rows[draft.w.row];
    std::array<Nanos, model::kPhases> phases{};
    Nanos sum = 0;
    bool right = true;
    for (const model::Part& p : parts) {
      phases[static_cast<std::size_t>(p.phase)] += p.time;
      sum += p.time;
      right = right && p.time > 0;
    }
    const auto names = model::phases_of(r.role);
    for (std::size_t i = 0; i < names.size(); ++i)
      right = right && phases[static_cast<std::size_t>(names[i])] == r.phases[i];
    if (right && sum == r.duration.count()) return;
    findings.add(Finding::partition_mismatch);
    if (wrong.size() < kMaxWrong) wrong.push_back(r.id);
  }
};

Partitioner::Partitioner(const model::RequestTable& table, std::vector<ExchangeNote> notes,
                         std::span<const ByteCarrier> carriers)
    : impl_(std::make_unique<Impl>(table, std::move(notes), carriers)) {}
Partitioner::Partitioner(Partitioner&&) noexcept = default;
Partitioner::~Partitioner() = default;

void Partitioner::follow(ExchangeId id) {
  impl_->book.follow(impl_->windows, id, CourseBook::Culprits::leave, kMaxFollowed);
  impl_->with_files = true;
  impl_->observed.keep_files();
}

void Partitioner::follow_likely(const std::vector<std::uint32_t>& rows) {
  for (const std::uint32_t row : rows)
    impl_->book.follow(impl_->windows, impl_->windows.table().rows.id(row), CourseBook::Culprits::keep, kMaxExemplars);
}

void Partitioner::explain(const std::vector<std::uint32_t>& rows) {
  impl_->explained.resize(impl_->windows.table().rows.size());
  for (const std::uint32_t row : rows) impl_->explained[row] = true;
}

void Partitioner::push(const formats::Event& event) {
  impl_->observed.push(event);
  if (++impl_->pushed % kEvery == 0) impl_->advance(impl_->observed.now() - kLate);
}

model::Partitions Partitioner::take() {
  impl_->advance(INT64_MAX);
  impl_->done.sort();
  impl_->done.set_groups(impl_->observed.groups());
  return std::move(impl_->done);
}

model::Chains Partitioner::take_chains() { return std::move(impl_->chains); }

model::Crowd Partitioner::take_crowd() { return impl_->observed.take_crowd(); }

CourseBook Partitioner::take_courses() { return std::move(impl_->book); }

std::vector<model::FileCalls> Partitioner::take_files() {
  std::sort(impl_->files.begin(), impl_->files.end(),
            [](const auto& a, const auto& b) { return a.request < b.request; });
  return std::move(impl_->files);
}

const std::vector<ExchangeId>& Partitioner::wrong() const { return impl_->wrong; }

model::Findings Partitioner::findings() const {
  model::Findings all = impl_->findings;
  all.add(impl_->observed.findings());
  return all;
}

}  // namespace tailcap::partition
