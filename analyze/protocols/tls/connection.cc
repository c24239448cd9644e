#include "analyze/protocols/tls/connection.h"

#include <algorithm>
#include <utility>

#include "analyze/protocols/tls/hello.h"

namespace tailcap::protocols::tls {

using formats::known;
using model::Direction;
using model::End;
using model::Taint;
using model::TlsFailure;
using model::TlsOutcome;

namespace {

constexpr std::uint16_t kTls13 = 0x0304;
constexpr std::uint32_t kOldAlert = 40;  // with the usual ciphers
constexpr std::uint8_t kFatal = 2, kCloseNotify = 0, kUserCanceled = 90;

// RFC 8446, 5.2: a record holds the content, its type in one byte and the cipher's tag.
std::uint32_t tag_length(std::uint16_t cipher) { return cipher == 0x1305 ? 8 : 16; }
std::uint32_t alert_length(std::uint16_t cipher) { return 2 + 1 + tag_length(cipher); }
// A Finished alone, RFC 8446, 4.4.4: as long as the hash. 0: the cipher is not known.
std::uint32_t finished_length(std::uint16_t cipher) {
  if (cipher < 0x1301 || cipher > 0x1305) return 0;
  return 4 + (cipher == 0x1302 ? 48 : 32) + 1 + tag_length(cipher);
}

}  // namespace

Begin guess_tls(std::string_view bytes) {
  if (bytes.empty()) return Begin::undecided;
  if (bytes[0] != 22) return Begin::other;
  if (bytes.size() >= 3 && (bytes[1] != 3 || static_cast<unsigned char>(bytes[2]) > 4)) return Begin::other;
  if (bytes.size() >= kRecordHeader && !plausible(bytes)) return Begin::other;
  if (bytes.size() < kGuessBytes) return Begin::undecided;
  return bytes[5] == kClientHello ? Begin::client_hello : bytes[5] == kServerHello ? Begin::server_hello : Begin::other;
}

TlsConnection::TlsConnection(model::ConnectionId id, Direction client_direction, bool began_before) : id_(id) {
  facts_.client = client_direction;
  facts_.began_before = began_before;
  if (began_before) {
    facts_.taints = facts_.taints | Taint::began_before;
    for (Side& s : sides_) s.reader.start_lost();
  }
}

void TlsConnection::push(const model::ByteRun& run, Messages& out) {
  const auto d = static_cast<std::size_t>(run.direction);
  if (ended_[d]) return;
  Side& s = sides_[d];
  if (told_) s.moved += run.length + run.gap;
  if (!told_) {
    facts_.taints |= run.taints;
    if (run.gap > 0) {
      s.reader.gap(run.gap);
      s.messages.lose();
      facts_.taints = facts_.taints | Taint::bytes_lost;
    }
    const bool lost = s.reader.lost();
    Cursor cursor(run);
    Fragment f;
    while (s.reader.next(cursor, f)) take(s, f, run);
    if (s.reader.lost() && !lost && !s.reader.refused()) facts_.taints = facts_.taints | Taint::payload_cut;
    // Finished may be among what is missing: a later record is not it.
    if ((run.gap > 0 || s.reader.lost()) && !known(s.finished)) s.finished_lost = true;
    if (handshake_done()) tell(out);
  }
  if (run.end == End::none) return;
  ended_[d] = true;
  s.end = run.end;
  s.ended_at = run.done;
  if (done() && !told_) {
    settle();
    tell(out);
  }
  model::Message closed;
  closed.kind = model::MessageKind::closed;
  closed.connection = id_;
  closed.direction = run.direction;
  closed.closed = run.end;
  closed.closed_at = run.done;
  closed.encrypted_bytes = s.moved > alert_most_ ? s.moved : 0;
  closed.taints = run.taints;
  closed.begin = closed.end = run.offset + run.length;
  out.take(closed);
}

void TlsConnection::begun(Side& s, const Fragment& f, Direction d) {
  s.any = true;
  const model::Time at = d == Direction::in && known(f.begun_arrived) ? f.begun_arrived : f.begun_done;
  if (facts_.began_before) return;
  if (&s == &server()) {
    facts_.answered = at;
    return;
  }
  facts_.began = at;
  facts_.thread = f.thread;
  if (d == Direction::in && !known(f.begun_arrived)) facts_.taints = facts_.taints | Taint::arrival_unknown;
}

void TlsConnection::take(Side& s, const Fragment& f, const model::ByteRun& run) {
  if (!s.any) begun(s, f, run.direction);
  switch (f.record.type) {
    case ContentType::handshake:
      take_handshake(s, f, run);
      break;
    case ContentType::change_cipher_spec:
      if (f.first && !std::exchange(s.changed_cipher, true) && &s == &server()) server_changed_cipher();
      break;
    case ContentType::alert:
      if (f.first) s.alert_open = true;
      if (s.alert_open && f.length > 0) take_alert(f, run);
      if (f.length > 0) s.alert_open = false;
      break;
    case ContentType::heartbeat:
      break;
    case ContentType::application_data:
      s.application_data = true;
      if (f.first) s.moved += f.record.length;
      if (f.first && s.encrypted.size() < kMaxEncrypted)
        s.encrypted.push_back({f.record.length, model::kNoTime, server().any});
      if (f.last && !s.encrypted.empty() && !known(s.encrypted.back().done) &&
          s.encrypted.back().length == f.record.length)
        s.encrypted.back().done = run.done;
      break;
  }
}

void TlsConnection::take_handshake(Side& s, const Fragment& f, const model::ByteRun& run) {
  // Behind ChangeCipherSpec it is encrypted; but in TLS 1.3 that means nothing, and a hello may follow a retry.
  const bool encrypted = s.changed_cipher && !(facts_.retried && facts_.version != 0);
  if (encrypted) {
    if (s.finished_lost) return;
    if (f.first && !s.finished_seen) {
      s.finished_seen = true;
      s.finished = model::kNoTime;
    }
    if (f.last && s.finished_seen && !known(s.finished)) s.finished = run.done;
    return;
  }
  if (f.resumed) s.messages.lose();  // its first bytes need not begin a message
  std::string_view bytes = f.bytes;
  std::uint32_t length = f.length;
  while (s.messages.next(bytes, length)) {
    if (s.messages.type == kClientHello && &s == &client())
      client_hello(s.messages.body);
    else if (s.messages.type == kServerHello && &s == &server())
      server_hello(s.messages.body);
    else if (s.messages.type == kCertificate && &s == &server())
      s.certificate = true;
  }
}

void TlsConnection::client_hello(std::string_view body) {
  if (std::exchange(hello_seen_, true)) return;  // the second, after a retry, says the same
  const ClientHello hello = parse_client_hello(body);
  facts_.server_name = hello.server_name;
  facts_.alpn_offered = hello.alpn;
  facts_.highest_offered = hello.highest_version;
  facts_.early_data = hello.early_data;
  facts_.offers_resumption =
      hello.pre_shared_key || hello.session_ticket || (hello.highest_version < kTls13 && !hello.session_id.empty());
  session_id_ = hello.session_id;
}

void TlsConnection::server_hello(std::string_view body) {
  const ServerHello hello = parse_server_hello(body);
  if (hello.version != 0) facts_.version = hello.version;
  if (hello.cipher != 0) facts_.cipher = hello.cipher;
  if (hello.retry) {
    facts_.retried = true;
    return;
  }
  facts_.alpn = hello.alpn;
  server_hello_whole_ = hello.whole;
  echoed_ = hello.session_id;
  if (hello.whole && hello.version == kTls13) facts_.resumed = hello.pre_shared_key;
}

// RFC 5246, 7.3 and RFC 5077, 3.4: a resumed session has its id echoed and no Certificate in front of this.
void TlsConnection::server_changed_cipher() {
  Side& s = server();
  if (facts_.version == 0 || facts_.version >= kTls13 || !server_hello_whole_) return;
  if (s.certificate || echoed_.empty())
    facts_.resumed = false;
  else if (hello_seen_ && !s.messages.lost())
    facts_.resumed = echoed_ == session_id_;
}

void TlsConnection::take_alert(const Fragment& f, const model::ByteRun& run) {
  // Encrypted ones are longer. One that comes in two runs of a byte each is not worth the trouble.
  if (f.record.length != 2 || f.bytes.size() != 2) return;
  model::TlsAlert alert;
  alert.level = static_cast<std::uint8_t>(f.bytes[0]);
  alert.description = static_cast<std::uint8_t>(f.bytes[1]);
  alert.by = run.direction;
  alert.at = run.done;
  const bool ending = alert.description == kCloseNotify || alert.description == kUserCanceled;
  const bool fatal = alert.level == kFatal || (facts_.version == kTls13 && !ending);
  if (fatal_ || (facts_.alert && !fatal)) return;
  facts_.alert = alert;
  fatal_ = fatal;
}

bool TlsConnection::handshake_done() {
  if (facts_.began_before || fatal_ || facts_.version == 0) return false;
  if (facts_.version == kTls13) return done_tls13(false);
  const Side& c = client();
  const Side& s = server();
  if (c.finished_seen && s.finished_seen && known(c.finished) && known(s.finished)) {
    facts_.done = std::max(c.finished, s.finished);
    facts_.outcome = TlsOutcome::done;
    return true;
  }
  return false;
}

bool TlsConnection::done_tls13(bool at_end) {
  const std::vector<Encrypted>& records = client().encrypted;
  if (records.empty() || !server().application_data) return false;
  const std::uint32_t finished = finished_length(facts_.cipher);
  const auto is_finished = [&](const Encrypted& e) {
    return finished != 0 && e.length == finished && (!facts_.early_data || e.answered);
  };
  const auto settle_on = [&](const Encrypted& e, bool exact) {
    facts_.done = e.done;
    facts_.done_exact = exact;
    facts_.outcome = TlsOutcome::done;
    return true;
  };
  // Nothing that a client may send in front of its Finished is as short as an alert.
  if (!facts_.early_data && records[0].length == alert_length(facts_.cipher)) return false;
  const bool lost = has(facts_.taints, Taint::bytes_lost) || has(facts_.taints, Taint::payload_cut);
  const bool exact = !facts_.early_data && !lost && is_finished(records[0]);
  if (exact) return known(records[0].done) || at_end ? settle_on(records[0], known(records[0].done)) : false;
  const auto at = std::find_if(records.begin(), records.end(), is_finished);
  if (at != records.end() && (known(at->done) || at_end)) return settle_on(*at, false);
  if (facts_.early_data || (records.size() < kMaxEncrypted && !at_end)) return false;
  return settle_on(records[0], false);
}

// The handshake did not come to its end, so that a record of that length, in its place, can be nothing else.
bool TlsConnection::encrypted_alert() {
  if (facts_.version != kTls13 || facts_.early_data) return false;
  const std::uint32_t length = alert_length(facts_.cipher);
  const auto find = [&](Direction d) -> bool {
    for (const Encrypted& e : side(d).encrypted) {
      if (e.length != length) continue;
      facts_.alert = model::TlsAlert{0, 0, d, e.done};
      return true;
    }
    return false;
  };
  const auto& c = client().encrypted;
  if (!c.empty() && c[0].length == length) return find(facts_.client);
  return c.empty() && find(other(facts_.client));
}

// Both directions have ended, and the handshake was not seen to be done.
void TlsConnection::settle() {
  if (facts_.began_before) return;
  Side &c = client(), &s = server();
  const bool lost = c.reader.lost() || s.reader.lost() || has(facts_.taints, Taint::bytes_lost) ||
                    has(facts_.taints, Taint::payload_cut) || has(facts_.taints, Taint::events_lost);
  const auto fail = [&](TlsFailure why) {
    facts_.outcome = TlsOutcome::failed;
    facts_.failure = why;
  };
  if (fatal_) return fail(TlsFailure::alert);
  if (s.reader.refused()) return fail(TlsFailure::not_tls);
  if (facts_.version == kTls13 && done_tls13(true)) return;
  // Application data flows only after it, before TLS 1.3.
  if (facts_.version != 0 && facts_.version < kTls13 && (c.application_data || s.application_data)) {
    facts_.outcome = TlsOutcome::done;
    return;
  }
  if (!lost && encrypted_alert()) return fail(TlsFailure::encrypted_alert);
  if (c.end == End::capture || s.end == End::capture) {
    facts_.outcome = lost ? TlsOutcome::unknown : TlsOutcome::cut_off;
    facts_.taints = facts_.taints | Taint::cut_off;
    return;
  }
  if (lost) return;
  if (c.end == End::reset || s.end == End::reset) return fail(TlsFailure::reset);
  if (c.end == End::error && s.end == End::error) return fail(TlsFailure::error);
  fail(TlsFailure::closed);
  if (facts_.alert)
    facts_.ended_by = facts_.alert->by;
  else if (c.end == End::fin && (s.end != End::fin || c.ended_at < s.ended_at))
    facts_.ended_by = facts_.client;
  else if (s.end == End::fin && (c.end != End::fin || s.ended_at < c.ended_at))
    facts_.ended_by = other(facts_.client);
}

void TlsConnection::tell(Messages& out) {
  told_ = true;
  // Before TLS 1.3 the handshake has record types of its own, and an alert takes some bytes more, depending on the
  // cipher.
  const bool tls13 = facts_.version == kTls13;
  alert_most_ = tls13 ? kRecordHeader + alert_length(facts_.cipher) : kOldAlert;
  if (tls13) client().moved -= std::min<std::uint64_t>(client().moved, finished_length(facts_.cipher));
  if (facts_.outcome == TlsOutcome::done && facts_.alert && !fatal_) facts_.alert.reset();
  model::Message m;
  m.kind = model::MessageKind::handshake;
  m.connection = id_;
  m.direction = facts_.client;
  m.taints = facts_.taints;
  m.instants.first_done = facts_.began;
  m.instants.last_done = facts_.done;
  m.tls = std::make_shared<const model::TlsFacts>(std::move(facts_));
  facts_ = {};
  out.take(m);
}

}  // namespace tailcap::protocols::tls
