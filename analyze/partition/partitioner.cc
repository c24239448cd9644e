#include "analyze/partition/partitioner.h"

#include <algorithm>
#include <array>

#include "analyze/partition/account.h"
#include "analyze/partition/course_book.h"
#include "analyze/partition/drafted.h"
#include "analyze/partition/files.h"
#include "analyze/partition/look_through.h"
#include "analyze/partition/occurrences.h"
#include "formats/event.h"
#include "ground/threads/background.h"
#include "ground/threads/workers.h"

namespace tailcap::partition {
namespace {

using model::ExchangeId;
using model::Finding;

// Events of a request come at most this much later than others of the same time: blocks are closed every 250 ms.
constexpr Nanos kLate = 1'000'000'000;
// How much is kept from before the oldest request under way: the batch, or the wait, in which it began.
constexpr Nanos kBefore = 1'000'000'000;
// Events of a batch, at most, and between two looks at what can be finished, at least: workers wait for each other.
constexpr std::size_t kEvery = 32768;
constexpr std::size_t kPiece = 16;           // requests that a worker takes at a time
constexpr std::size_t kLookedUp = 512;       // events, likewise
constexpr std::size_t kFollowedAtOnce = 64;  // each keeps what was found out about it until it is its turn
constexpr std::size_t kMaxWrong = 10;
constexpr std::size_t kMaxFollowed = 1000;
constexpr std::size_t kMaxExemplars = 200'000;  // with the calls below them

std::unordered_set<std::uint32_t> pids_of(const model::RequestTable& table) {
  std::unordered_set<std::uint32_t> pids;
  std::uint32_t last = 0;  // most come one after the other
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    if (const std::uint32_t pid = table.rows.names(i).pid; pid != last) pids.insert(last = pid);
  pids.erase(0);
  return pids;
}

// The labels of one request after the other; its memory is used again.
struct Accountant {
  Drafted drafted;
  Account account;

  // False: it has none.
  bool take(const DraftContext& k, std::uint32_t row, DraftDetail detail) {
    draft_request(k, row, detail, drafted);
    if (drafted.pieces.empty()) return false;
    account.take(drafted, k.observed);
    return true;
  }
  // Labels and phases sum to the duration.
  bool right(const Windows& windows) const {
    const Window& w = drafted.draft.w;
    const auto expected = windows.table().rows.work(w.row).phases;
    std::array<Nanos, model::kPhases> phases{};
    Nanos sum = 0;
    bool right = true;
    for (const model::AccountPart& p : account.parts()) {
      phases[static_cast<std::size_t>(p.phase)] += p.time;
      sum += p.time;
      right = right && p.time > 0;
    }
    const auto names = model::phases_of(w.role);
    for (std::size_t i = 0; i < names.size(); ++i)
      right = right && phases[static_cast<std::size_t>(names[i])] == expected[i];
    return right && sum == windows.table().rows.duration(w.row).count();
  }
};

// What a worker found out about a request.
struct Finished {
  bool right = true;
  std::vector<std::uint8_t> account;  // packed; empty: it has none
  std::vector<model::Chain> chains;
  model::Occurrences occurrences;
};

// The same of one whose course may be kept.
struct Followed {
  Accountant accountant;
  bool taken = false;
  std::vector<model::Chain> chains;
  model::Occurrences occurrences;
  model::FileCalls files;
};

}  // namespace

struct Partitioner::Impl {
  Impl(const model::RequestTable& table, std::vector<ExchangeNote> notes, std::span<const ByteCarrier> carriers,
       unsigned threads)
      : windows(table, std::move(notes)),
        unfinished_rows(windows.all_unfinished()),
        observed(windows, carriers, pids_of(table)),
        workers(threads),
        accountants(workers.size()),
        look_through(workers.size(), LookThrough(known())),
        places(workers.size()),
        observing(threads) {
    done.reserve(windows.by_end().size());
  }

  Windows windows;
  const std::vector<std::uint32_t> unfinished_rows;
  Observed observed;
  Loops loops{observed};
  PoolWaits pools{windows, observed};
  std::size_t next = 0;    // in windows.by_end()
  std::size_t pushed = 0;  // events since the last look
  model::Partitions done, unfinished;
  std::vector<ExchangeId> wrong;
  CourseBook book;
  Nanos only_from = INT64_MIN, only_to = INT64_MAX;  // requests under way in between get labels
  bool with_files = false, every_turn = false, with_occurrences = false;
  std::vector<model::RequestOccurrences::Entry> occurrences;
  std::vector<model::FileCalls> files;
  model::Findings findings;
  Drafted other;                // its memory is used again
  std::vector<bool> explained;  // by row
  model::Chains chains;
  ground::Workers workers;
  std::vector<Accountant> accountants;            // by worker
  std::vector<LookThrough> look_through;          // likewise
  std::vector<Windows::Places> places;            // likewise
  std::vector<Finished> finished;                 // their memory is used again
  std::vector<Followed> courses;                  // likewise
  std::vector<std::uint32_t> followed, together;  // of this batch, in order of their ends
  Nanos batch_until = 0;
  struct Step {
    const formats::Event* event;
    Moved moved;
  };
  std::array<std::vector<Step>, 2> steps;  // one is filled while the other is observed
  std::size_t filling = 0;
  ground::Background observing;  // the last: it uses the others

