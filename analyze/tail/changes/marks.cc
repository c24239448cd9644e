#include "analyze/tail/changes/marks.h"

#include <algorithm>
#include <map>

#include "analyze/model/machine/processes.h"
#include "formats/event.h"
#include "ground/text.h"

namespace tailcap::tail::changes {

using formats::kNoTime;
using formats::known;
using formats::Time;
using model::Change;
using model::ChangeKind;

namespace {

// A program that is started again several times within kTogether makes one change.
constexpr std::string_view kOwn = "tailcap.";
constexpr formats::Duration kTogether{5'000'000'000};

// "build\tvcs.revision=12ab…" of a Go program.
std::string revision_of(std::string_view lines) {
  constexpr std::string_view kKey = "vcs.revision=";
  const auto at = lines.find(kKey);
  if (at == lines.npos) return {};
  const auto rest = lines.substr(at + kKey.size());
  return std::string(rest.substr(0, std::min<std::size_t>(rest.find('\n'), 64)));
}

}  // namespace

Marks::Program* Marks::program_of(std::uint32_t pid) {
  if (pid == 0) return nullptr;
  auto& runs = runs_[pid];
  if (runs.empty()) {
    if (programs_.size() >= kPrograms) return nullptr;
    runs.push_back({kNoTime, programs_.size()});
    programs_.emplace_back().pid = pid;
  }
  return &programs_[runs.back().program];
}

void Marks::begin(std::uint32_t pid, Time at, Program program) {
  if (pid == 0 || programs_.size() >= kPrograms) return;
  runs_[pid].push_back({at, programs_.size()});
  programs_.push_back(std::move(program));
}

void Marks::push(const formats::Event& event) {
  const std::uint32_t pid = event.thread.pid;
  if (const auto* note = std::get_if<formats::Note>(&event.body)) {
    // The recorder's own: that stacks were switched on, say.
    if (note->key.substr(0, kOwn.size()) == kOwn) return;
    Change change;
    change.at = event.time;
    change.key = note->key.substr(0, kText);
    change.value = note->value.substr(0, kText);
    if (notes_.size() < kNotes)
      notes_.push_back(std::move(change));
    else
      notes_[notes_seen_ % kNotes] = std::move(change);
    ++notes_seen_;
  } else if (const auto* exec = std::get_if<formats::TaskExec>(&event.body)) {
    Program program;
    program.began = event.time;
    program.pid = pid;
    program.comm = exec->comm;
    begin(pid, event.time, std::move(program));
    began_ = true;
  } else if (const auto* start = std::get_if<formats::TaskStart>(&event.body)) {
    // A forked process runs what its parent runs.
    if (pid != event.thread.tid || pid == start->parent.pid || programs_.size() >= kPrograms ||
        program_of(start->parent.pid) == nullptr)
      return;
    const std::size_t program = runs_[start->parent.pid].back().program;
    auto& runs = runs_[pid];
    if (runs.size() < kPrograms) runs.push_back({event.time, program});
  } else if (const auto* info = std::get_if<formats::TaskInfo>(&event.body)) {
    if (pid != event.thread.tid) return;
    if (Program* p = program_of(pid)) {
      if (p->comm.empty() || !info->service.empty()) p->comm = model::name_of(*info);
      if (p->executable.empty()) p->executable = info->executable.substr(0, kText);
    }
  } else if (const auto* mapping = std::get_if<formats::Mapping>(&event.body)) {
    if (Program* p = program_of(pid); p && p->build.empty() && !p->executable.empty() && mapping->path == p->executable)
      p->build = ground::hex_text(mapping->build_id.substr(0, 32));
  } else if (const auto* build = std::get_if<formats::GoBuild>(&event.body)) {
    if (Program* p = program_of(pid); p && p->revision.empty()) p->revision = revision_of(build->lines);
  }
}

void Marks::add_programs(const model::RequestTable& table,
                         const std::function<model::TextId(model::ConnectionId)>& local,
                         std::vector<Change>& out) const {
  if (!began_) return;
  struct Use {
    std::size_t program;
    Time first, last;
  };
  std::map<model::TextId, std::vector<Use>> uses;  // by address, in the order in which they first answered
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (table.rows.role(i) != model::Role::server || !known(table.rows.start(i))) continue;
    const model::TextId address = local(table.rows.id(i).connection);
    const std::uint32_t pid = table.rows.names(i).pid;
    const auto runs = runs_.find(pid);
    if (address == 0 || runs == runs_.end()) continue;
    const Time start = table.rows.start(i);
    const auto run = std::find_if(runs->second.rbegin(), runs->second.rend(),
                                  [&](const Run& r) { return !known(r.since) || r.since <= start; });
    if (run == runs->second.rend()) continue;
    auto& of_address = uses[address];
    const auto use =
        std::find_if(of_address.begin(), of_address.end(), [&](const Use& u) { return u.program == run->program; });
    if (use == of_address.end())
      of_address.push_back({run->program, start, start});
    else
      use->last = start;
  }
  for (const auto& [address, programs] : uses)
    for (std::size_t n = 1; n < programs.size(); ++n) {
      const Program& next = programs_[programs[n].program];
      if (!known(next.began)) continue;
      // The one that answered last before it began.
      const Program* before = nullptr;
      Time latest = kNoTime;
      for (std::size_t m = 0; m < n; ++m) {
        const Program& p = programs_[programs[m].program];
        const bool same =
            (!p.comm.empty() && p.comm == next.comm) || (!p.executable.empty() && p.executable == next.executable);
        if (!same || programs[m].first > next.began) continue;
        const Time answered = std::min(programs[m].last, next.began);
        if (!before || answered >= latest) {
          before = &p;
          latest = answered;
        }
      }
      if (!before) continue;
      Change change;
      change.at = next.began;
      change.comm = next.comm;
      change.address = table.texts[address];
      change.pid = next.pid;
      const bool by_build = !before->build.empty() && !next.build.empty() && before->build != next.build;
      const bool by_revision = !before->revision.empty() && !next.revision.empty() && before->revision != next.revision;
      change.kind = by_build || by_revision ? ChangeKind::build : ChangeKind::restart;
      const bool revisions = by_revision || (!by_build && before->build.empty());
      change.build_before = revisions ? before->revision : before->build;
      change.build_after = revisions ? next.revision : next.build;
      out.push_back(std::move(change));
    }
}

void Marks::fill(const model::RequestTable& table, const std::function<model::TextId(model::ConnectionId)>& local,
                 model::ChangeStudy& out) const {
  std::vector<Change> programs;
  add_programs(table, local, programs);
  const auto by_time = [](const Change& a, const Change& b) { return a.at < b.at; };
  std::stable_sort(programs.begin(), programs.end(), by_time);
  out.changes.clear();
  for (Change& change : programs) {
    // One program answers at several addresses, and several of one kind are started one after the other.
    const bool again = std::any_of(out.changes.begin(), out.changes.end(), [&](const Change& c) {
      return c.kind == change.kind && c.comm == change.comm && c.build_after == change.build_after &&
             change.at - c.at < kTogether;
    });
    if (!again) out.changes.push_back(std::move(change));
  }
  out.left_out = notes_seen_ - notes_.size();
  out.changes.insert(out.changes.end(), notes_.begin(), notes_.end());
  std::stable_sort(out.changes.begin(), out.changes.end(), by_time);
}

}  // namespace tailcap::tail::changes
