#include "capture/decrypt/connection.h"

#include <algorithm>
#include <utility>

#include "bpf/event.h"
#include "formats/event.h"

namespace tailcap::capture::decrypt {

using formats::Direction;
using ground::tls::ContentType;
using ground::tls::kRecordHeader;

namespace {

// Records wait for their keys, which come within milliseconds. Longer, or more: there are none.
constexpr std::size_t kMaxHeld = 1u << 19;
constexpr formats::Duration kPatience = std::chrono::seconds{5};
constexpr std::uint32_t kMaxBody = 16384 + 256;  // RFC 8446, 5.2
// Numbers that are tried after a gap, and how often: a try costs a microsecond.
constexpr std::uint64_t kMaxNumbers = 4096;
constexpr unsigned kMaxSearches = 256;
constexpr std::size_t kTailKept = 16;
constexpr std::uint8_t kCloseNotify = 0, kFatal = 2;

}  // namespace

Connection::~Connection() {
  for (Content& c : contents_) wipe(c.head.data(), c.head.size());
}

void Connection::give_up(Unread why) {
  over_ = true;
  const bool before = formats::known(keys_from_) && formats::known(first_) && first_ < keys_from_;
  unread_ = why == Unread::no_keys && before ? Unread::other : why;
}

// Without what is no longer needed once nothing more will be read.
void Connection::forget() {
  handshake_ = {};
  hellos_.forget();
  for (std::size_t i = 0; i < 2; i++) {
    Way& way = ways_[i];
    if (counted()) unread_calls_[i] += way.held.size();
    way.cipher.reset();
    way.traffic = {};
    way.held.clear();
    way.held_bytes = 0;
    way.messages = {};
  }
}

void Connection::drop() {
  give_up(Unread::no_keys);
  forget();
}

std::size_t Connection::memory() const {
  std::size_t sum = hellos_.memory();
  for (const Way& way : ways_) sum += way.held_bytes + way.messages.memory();
  return sum;
}

void Connection::moved(const formats::Event& event, const formats::Io& io, const KeyLog& keys) {
  if (io.length == 0 || io.error != 0) return;
  const auto direction = static_cast<std::size_t>(io.direction);
  if (pid_ == 0) pid_ = event.thread.pid;
  if (!formats::known(first_)) first_ = event.time;
  missed_ = missed_ || io.missed > 0;
  if (over_) {
    if (counted()) unread_calls_[direction]++;
    return;
  }
  if (!records_[direction].moved(event, io, done_)) {
    give_up(missed_ ? Unread::damaged : Unread::unsupported);
    return forget();
  }
  if (records_[direction].lost()) unread_calls_[direction]++;
  Way& way = ways_[direction];
  for (Record& record : done_) {
    if (over_) break;
    // Mostly nothing waits.
    if (way.held.empty() && one(way, record, keys) && !over_) continue;
    record.keep();
    way.held_bytes += record.joined.size() + record.tail.size();
    way.held.push_back(std::move(record));
  }
  done_.clear();
  if (waits()) drain(keys, event.time);
  for (const Way& w : ways_) {
    if (w.held.empty()) continue;
    if (w.held_bytes > kMaxHeld || w.held.front().moment.done + kPatience < event.time) {
      starved_ = true;
      give_up(Unread::no_keys);
    }
  }
  if (over_) forget();
}

void Connection::retry(const KeyLog& keys, formats::Time now) {
  drain(keys, now);
  if (over_) forget();
}

// What waited is readable from now on.
void Connection::drain(const KeyLog& keys, formats::Time now) {
  const std::size_t before = contents_.size();
  for (bool more = true; more && !over_;) {
    more = false;
    for (Way& way : ways_) {
      while (!over_ && !way.held.empty() && one(way, way.held.front(), keys)) {
        if (over_) break;  // it is one of those that are not read
        way.held_bytes -= way.held.front().joined.size() + way.held.front().tail.size();
        way.held.pop_front();
        more = true;
      }
    }
  }
  for (std::size_t i = before; i < contents_.size(); i++)
    contents_[i].moment.done = std::max(now, contents_[i].moment.done);
}

// False: it has to wait.
bool Connection::one(Way& way, Record& record, const KeyLog& keys) {
  if (way.epoch == Epoch::plain && !way.pending && plain(way, record)) return true;
  const bool tls13 = way.cipher ? way.suite.tls13 : hellos_.tls13();
  if (tls13 && record.type() == ContentType::change_cipher_spec) return true;  // it means nothing there
  if (!hellos_.readable() && !way.cipher) return false;
  if (!have_keys(way, keys)) return false;
  encrypted(way, record);
  return true;
}

// False: it is encrypted.
bool Connection::plain(Way& way, const Record& record) {
  switch (record.type()) {
    case ContentType::handshake:
      if (!record.whole())
        give_up(Unread::damaged);
      else
        handshake(way, record.head());
      return true;
    case ContentType::change_cipher_spec:
      if (hellos_.readable() && !hellos_.tls13()) way.pending = true;
      return true;
    case ContentType::application_data:
      // A client whose server has not answered yet sends early data.
      if (hellos_.complete() && !hellos_.tls13()) {
        give_up(Unread::damaged);
        return true;
      }
      way.pending = hellos_.readable();
      return false;
    case ContentType::alert:
      alert(way, record, record.head());
      return true;
    default:
      return true;
  }
}

void Connection::use(Way& way, const Keys& keys) {
  if (!way.cipher || way.epoch == Epoch::plain || !way.suite.tls13) way.suite = hellos_.suite();
  way.cipher = std::make_unique<Cipher>(way.suite, keys);
  way.number = 0;
  way.pending = false;
}

// The keys are there, and are to be used.
bool Connection::allowed(const KeyLog::Entry* entry) {
  if (!entry) return false;
  if (session_ == 0) session_ = entry->session;
  go_ = go_ || entry->go;
  if (proof_ == Proof::none || (session_ != 0 && (session_ & TLS_LEFT_TO_PROBES) == 0)) return true;
  if (session_ == 0 && proof_ == Proof::if_known) return true;
  give_up(session_ != 0 ? Unread::other : Unread::no_keys);
  return false;
}

// From Go, which shows the secret of each direction itself.
bool Connection::use_traffic(Way& way, const KeyLog& keys, std::string_view label) {
  const KeyLog::Entry* entry = keys.traffic(pid_, label, hellos_.client_random());
  if (!allowed(entry)) return false;
  if (entry->secret.size() != hellos_.suite().hash_size()) {
    give_up(Unread::damaged);
    return false;
  }
  used_.push_back(entry->id);
  way.traffic = entry->secret;
  use(way, traffic_keys(hellos_.suite(), way.traffic));
  way.epoch = way.epoch == Epoch::plain ? Epoch::handshake : Epoch::application;
  return true;
}

bool Connection::have_keys(Way& way, const KeyLog& keys) {
  if (!way.pending) return true;
  const Suite& suite = hellos_.suite();
  const std::string side = way.client ? "c" : "s";
  if (!suite.tls13) {
    const KeyLog::Entry* entry = keys.expansion(pid_, hellos_.randoms());
    if (!allowed(entry)) return false;
    used_.push_back(entry->id);
    use(way, expanded_keys(suite, entry->secret, hellos_.randoms(), way.client));
    way.epoch = Epoch::application;
    return true;
  }
  if (way.epoch == Epoch::plain) {
    const KeyLog::Entry* entry = keys.handshake(pid_, side + " hs traffic", hellos_.hash());
    if (!entry) return use_traffic(way, keys, side + " hs secret");
    if (!allowed(entry)) return false;
    used_.push_back(entry->id);
    handshake_ = entry->secret;
    way.traffic = expand_label(suite, handshake_, side + " hs traffic", hellos_.hash(), suite.hash_size());
    use(way, traffic_keys(suite, way.traffic));
    way.epoch = Epoch::handshake;
    return true;
  }
  if (go_) return use_traffic(way, keys, side + " ap secret");
  const Secret master = master_of(suite, handshake_);
  const KeyLog::Entry* entry = keys.application(pid_, side + " ap traffic", master);
  if (!allowed(entry)) return false;
  used_.push_back(entry->id);
  way.traffic = expand_label(suite, master, side + " ap traffic", entry->data, suite.hash_size());
  use(way, traffic_keys(suite, way.traffic));
  way.epoch = Epoch::application;
  if (ways_[0].epoch == Epoch::application && ways_[1].epoch == Epoch::application) handshake_ = {};
  return true;
}

void Connection::encrypted(Way& way, Record& record) {
  if (!way.cipher || record.length > kMaxBody) return give_up(Unread::damaged);
  // Early data that the server refused comes before anything under the client's handshake keys.
  const bool early = way.suite.tls13 && way.client && way.epoch == Epoch::handshake && way.number == 0;
  std::string text;
  if (record.after_gap || way.lost) {
    way.lost = !record.whole() || way.epoch != Epoch::application || !find_number(way, record, text);
    if (way.lost) {
      way.missed++;
      return unread(record);
    }
  } else if (!record.whole()) {
    if (early) return;
    if (way.epoch != Epoch::application) return give_up(Unread::damaged);
    partial(way, record);
    way.number++;
    way.last_at = record.at + kRecordHeader + record.length;
    return;
  } else if (!way.cipher->open(way.number, record.header, record.head(), text)) {
    // Otherwise these are not the bytes on the wire, or not its keys: nothing behind it is certain.
    if (!early) give_up(Unread::damaged);
    return;
  }
  way.number++;
  way.last_at = record.at + kRecordHeader + record.length;
  ContentType type = record.type();
  if (way.suite.tls13) {
    const std::size_t end = text.find_last_not_of('\0');
    if (end == std::string::npos) return give_up(Unread::damaged);
    type = static_cast<ContentType>(text[end]);
    way.padded = way.padded || end + 1 < text.size();
    text.resize(end);
  }
  inner(way, record, type, text);
  wipe(text.data(), text.size());
}

// The record's number, after records that were not seen. Only its tag can tell.
bool Connection::find_number(Way& way, const Record& record, std::string& text) {
  // How much plaintext was in the gap follows from its length and the number of its records, unless there was padding.
  if (way.padded || ++way.searches > kMaxSearches) return false;
  // … or other records: a server of TLS 1.3 sends tickets before its first plaintext.
  if (way.position == 0) return false;
  for (std::uint64_t n = 0; n < kMaxNumbers; n++) {
    if (!way.cipher->open(way.number + n, record.header, record.head(), text)) continue;
    const std::uint64_t between = record.at - way.last_at, added = n * way.suite.overhead();
    if (record.at < way.last_at || between < added) return false;
    way.position += between - added;
    way.number += n;
    way.missed = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(n));
    return true;
  }
  return false;
}

