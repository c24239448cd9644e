// Which call each message is of. At most 132 KiB of a connection are calls that are not answered yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "formats/calls/nats/subject.h"

namespace tailcap::formats::calls::nats {

// Calls by their reply subjects. If there are too many, the oldest of those that share a row is forgotten.
class ByReply {
 public:
  // replaces: what was open on that subject will not be answered. Otherwise two calls on one subject make both unknown.
  void put(std::uint64_t hash, std::uint32_t call, bool replaces) {
    if (Entry* const e = find(hash)) {
      e->times = replaces ? 1 : e->times + 1;
      e->call = replaces ? call : 0;
      return;
    }
    while (!insert({hash, call, 1}, entries_.size() == kMost)) grow();
  }
  bool has(std::uint64_t hash) { return find(hash) != nullptr; }
  // It is answered. False: none is open. call 0: it is not known which one.
  bool take(std::uint64_t hash, std::uint32_t& call) {
    Entry* const e = find(hash);
    if (!e) return false;
    call = e->call;
    if (--e->times == 0) *e = {};
    return true;
  }

 private:
  static constexpr std::size_t kRow = 8, kMost = 4096;
  struct Entry {
    std::uint64_t hash = 0;  // 0: free
    std::uint32_t call = 0, times = 0;
  };

  Entry* row(std::uint64_t hash) {
    return entries_.data() + static_cast<std::size_t>(hash >> 32) % (entries_.size() / kRow) * kRow;
  }
  Entry* find(std::uint64_t hash) {
    if (entries_.empty()) return nullptr;
    Entry* const e = row(hash);
    for (std::size_t i = 0; i < kRow; ++i)
      if (e[i].hash == hash) return e + i;
    return nullptr;
  }
  bool insert(const Entry& entry, bool drops) {
    if (entries_.empty()) return false;
    Entry* const e = row(entry.hash);
    Entry* oldest = e;
    for (std::size_t i = 0; i < kRow; ++i) {
      if (e[i].hash == 0) return e[i] = entry, true;
      if (entry.call - e[i].call > entry.call - oldest->call) oldest = e + i;
    }
    if (drops) *oldest = entry;
    return drops;
  }
  void grow() {
    std::vector<Entry> old(entries_.empty() ? kRow : entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& e : old)
      if (e.hash != 0) insert(e, true);
  }

  std::vector<Entry> entries_;
};

// Calls that are answered in the order in which they were asked.
class InOrder {
 public:
  // call 0: what answers it is `pushed`.
  void push(std::uint32_t call) {
    if (call == 0 && size_ == 0)
      ++unnamed_before_;
    else if (size_ == kMost || unnamed_behind_ > 0)
      ++unnamed_behind_;
    else
      calls_[(first_ + size_++) % kMost] = call;
  }
  bool full() const { return size_ == kMost || unnamed_behind_ > 0; }
  // 0: none, or one without a number.
  std::uint32_t pop() {
    if (unnamed_before_ > 0) return --unnamed_before_, 0;
    if (size_ == 0) return unnamed_behind_ -= unnamed_behind_ > 0, 0;
    const std::uint32_t call = calls_[first_];
    first_ = (first_ + 1) % kMost;
    --size_;
    if (size_ == 0) unnamed_before_ = std::exchange(unnamed_behind_, 0);
    return call;
  }

 private:
  static constexpr std::uint32_t kMost = 128;
  std::array<std::uint32_t, kMost> calls_{};
  std::uint32_t first_ = 0, size_ = 0;
  std::uint64_t unnamed_before_ = 0, unnamed_behind_ = 0;
};

// Requests whose reply subjects are known by their lengths alone. A message answers one if that is the only one of its
// length, and was the first message of the only subscription to a subject of that length.
class ByLength {
 public:
  explicit ByLength(bool knows_all) : sure_(knows_all) {}

  void subscribed(std::uint64_t sid, const Identity& subject) {
    Subscription& s = place(sid);
    sure_ = sure_ && (s.length == 0 || s.ends);
    s = {sid, subject.generated ? 0 : subject.length, false, false};
  }
  void unsubscribed(std::uint64_t sid, bool later) {
    Subscription& s = place(sid);
    if (s.sid != sid) return;
    if (later)
      s.ends = true;
    else
      s = {};
  }
  void ask(std::uint32_t length, std::uint32_t call) {
    Asked& a = asked_[next_++ % kMostAsked];
    sure_ = sure_ && a.length == 0;
    a = {length, call};
    any_ = true;
  }
  // A message came that is no answer by its subject. 0: it answers nothing known.
  std::uint32_t delivered(std::uint64_t sid, const Identity& subject, bool has_reply) {
    Subscription& s = place(sid);
    const bool first = s.sid == sid && s.length == subject.length && !std::exchange(s.used, true);
    const bool can_answer = any_ && first && sure_ && !has_reply && !subject.generated;
    std::size_t subscriptions = 0, asked = 0;
    for (const Subscription& other : subscriptions_) subscriptions += can_answer && other.length == subject.length;
    if (s.sid == sid && s.ends) s = {};
    if (subscriptions != 1) return 0;
    Asked* found = nullptr;
    for (Asked& a : asked_) {
      if (a.length != subject.length) continue;
      ++asked;
      found = &a;
    }
    return asked == 1 ? std::exchange(*found, {}).call : 0;
  }

