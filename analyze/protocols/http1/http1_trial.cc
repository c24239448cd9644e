#include "analyze/protocols/http1/http1_trial.h"

#include <algorithm>
#include <utility>

namespace tailcap::protocols {

using model::MessageKind;

bool Http1Trial::push(const model::ByteRun& run) {
  if (!run.head.empty()) last_[static_cast<std::size_t>(run.direction)] = run.done;
  const bool captured = run.payload == formats::Payload::captured;  // it may have been masked since
  unseen_ = unseen_ || (run.length > 0 && !captured && run.payload != formats::Payload::off);
  seen_ = seen_ || (run.length > 0 && captured);
  ended_ = ended_ || run.end != model::End::none;
  if (contradicts(run)) {
    drop();
    if (run.end == model::End::none) return false;
  }
  fresh_.clear();
  model::ByteRun part = run;
  part.first_known = run.first_known && contradictions_ == 0;  // begun again, in the middle
  http1_->push(part, fresh_, findings_);
  for (std::size_t i = 0; i < fresh_.size(); ++i) {
    model::Message& m = fresh_[i];
    if (m.kind == MessageKind::request) asked_ = true;
    if (m.kind == MessageKind::response && m.status != 0) {
      if (m.answers_unknown)
        ++unasked_;
      else
        proved_ = true;
    }
    kept_.push_back(std::move(m));
    m = {};
  }
  if (!proved_ && !asked_ && unasked_ > 1) drop();
  if (contradictions_ >= kMaxContradictions) proved_ = false;
  return proved_ || http1_->done() || kept_.size() >= kMaxKept;
}

// One end would send requests and responses, or both ends would send the same.
bool Http1Trial::contradicts(const model::ByteRun& run) {
  const auto d = static_cast<std::size_t>(run.direction);
  const bool asks = verified_start(run.head, true), answers = verified_start(run.head, false);
  begins_[d][0] = begins_[d][0] || asks;
  begins_[d][1] = begins_[d][1] || answers;
  return (begins_[d][0] && begins_[d][1]) || (begins_[0][0] && begins_[1][0]) || (begins_[0][1] && begins_[1][1]);
}

// What was read is none of HTTP. Its directions may be: with other roles, or later.
void Http1Trial::drop() {
  ++contradictions_;
  unasked_ = 0;
  asked_ = proved_ = false;
  for (auto& of_direction : begins_) of_direction[0] = of_direction[1] = false;
  std::erase_if(kept_,
                [](const model::Message& m) { return m.kind != MessageKind::closed && m.kind != MessageKind::opaque; });
  if (ended_) return;
  findings_ = {};
  http1_ = std::make_unique<Http1>(id_, heads_);
}

// No request was read together with its response, and no more comes. A request alone may be under way, and a single
// response may answer one that began earlier, if the other end was silent from then on.
bool Http1Trial::believed() const {
  if (proved_) return true;
  if (contradictions_ > 0) return false;
  if (findings_[model::Finding::malformed_message] > 0) return false;
  const auto first = std::find_if(kept_.begin(), kept_.end(), [](const model::Message& m) {
    return m.kind == MessageKind::request || (m.kind == MessageKind::response && m.status != 0);
  });
  if (first == kept_.end() || !formats::known(first->instants.first_done)) return true;
  return last_[1 - static_cast<std::size_t>(first->direction)] <= first->instants.first_done;
}

void Http1Trial::hand_on(Messages& out, model::Findings& findings) {
  const bool http = believed();
  if (unseen_ && !seen_)
    findings.add(model::Finding::bytes_unseen);
  else if (http)
    findings.add(findings_);
  else
    findings.add(model::Finding::not_http);
  for (model::Message& m : kept_) {
    if (!http && m.kind != MessageKind::closed && m.kind != MessageKind::opaque) continue;
    if (!http) m.protocol = model::Protocol::unknown;
    out.take(m);
  }
  kept_.clear();
}

}  // namespace tailcap::protocols
