// Which bytes of a subject are kept, and by what a subject is recognised when it comes back.
//
// A key that is cut between two I/Os is hidden, and rules may hide all of it: a subject is recognised by its framing
// and its length alone, which are the same in whole and in masked bytes, however they are cut. Each byte is judged by
// the kept ones before it.
//
// Inboxes: _INBOX.<22 signs of a NUID>, with <.signs> behind them or without, or _INBOX.<6 signs>.<6 signs>; _INBOX_any
// is a prefix that a client chose. The first twelve signs of a NUID, which are the same for all of a process, and the
// first six are hidden, so that a name that a person chose is not shown. Acknowledgements: $JS.ACK.<names and numbers>;
// the names are hidden, numbers are kept: $JS.ACK.<stream>.<consumer>.<times delivered>.<sequence>.<of the consumer>.
// <time, ns>.<pending>. The form that is planned has four names in front: the second is a hash of eight signs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/calls/nats/stored.h"
#include "formats/calls/nats/wire.h"
#include "ground/fnv.h"

namespace tailcap::formats::calls::nats {

// By what a subject is recognised.
struct Identity {
  std::uint64_t hash = 0;
  std::uint32_t length = 0;
  bool generated = false;     // no other subject has this hash. Otherwise only its length is known
  bool acknowledges = false;  // it acknowledges a message of JetStream
  std::uint64_t group = 0;    // the same for an inbox with a wildcard at its end and for those that it stands for
  Stored stored;              // `acknowledges`: that message
};

class Subject {
 public:
  // The next byte, if a head goes on so. False: it does not, and nothing has changed.
  bool heads(char c) {
    if (!head_.step(kHeads, c)) return false;
    ++length_;
    const std::string_view head = head_.whole(kHeads);
    if (!head.empty()) form_ = head == kInbox ? Form::inbox : head == kAck ? Form::ack : Form::plain;
    return true;
  }
  // Behind a head: whether the next byte is kept.
  bool keeps(char c) const {
    if (c == '.') return true;
    if (form_ == Form::ack) return word_ >= names_ && !broken_ && is_digit(c) && size_ < kMostIdDigits;
    return can_show() && !broken_ && size_ < kNuid && (is_letter(c) || is_digit(c));
  }
  void take(char c, bool kept) {
    ++length_;
    hash_ = ground::fnv_step(hash_, static_cast<unsigned char>(kept ? c : '*'));
    if (c == '.') return next_word();
    broken_ = broken_ || (!kept && (form_ == Form::ack || can_show()));
    if (kept && shown_ < kProof && (form_ == Form::ack || unique())) ++shown_;
    if (size_ < UINT16_MAX) ++size_;
    if (kept && form_ == Form::ack) take_digit(static_cast<std::uint64_t>(c - '0'));
  }
  void pass(std::size_t n) { length_ += static_cast<std::uint32_t>(n); }
  bool at_head() const { return form_ == Form::head; }
  // It is an inbox that a library made.
  bool answers() const { return form_ == Form::inbox && identity().generated; }
  bool plain() const { return form_ == Form::plain; }
  void become_plain() { form_ = Form::plain; }
  // It asks a consumer for messages, and waits for them.
  bool pulls() const { return head_.whole(kHeads) == kPull; }
  Identity identity() const {
    const bool generated = shown_ >= kProof || (behind_six_ && size_ == kSix && !broken_);
    return {(hash_ ^ hash_ >> 29) * 0x9e3779b97f4a7c15u | 1,
            length_,
            generated,
            form_ == Form::ack,
            generated && proved_group_ ? group_ | 1 : 0,
            names_ == kNamed && word_ == kWords ? stored_ : Stored()};
  }

 private:
  enum class Form : std::uint8_t { head, plain, inbox, ack };
  static constexpr std::uint16_t kNuid = 22, kProcess = 12, kSix = 6;  // signs of a NUID; those of its process
  // Words of an acknowledgement that are names, and can be; the place of the last; the signs of a hash.
  static constexpr std::uint16_t kNamed = 2, kMostNamed = 4, kWords = 6, kHashed = 8;
  static constexpr std::uint16_t kSequence = 3, kTime = 5;  // words of an acknowledgement
  static constexpr std::uint8_t kProof = 8;                 // kept signs that make a subject unique

  // In an inbox: the next sign can differ from that of another inbox of the client, if a library made it.
  bool unique() const { return word_ > 0 && (behind_nuid_ || size_ >= kProcess); }
  bool can_show() const { return unique() || (behind_six_ && size_ < kSix); }
  void take_digit(std::uint64_t digit) {
    if (word_ == kSequence) stored_.sequence = stored_.sequence * 10 + digit;
    if (word_ == kTime) stored_.at = stored_.at * 10 + digit;
  }
  void next_word() {
    if (form_ == Form::ack && word_ == 0) stored_.stream = size_;
    if (form_ == Form::ack && word_ == 1 && size_ != kHashed) names_ = kNamed;
    if (word_ >= kNamed && broken_) stored_ = {};
    group_ = hash_;
    proved_group_ = form_ == Form::inbox && shown_ >= kProof;
    behind_nuid_ = behind_nuid_ || (word_ > 0 && size_ == kNuid && !broken_);
    behind_six_ = form_ == Form::inbox && word_ == 1 && size_ == kSix;
    if (word_ < UINT16_MAX) ++word_;
    size_ = 0;
    broken_ = false;
  }

  std::uint64_t hash_ = ground::kFnvBasis;
  std::uint32_t length_ = 0;
  std::uint16_t word_ = 0, size_ = 0;  // dots behind the head; signs of this word
  Match head_;
  Form form_ = Form::head;
  std::uint8_t shown_ = 0;
  bool broken_ = false;  // the rest of this word is hidden
  bool behind_nuid_ = false, behind_six_ = false;
  std::uint64_t group_ = 0;    // up to the last dot
  bool proved_group_ = false;  // no other inbox has it
  std::uint16_t names_ = kMostNamed;
  Stored stored_;
};

}  // namespace tailcap::formats::calls::nats