  Nanos end_of(std::uint32_t row) const {
    const auto& rows = windows.table().rows;
    return formats::nanoseconds(rows.start(row) + rows.duration(row));
  }

  bool wanted(std::uint32_t row) const {
    return end_of(row) >= only_from && formats::nanoseconds(windows.table().rows.start(row)) <= only_to;
  }

  void push(std::span<const formats::Event> events, bool last_of_block) {
    for (const formats::Event& event : events) {
      steps[filling].push_back({&event, {}});
      if (steps[filling].size() == kEvery) observe();
    }
    if (last_of_block) observe();
  }

  // What the table says of them: on all CPUs, while those before are observed.
  void look_up(std::vector<Step>& batch) {
    workers.run((batch.size() + kLookedUp - 1) / kLookedUp, [&](std::size_t worker, std::size_t piece) {
      const std::size_t end = std::min((piece + 1) * kLookedUp, batch.size());
      for (std::size_t i = piece * kLookedUp; i < end; ++i)
        batch[i].moved = observed.moved(*batch[i].event, places[worker]);
    });
  }

  // What was pushed.
  void observe() {
    look_up(steps[filling]);
    observing.wait();
    if (pushed >= kEvery) {
      advance(observed.now() - kLate);
      pushed = 0;
    }
    std::vector<Step>& batch = steps[filling];
    pushed += batch.size();
    filling = 1 - filling;
    observing.run([this, &batch] {
      for (const Step& step : batch) observed.push(*step.event, step.moved);
      batch.clear();
      collect();
    });
  }

  // After the last event.
  void observe_all() {
    observe();
    observing.wait();
  }

  DraftContext known() { return {windows, observed, loops, pools}; }
  bool explained_at(std::uint32_t row) const { return row < explained.size() && explained[row]; }

  void advance(Nanos until) {
    loops.settle(until, workers);
    const auto rows = windows.by_end();
    batch_until = until;
    followed.clear();
    together.clear();
    for (; next < rows.size() && end_of(rows[next]) < until; ++next) {
      if (!wanted(rows[next])) continue;
      (book.follows(rows[next]) ? followed : together).push_back(rows[next]);
    }
    finish_together();
    for (std::span<const std::uint32_t> rest = followed; !rest.empty();) {
      const auto some = rest.first(std::min(kFollowedAtOnce, rest.size()));
      finish_followed(some);
      rest = rest.subspan(some.size());
    }
    if (until == INT64_MAX) return collect();
    Nanos oldest_needed = std::min(windows.began(next), until) - kBefore;
    if (!unfinished_rows.empty())
      oldest_needed = std::min(oldest_needed, observed.now() - model::kUnfinishedShown - kBefore);
    observed.forget_before(oldest_needed);
    loops.forget_before(oldest_needed);
    if (!observed.full()) return;
    // A request lasts too long: the older half is dropped.
    findings.add(Finding::waits_dropped);
    const Nanos oldest = observed.forgotten_until();
    observed.forget_before(oldest + (observed.now() - oldest) / 2);
  }

  // Requests whose courses are not kept, on all CPUs.
  void finish_together() {
    if (finished.size() < together.size()) finished.resize(together.size());
    workers.run((together.size() + kPiece - 1) / kPiece, [&](std::size_t worker, std::size_t piece) {
      Accountant& accountant = accountants[worker];
      for (std::size_t i = piece * kPiece; i < std::min((piece + 1) * kPiece, together.size()); ++i) {
        Finished& out = finished[i];
        out.account.clear();
        out.chains.clear();
        const std::uint32_t row = together[i];
        if (!accountant.take(known(), row, every_turn || explained_at(row) ? DraftDetail::full : DraftDetail::sums))
          continue;
        out.right = accountant.right(windows);
        model::Partitions::pack(accountant.account.parts(), accountant.account.culprits(), out.account);
        const Drafted& drafted = accountant.drafted;
        if (with_occurrences) out.occurrences = occurrences_of(known(), drafted);
        if (explained_at(row)) out.chains = look_through[worker].chains_of(drafted.draft, drafted.pieces);
      }
    });
  }

  // What finish_together() has found.
  void collect() {
    for (std::size_t i = 0; i < together.size(); ++i) {
      Finished& f = finished[i];
      if (f.account.empty()) continue;
      const ExchangeId id = windows.table().rows.id(together[i]);
      done.add(id, f.account);
      if (with_occurrences) occurrences.emplace_back(id, f.occurrences);
      if (!f.chains.empty()) chains.emplace(id, std::move(f.chains));
      if (!f.right) note_wrong(id);
    }
    together.clear();
  }