 private:
  static constexpr std::size_t kMostAsked = 16, kMostSubscriptions = 64;
  struct Asked {
    std::uint32_t length = 0, call = 0;  // 0: none
  };
  struct Subscription {
    std::uint64_t sid = 0;
    std::uint32_t length = 0;  // of its subject; 0: none
    bool used = false, ends = false;
  };
  Subscription& place(std::uint64_t sid) { return subscriptions_[sid % kMostSubscriptions]; }

  std::array<Asked, kMostAsked> asked_{};
  std::array<Subscription, kMostSubscriptions> subscriptions_{};
  std::size_t next_ = 0;
  bool any_ = false;
  bool sure_;  // no subscription is missing
};

// Requests for messages of JetStream that are under way. Their messages come with other subjects: the subscription to
// the inbox tells which request they answer, if only one is under way there.
class Pulls {
 public:
  void subscribed(std::uint64_t sid, const Identity& inbox) {
    subscriptions_[sid % kMostSubscriptions] = {sid, inbox.generated ? inbox.hash : 0, inbox.group};
  }
  void ask(const Identity& inbox, std::uint32_t call) {
    Asked& place = asked_[next_++ % kMostAsked];
    if (place.call != 0) doubtful_ |= bit(place.group);  // one that is not known any more may be under way there
    place = {inbox.hash, inbox.group, call};
  }
  // A status answered what has this inbox. True: a request for messages.
  bool drop(std::uint64_t hash) {
    bool found = false;
    for (Asked& a : asked_) {
      if (a.call == 0 || a.hash != hash) continue;
      a = {};
      found = true;
    }
    return found;
  }
  // A message came. The call that it answers, 0: none, or not known which; hash: of its inbox.
  std::uint32_t delivered(std::uint64_t sid, std::uint64_t& hash) {
    const Subscription& s = subscriptions_[sid % kMostSubscriptions];
    if (s.sid != sid || s.hash == 0 || (doubtful_ & bit(s.group)) != 0) return 0;
    Asked* found = nullptr;
    for (Asked& a : asked_) {
      if (a.call == 0 || (a.hash != s.hash && (a.group == 0 || a.group != s.group))) continue;
      if (found) return 0;
      found = &a;
    }
    if (!found) return 0;
    hash = found->hash;
    return std::exchange(*found, {}).call;
  }

 private:
  static constexpr std::size_t kMostAsked = 16, kMostSubscriptions = 64;
  struct Asked {
    std::uint64_t hash = 0, group = 0;
    std::uint32_t call = 0;  // 0: free
  };
  struct Subscription {
    std::uint64_t sid = 0, hash = 0, group = 0;  // hash 0: to something else
  };
  static std::uint64_t bit(std::uint64_t group) { return std::uint64_t{1} << (group >> 8 & 63); }

  std::array<Asked, kMostAsked> asked_{};
  std::array<Subscription, kMostSubscriptions> subscriptions_{};
  std::size_t next_ = 0;
  std::uint64_t doubtful_ = 0;  // groups, a bit each
};

// What a whole message said.
struct Said {
  Verb verb{};
  Identity subject, reply;
  bool has_reply = false;
  bool pulls = false;   // it asks a consumer for messages
  bool counts = false;  // UNSUB: after a number of messages
  std::uint16_t status = 0;
  std::uint64_t sid = 0;
  Stored stored;            // an answer: it says so of what was published
  std::string_view phrase;  // what is known of an error's text
};

class Calls {
 public:
  explicit Calls(bool from_beginning)
      : by_length_(from_beginning),
        whole_(from_beginning),
        first_ping_(!from_beginning),
        may_confirm_(from_beginning) {}

  // The token is the last of a message.
  void end(Side side, const Said& m, Token& t) {
    side == Side::requests ? asked(m, t) : answered(m, t);
    if (t.call == 0) t.call = number();
  }

 private:
  std::uint32_t number() {
    if (++last_ == 0) ++last_;
    return last_;
  }