// Its middle was not kept: what there is of it is believed because the records before it were.
void Connection::partial(Way& way, const Record& record) {
  const Suite& suite = way.suite;
  const std::size_t front = way.cipher->explicit_nonce(), behind = Cipher::kTag;
  const std::string_view begin = record.head();
  if (record.length < front + behind + 1 || begin.size() < front) return skip(way, record);
  const auto end = static_cast<std::uint32_t>(record.length - behind);  // of what is encrypted
  const std::size_t head_end = std::min<std::size_t>(begin.size(), end);
  std::string head, tail;
  if (!way.cipher->decrypt(way.number, begin, static_cast<std::uint32_t>(front), begin.substr(front, head_end - front),
                           head))
    return skip(way, record);
  auto length = static_cast<std::uint32_t>(end - front);
  ContentType type = record.type();
  if (record.tail.size() > behind) {
    const auto from = static_cast<std::uint32_t>(record.length - record.tail.size());
    if (!way.cipher->decrypt(way.number, begin, from,
                             std::string_view(record.tail).substr(0, record.tail.size() - behind), tail))
      return skip(way, record);
  }
  if (suite.tls13) {
    const std::size_t last = tail.find_last_not_of('\0');
    if (last == std::string::npos) return skip(way, record);  // all padding, or not seen: its type is not known
    type = static_cast<ContentType>(tail[last]);
    way.padded = way.padded || last + 1 < tail.size();
    length -= static_cast<std::uint32_t>(tail.size() - last);
    tail.resize(last);
  }
  if (type != ContentType::application_data) return give_up(Unread::damaged);  // no library sends such
  content(way, record, {length, std::move(head), tail.substr(tail.size() - std::min(tail.size(), kTailKept))});
  wipe(tail.data(), tail.size());
}