  // Those whose courses may be kept: on all CPUs, then in order.
  void finish_followed(std::span<const std::uint32_t> rows) {
    if (courses.size() < rows.size()) courses.resize(rows.size());
    workers.run(rows.size(), [&](std::size_t worker, std::size_t i) {
      Followed& out = courses[i];
      out.taken = out.accountant.take(known(), rows[i], DraftDetail::full);
      if (!out.taken) return;
      const Drafted& drafted = out.accountant.drafted;
      out.chains.clear();
      if (with_occurrences) out.occurrences = occurrences_of(known(), drafted);
      if (explained_at(rows[i])) out.chains = look_through[worker].chains_of(drafted.draft, drafted.pieces);
      if (with_files) out.files = files_of(known(), drafted.draft);
    });
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (courses[i].taken) keep(courses[i]);
  }

  void keep(Followed& f) {
    const Account& account = f.accountant.account;
    const ExchangeId id = f.accountant.drafted.draft.w.id;
    if (!f.accountant.right(windows)) note_wrong(id);
    done.add(id, account.parts(), account.culprits());
    if (with_occurrences) occurrences.emplace_back(id, f.occurrences);
    if (!f.chains.empty()) chains.emplace(id, std::move(f.chains));
    for (const std::uint32_t by : book.add(windows, f.accountant.drafted, account.culprits()))
      if (end_of(by) < batch_until) add_course(by);  // it was finished before it was followed
    if (with_files && !f.files.empty()) files.push_back(std::move(f.files));
  }

  void finish_unfinished() {
    windows.end_at(observed.waits_until());
    for (const std::uint32_t row : unfinished_rows) {
      Accountant& accountant = accountants.front();
      if (!accountant.take(known(), row, DraftDetail::full)) continue;
      const Account& account = accountant.account;
      const Drafted& drafted = accountant.drafted;
      const Draft& draft = drafted.draft;
      unfinished.add(draft.w.id, account.parts(), account.culprits());
      if (auto found = look_through.front().chains_of(draft, drafted.pieces); !found.empty())
        chains.emplace(draft.w.id, std::move(found));
      if (book.follows(row)) book.add(windows, drafted, account.culprits());
    }
    unfinished.sort();
  }

  // It is over, and what happened in it is still known: it held up a request that has just ended.
  void add_course(std::uint32_t row) {
    if (formats::nanoseconds(windows.table().rows.start(row)) < observed.forgotten_until()) return;
    draft_request(known(), row, DraftDetail::full, other);
    if (!other.pieces.empty()) book.add(windows, other, {});
  }

  void note_wrong(ExchangeId id) {
    findings.add(Finding::partition_mismatch);
    if (wrong.size() < kMaxWrong) wrong.push_back(id);
  }
};

Partitioner::Partitioner(const model::RequestTable& table, std::vector<ExchangeNote> notes,
                         std::span<const ByteCarrier> carriers, unsigned threads)
    : impl_(std::make_unique<Impl>(table, std::move(notes), carriers, threads)) {}
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

void Partitioner::look_at_every_turn() { impl_->every_turn = true; }

void Partitioner::only(formats::Time from, formats::Time to) {
  impl_->only_from = formats::nanoseconds(from);
  impl_->only_to = formats::nanoseconds(to);
}

void Partitioner::count_occurrences() { impl_->with_occurrences = true; }

void Partitioner::explain(const std::vector<std::uint32_t>& rows) {
  impl_->explained.resize(impl_->windows.table().rows.size());
  for (const std::uint32_t row : rows) impl_->explained[row] = true;
}

void Partitioner::push(std::span<const formats::Event> events, bool last_of_block) {
  impl_->push(events, last_of_block);
}

model::Partitions Partitioner::take() {
  impl_->observe_all();
  impl_->advance(INT64_MAX);
  impl_->finish_unfinished();
  impl_->done.sort();
  impl_->done.set_groups(impl_->observed.quotas().groups());
  impl_->done.set_peers(impl_->observed.peers());
  impl_->done.set_locks(impl_->observed.lock_names());
  impl_->done.set_undelivered(impl_->observed.take_undelivered());
  return std::move(impl_->done);
}

model::Partitions Partitioner::take_unfinished() { return std::move(impl_->unfinished); }

model::Chains Partitioner::take_chains() { return std::move(impl_->chains); }

model::RequestOccurrences Partitioner::take_occurrences() {
  std::sort(impl_->occurrences.begin(), impl_->occurrences.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  model::RequestOccurrences out;
  out.assign(std::move(impl_->occurrences));
  return out;
}

model::Crowd Partitioner::take_crowd() { return impl_->observed.take_crowd(); }
model::CpuAccount Partitioner::take_cpus() { return impl_->observed.take_cpus(); }

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