  void asked(const Said& m, Token& t) {
    switch (m.verb) {
      case Verb::connect:
        t.operation = "CONNECT";
        return confirm(t);
      case Verb::sub:
        t.operation = "SUBSCRIBE";
        by_length_.subscribed(m.sid, m.subject);
        pulls_.subscribed(m.sid, m.subject);
        return confirm(t);
      case Verb::unsub:
        t.operation = "UNSUBSCRIBE";
        by_length_.unsubscribed(m.sid, m.counts);
        return confirm(t);
      case Verb::ping:
        t.operation = "PING";
        t.call = number();
        t.unanswered = std::exchange(first_ping_, false) || pings_.full();
        return pings_.push(t.unanswered ? 0 : t.call);
      case Verb::pong:
        t.operation = "PONG";
        t.turned = t.pushed = true;
        return;
      default:
        return published(m, t);
    }
  }

  // +OK answers it if the server has shown that it says so.
  void confirm(Token& t) {
    t.call = number();
    t.unanswered = !verbose_ || confirmed_.full();
    confirmed_.push(t.unanswered ? 0 : t.call);
  }

  void published(const Said& m, Token& t) {
    std::uint32_t call = 0;
    if (m.subject.generated && deliveries_.take(m.subject.hash, call) && call != 0) {
      t.operation = "PUBLISH";
      t.turned = true;
      t.call = call;
      if (m.has_reply && m.reply.generated) requests_.put(m.reply.hash, 0, false);
      return confirmed_.push(0);
    }
    t.operation = m.has_reply ? "REQUEST" : "PUBLISH";
    if (!m.has_reply) return confirm(t);
    t.call = number();
    t.waits = m.pulls;
    if (m.reply.generated) {
      t.message = m.reply.hash;
      requests_.put(m.reply.hash, t.call, t.waits);
      if (m.pulls) pulls_.ask(m.reply, t.call);
    } else {
      by_length_.ask(m.reply.length, t.call);
    }
    confirmed_.push(0);
  }

  void answered(const Said& m, Token& t) {
    switch (m.verb) {
      case Verb::ok:
        verbose_ = verbose_ || may_confirm_;
        t.call = confirmed_.pop();
        t.pushed = t.call == 0;
        return;
      case Verb::error:
        t.failed = true;
        t.call = refused(m.phrase);
        t.pushed = t.call == 0;
        return;
      case Verb::pong:
        let_in_ = true;
        t.call = pings_.pop();
        t.pushed = t.call == 0;
        return;
      case Verb::msg:
      case Verb::hmsg:
        return delivered(m, t);
      default:
        t.pushed = true;
    }
  }

  // Which call an error answers. 0: it is not known.
  std::uint32_t refused(std::string_view phrase) {
    if (whole_ && !let_in_ && refuses_login(phrase)) return pings_.pop();
    if (verbose_ && denies(phrase)) return confirmed_.pop();
    verbose_ = may_confirm_ = false;  // perhaps it stood for +OK
    return 0;
  }

  void delivered(const Said& m, Token& t) {
    t.failed = m.status >= kFailures;
    if (m.subject.generated && requests_.has(m.subject.hash)) {
      if (m.status == 0 || t.failed) requests_.take(m.subject.hash, t.call);
      if (t.call != 0 && pulls_.drop(m.subject.hash) && brings_none(m.status)) t.failed = false;
      t.pushed = t.call == 0;
      t.stored = m.stored.hash();
      return;
    }
    if (m.status == 0 || t.failed) t.call = by_length_.delivered(m.sid, m.subject, m.has_reply);
    if (t.call != 0) return;
    // A report of the server, or an answer to what was asked before the first message that was seen.
    t.pushed = m.status != 0 || (!whole_ && m.subject.generated);
    if (t.pushed) return;
    t.turned = true;
    t.operation = "DELIVER";
    t.call = number();
    t.unanswered = !m.has_reply || !m.reply.generated;
    if (t.unanswered) return;
    deliveries_.put(m.reply.hash, t.call, false);
    if (!m.reply.acknowledges) {
      t.message = m.reply.hash;
      return;
    }
    t.stored = m.reply.stored.hash();
    t.stored_at = m.reply.stored.at;
    std::uint64_t inbox = 0;
    std::uint32_t call = 0;
    t.answered = pulls_.delivered(m.sid, inbox);
    if (t.answered != 0) requests_.take(inbox, call);
  }

  ByReply requests_, deliveries_;
  InOrder pings_, confirmed_;
  ByLength by_length_;
  Pulls pulls_;
  std::uint32_t last_ = 0;  // number
  bool whole_;              // all messages were seen
  bool first_ping_;         // a PING before it may still be answered
  bool may_confirm_;        // it is known which message each +OK answers
  bool verbose_ = false;    // +OK came
  bool let_in_ = false;     // a PONG came
};

}  // namespace tailcap::formats::calls::nats