// A record that cannot be read, but whose length is known.
void Connection::skip(Way& way, const Record& record) {
  const std::size_t added = way.suite.overhead();
  unread(record);
  way.missed++;
  way.position += record.length + kRecordHeader - std::min<std::size_t>(added, record.length + kRecordHeader);
}

void Connection::inner(Way& way, const Record& record, ContentType type, std::string& text) {
  switch (type) {
    case ContentType::application_data:
      if (way.epoch != Epoch::application) return give_up(Unread::damaged);
      return content(way, record, {static_cast<std::uint32_t>(text.size()), std::move(text), {}});
    case ContentType::handshake:
      return handshake(way, text);
    case ContentType::alert:
      return alert(way, record, text);
    case ContentType::change_cipher_spec:
      if (!way.suite.tls13 && hellos_.readable()) way.pending = true;  // a new handshake of TLS 1.2 is done
      return;
    default:
      return;
  }
}

void Connection::content(Way& way, const Record& record, Plain plain) {
  if (!proven_) {
    proven_ = true;
    Content begun;
    begun.kind = Content::Kind::handshake_done;
    begun.moment = record.moment;
    contents_.push_back(std::move(begun));
  }
  if (plain.length == 0) return;
  Content c;
  c.direction = record.direction;
  c.moment = record.moment;
  c.continues = std::exchange(way.last_call, record.moment.call) == record.moment.call;
  c.of_client = way.client;
  c.missed = static_cast<std::uint16_t>(std::min<std::uint32_t>(std::exchange(way.missed, 0), UINT16_MAX));
  c.length = plain.length;
  c.position = way.position;
  c.head = std::move(plain.head);
  c.tail = std::move(plain.tail);
  if (c.head.size() > c.length) c.head.resize(c.length);
  const std::size_t room = c.length - c.head.size();
  if (c.tail.size() > room) c.tail.erase(0, c.tail.size() - room);
  way.position += c.length;
  contents_.push_back(std::move(c));
}

