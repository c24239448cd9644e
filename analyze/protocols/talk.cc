#include "analyze/protocols/talk.h"

#include <algorithm>
#include <utility>

#include "ground/http/preamble.h"

namespace tailcap::protocols {

using model::ByteRun;
using model::Direction;
using model::End;
using model::MessageKind;

namespace {

// A server's first frame is SETTINGS (RFC 9113, 3.4), and it may be sent before the client's preface is read.
constexpr std::uint32_t kMaxFirstSettings = 64 * 6;

enum class Begin { undecided, preface, settings, other };

Begin guess_http2(std::string_view bytes) {
  if (bytes.empty()) return Begin::undecided;
  const std::string_view preface = http2::kPreface;
  if (bytes.substr(0, preface.size()) == preface.substr(0, bytes.size()))
    return bytes.size() >= preface.size() ? Begin::preface : Begin::undecided;
  if (bytes[0] != 0) return Begin::other;  // no HTTP/1 begins so, and every such frame does
  if (bytes.size() < http2::kFrameHeader) return Begin::undecided;
  const http2::FrameHeader h = http2::parse_frame_header(bytes);
  return h.type == http2::FrameType::settings && h.flags == 0 && http2::legal(h) && h.length <= kMaxFirstSettings
             ? Begin::settings
             : Begin::other;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

}  // namespace

bool Talk::done() const {
  if (tls_) return tls_->done();
  if (calls_) return calls_->done();
  return http2_ && state_ == State::http2 ? http2_->done() : http1_ && http1_->done();
}

bool Talk::hold(const ByteRun& run) {
  if (held_.size() >= kMaxHeldRuns || held_bytes_ > kMaxHeldRunBytes) return false;
  held_.emplace_back(run);
  held_bytes_ += held_.back().bytes.size();
  return true;
}

void Talk::release() {
  held_.clear();
  held_.shrink_to_fit();
  held_bytes_ = 0;
}

void Talk::push(const ByteRun& run, Messages& out, model::Findings& findings) {
  if (state_ == State::undecided) {
    const Verdict verdict = judge(run);
    if (verdict == Verdict::undecided && hold(run)) return;
    decide(verdict, out, findings);
  }
  const std::uint64_t begins = begins_[static_cast<std::size_t>(run.direction)];
  if (run.offset >= begins + run.gap) return hand_on(run, out, findings);
  const ByteRun behind = behind_preamble(run);
  if (behind.length > 0 || behind.gap > 0 || behind.end != End::none) hand_on(behind, out, findings);
}

void Talk::hand_on(const ByteRun& run, Messages& out, model::Findings& findings) {
  switch (state_) {
    case State::undecided:
      break;
    case State::late:
      return push_late(run, out, findings);
    case State::http1:
    case State::upgrading:
      return push_http1(run, out, findings);
    case State::http2:
      return http2_->push(run, out, findings);
    case State::tls:
      return tls_->push(run, out);
    case State::calls:
      return push_calls(run, out, findings);
  }
}

ByteRun Talk::behind_preamble(const ByteRun& run) const {
  const std::uint64_t begins = begins_[static_cast<std::size_t>(run.direction)];
  if (run.offset >= begins) {
    ByteRun behind = run;
    behind.gap = std::min(run.gap, run.offset - begins);
    return behind;
  }
  Cursor cursor(run);
  cursor.skip(std::min(run.length, begins - run.offset));
  ByteRun behind = cursor.rest();
  behind.gap = 0;
  return behind;
}

Talk::Verdict Talk::judge(const ByteRun& whole) {
  if (whole.end != End::none && whole.length == 0) return Verdict::http1;  // nothing was said that would tell
  const auto d = static_cast<std::size_t>(whole.direction);
  std::string& begin = begin_[d];
  if (!whole.first_known) return Verdict::late;
  const ByteRun run = behind_preamble(whole);
  if (run.gap > 0) return Verdict::late;
  if (run.length == 0) return Verdict::undecided;
  if (run.head.empty() && begin.empty()) return Verdict::late;  // nothing of it was captured
  std::string_view known = run.head;
  if (!begin.empty()) known = begin.append(run.head);
  const ground::Begun begun = ground::after_preamble(known);
  begins_[d] += begun.preamble;
  const bool cut = run.head.size() < run.length;
  if (begun.preamble > known.size()) {
    begin.clear();
    return cut && run.offset + run.length > begins_[d] ? Verdict::late : Verdict::undecided;
  }
  known.remove_prefix(begun.preamble);
  if (cut && known.size() < http2::kPreface.size()) return Verdict::http1;
  if (begun.decided && begins_calls(known, whole.direction)) return Verdict::calls;
  if (begin.empty() && formats::calls::may_be_header(whole.head)) return Verdict::late;
  begin = std::string(begun.decided ? known.substr(0, http2::kPreface.size()) : known);
  return begun.decided ? judge_begin(begin, whole.direction) : Verdict::undecided;
}

bool Talk::begins_calls(std::string_view begin, Direction direction) {
  const auto begun = formats::calls::begun(begin);
  if (!begun) return false;
  kind_ = begun->kind;
  const bool asks = begun->side == formats::calls::Side::requests;
  client_ = asks == (direction == Direction::in) ? Direction::in : Direction::out;
  return true;
}

Talk::Verdict Talk::judge_begin(std::string_view begin, Direction direction) {
  switch (tls::guess_tls(begin)) {
    case tls::Begin::client_hello:
      client_ = direction;
      return Verdict::tls;
    case tls::Begin::server_hello:
      client_ = direction == Direction::in ? Direction::out : Direction::in;
      return Verdict::tls;
    case tls::Begin::undecided:
      return Verdict::undecided;
    case tls::Begin::other:
      break;
  }
  switch (guess_http2(begin)) {
    case Begin::preface:
      client_ = direction;
      return Verdict::http2;
    case Begin::other:
      return Verdict::http1;
    case Begin::settings:  // the client has the word
    case Begin::undecided:
      break;
  }
  return Verdict::undecided;
}

// Whatever was held goes where it belongs.
void Talk::decide(Verdict verdict, Messages& out, model::Findings& findings) {
  if (verdict == Verdict::http2) {
    state_ = State::http2;
    http2_ = std::make_unique<http2::Http2Connection>(id_, client_, held_all_);
  } else if (verdict == Verdict::tls) {
    state_ = State::tls;
    tls_ = std::make_unique<tls::TlsConnection>(id_, client_);
  } else if (verdict == Verdict::calls) {
    state_ = State::calls;
    calls_ = std::make_unique<calls::Reader>(id_, formats::calls::Stream(kind_), client_);
  } else {
    if (verdict == Verdict::http1) {
      state_ = State::http1;
      http1_ = std::make_unique<Http1>(id_, heads_all_);
    } else {
      begin_late();
    }
  }
  const std::vector<HeldRun> held = std::exchange(held_, {});
  held_bytes_ = 0;
  for (const HeldRun& h : held) push(h.view(), out, findings);
}

void Talk::begin_late() {
  state_ = State::late;
  trial_ = std::make_unique<Http1Trial>(id_, heads_all_);
  http2_ = std::make_unique<http2::Http2Connection>(id_, std::nullopt, held_all_);
  late_findings_ = std::make_unique<model::Findings>();
  late_tls_ = std::make_unique<tls::TlsLateStart>();
  late_calls_ = std::make_unique<calls::CallsLateStart>();
}

// What is read is lost at times; then a request and its answer find the place again.
void Talk::push_calls(const ByteRun& run, Messages& out, model::Findings& findings) {
  using Of = formats::calls::Stream::State;
  if (late_calls_ && late_calls_->push(run)) return join_calls(run, out, findings);
  calls_->push(run, out);
  switch (calls_->state()) {
    case Of::reads:
      return;
    case Of::tls:
      state_ = State::tls;
      tls_ = std::make_unique<tls::TlsConnection>(id_, client_);
      calls_.reset();
      return;
    case Of::foreign:
      if (!std::exchange(foreign_calls_, true)) findings.add(model::Finding::not_http);
      return;
    case Of::lost:
      if (late_calls_) return;
      late_calls_ = std::make_unique<calls::CallsLateStart>(calls_->kind());
      late_calls_->push(run);
      return;
  }
}

// This run answers the request that is held.
void Talk::join_calls(const ByteRun& run, Messages& out, model::Findings& findings) {
  const auto late = std::exchange(late_calls_, nullptr);
  state_ = State::calls;
  client_ = late->requests();
  calls_ = std::make_unique<calls::Reader>(id_, late->stream(), client_);
  for (const HeldRun& held : late->held()) calls_->push(held.view(), out);
  push_calls(run, out, findings);
}

void Talk::push_late(const ByteRun& run, Messages& out, model::Findings& findings) {
  ByteRun bytes = run;
  bytes.end = End::none;
  if (bytes.length > 0 || bytes.gap > 0) http2_->push(bytes, out, *late_findings_);
  if (run.end != End::none) http2_->settle(out, *late_findings_);
  if (http2_->found()) {
    state_ = State::http2;
    trial_.reset();
    late_tls_.reset();
    late_calls_.reset();
    findings.add(*std::exchange(late_findings_, nullptr));
    if (run.end == End::none) return;
    ByteRun end = run;
    end.offset += run.length;
    end.length = end.gap = 0;
    end.head = end.tail = {};
    end.arrivals = {};
    return http2_->push(end, out, findings);
  }
  if (late_calls_->push(run)) {
    trial_.reset();
    late_tls_.reset();
    http2_.reset();
    late_findings_.reset();
    return join_calls(run, out, findings);
  }
  if (late_tls_->push(run)) {
    state_ = State::tls;
    trial_.reset();
    http2_.reset();
    late_findings_.reset();
    late_tls_.reset();
    late_calls_.reset();
    tls_ = std::make_unique<tls::TlsConnection>(id_, client_, true);
    return tls_->push(run, out);
  }
  if (!trial_->push(run)) return;
  trial_->hand_on(out, findings);
  http1_ = trial_->take();
  trial_.reset();
  state_ = State::http1;
  http2_.reset();
  late_tls_.reset();
  late_calls_.reset();
  late_findings_.reset();
}

void Talk::push_http1(const ByteRun& run, Messages& out, model::Findings& findings) {
  if (state_ == State::upgrading && !hold(run)) {
    state_ = State::http1;
    release();
  }
  const std::size_t before = out.size();
  http1_->push(run, out, findings);
  for (std::size_t i = before; i < out.size(); ++i) {
    model::Message& m = out[i];
    if (m.kind == MessageKind::request && state_ == State::http1) {
      const auto settings = m.headers.find("http2-settings");
      if (!settings) continue;
      state_ = State::upgrading;
      settings_ = *settings;
      client_ = m.direction;
      asked_until_ = m.end;
      hold(run);
    } else if (m.kind == MessageKind::response && state_ == State::upgrading) {
      const auto upgrade_to = m.headers.find("upgrade");
      if (m.status == 101 && upgrade_to && same_ignoring_case(*upgrade_to, "h2c")) {
        m.kind = MessageKind::interim;  // the answer is to come, on stream 1
        return upgrade(model::Message(m), out, findings);
      }
      state_ = State::http1;
      release();
    }
  }
}

void Talk::upgrade(const model::Message& response, Messages& out, model::Findings& findings) {
  state_ = State::http2;
  http1_.reset();
  http2_ = std::make_unique<http2::Http2Connection>(id_, client_, held_all_);
  http2_->upgraded(settings_);
  const std::vector<HeldRun> held = std::exchange(held_, {});
  held_bytes_ = 0;
  for (const HeldRun& h : held) {
    const ByteRun run = h.view();
    const std::uint64_t until = run.direction == client_ ? asked_until_ : response.end;
    if (run.offset + run.length <= until && run.end == End::none) continue;
    Cursor cursor(run);
    cursor.skip(std::min(run.length, until - std::min(until, run.offset)));
    ByteRun rest = cursor.rest();
    rest.first_known = true;  // the border is known, wherever recording began
    http2_->push(rest, out, findings);
  }
}

}  // namespace tailcap::protocols
