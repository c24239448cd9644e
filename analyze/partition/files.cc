#include "analyze/partition/files.h"

#include <map>

namespace tailcap::partition {
namespace {

enum class Whose : std::uint8_t { not_its, perhaps, inferred, its };

// The thread had begun with another request by t, and that was not over.
bool others_under_way(const DraftContext& k, const Draft& draft, std::uint32_t tid, Nanos t) {
  const ThreadLog* log = k.observed.thread(tid);
  if (!log) return true;
  std::map<model::ExchangeId, bool> last;
  for (const Act* a = log->acts.begin(); a != log->acts.end() && a->time <= t; ++a)
    if (a->owner.connection != 0 && a->owner != draft.w.id) last[a->owner] = a->last;
  for (const auto& [owner, over] : last)
    if (!over && !k.windows.over(owner, t)) return true;
  return false;
}

Whose whose(const FileUse& use, const DraftContext& k, const Draft& draft, bool go) {
  if (go) return use.goroutine != 0 && use.goroutine == draft.goroutine ? Whose::its : Whose::not_its;
  for (const Draft::Carried& c : draft.carried) {
    if (c.tid != use.tid || use.time < c.from || use.time >= c.to) continue;
    if (!c.loop) return Whose::its;
    return c.doubtful || others_under_way(k, draft, c.tid, use.time) ? Whose::perhaps : Whose::inferred;
  }
  return Whose::not_its;
}

}  // namespace

model::FileCalls files_of(const DraftContext& k, const Draft& draft) {
  model::FileCalls out;
  out.request = draft.w.id;
  const ProcessLog* process = k.observed.process(draft.w.pid);
  if (!process) return out;
  for (const FileUse* use = process->files.first_at(draft.w.from);
       use != process->files.end() && use->time < draft.w.to; ++use) {
    const Whose is = whose(*use, k, draft, process->go);
    if (is == Whose::perhaps) ++out.doubtful;
    if (is != Whose::its && is != Whose::inferred) continue;
    if (out.calls.size() == model::FileCalls::kMaxKept) {
      ++out.more;
      continue;
    }
    model::FileCall call;
    call.began = formats::time_from(use->time);
    call.ended = formats::time_from(use->to);
    call.result = use->result;
    call.path = k.observed.path(use->path);
    call.descriptor = use->descriptor;
    call.tid = use->tid;
    call.act = use->act;
    call.inferred = is == Whose::inferred;
    out.calls.push_back(std::move(call));
  }
  return out;
}

}  // namespace tailcap::partition