void Connection::handshake(Way& way, std::string_view bytes) {
  const bool good =
      way.messages.feed(bytes, [&](std::uint8_t type, std::string_view text) { message(way, type, text); });
  if (!good) give_up(Unread::damaged);
}

void Connection::message(Way& way, std::uint8_t type, std::string_view bytes) {
  Way& other = &way == &ways_[0] ? ways_[1] : ways_[0];
  switch (type) {
    case kClientHello:
      way.client = true;
      other.client = false;
      return hellos_.client(bytes);
    case kServerHello:
      hellos_.server(bytes);
      if (hellos_.complete() && !hellos_.readable()) return give_up(Unread::unsupported);
      if (hellos_.complete() && hellos_.tls13()) way.pending = true;
      return;
    case kEncryptedExtensions:
      // The first request is in early data, which has other keys.
      if (way.suite.tls13 && accepts_early_data(bytes)) give_up(Unread::unsupported);
      return;
    case kFinished:
      if (way.suite.tls13 && way.epoch == Epoch::handshake) way.pending = true;
      return;
    case kKeyUpdate:
      if (!way.suite.tls13 || way.epoch != Epoch::application) return give_up(Unread::damaged);
      way.traffic = expand_label(way.suite, way.traffic, "traffic upd", {}, way.suite.hash_size());
      return use(way, traffic_keys(way.suite, way.traffic));
    default:
      return;
  }
}

void Connection::alert(Way& way, const Record& record, std::string_view bytes) {
  if (bytes.size() != 2) return;
  Content c;
  c.direction = record.direction;
  c.moment = record.moment;
  c.alert = static_cast<std::uint8_t>(bytes[1]);
  c.position = way.position;
  if (c.alert == kCloseNotify)
    c.kind = record.direction == Direction::in ? Content::Kind::end : Content::Kind::shutdown;
  else if (static_cast<std::uint8_t>(bytes[0]) == kFatal)
    c.kind = Content::Kind::alert;
  else
    return;
  if (c.kind != Content::Kind::alert && !proven_) return;
  if (!proven_) {
    Content begun;
    begun.kind = Content::Kind::handshake_begun;
    begun.moment = c.moment;
    contents_.push_back(std::move(begun));
  }
  contents_.push_back(std::move(c));
}

}  // namespace tailcap::capture::decrypt
