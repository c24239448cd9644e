// One TLS connection whose records are decrypted: the epochs of its keys, and the plaintext of its records.
//
// A key is used only for the connection from whose hellos it was derived, and a record is believed only if its tag is
// right; a record of which the middle was not kept, only between records whose tags were.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/decrypt/cipher.h"
#include "capture/decrypt/handshake.h"
#include "capture/decrypt/key_log.h"
#include "capture/decrypt/records.h"

namespace tailcap::capture::decrypt {

// What a record held.
struct Content {
  enum class Kind : std::uint8_t { handshake_begun, handshake_done, bytes, end, shutdown, alert } kind = Kind::bytes;
  formats::Direction direction = formats::Direction::out;
  Moment moment;
  bool continues = false;  // of the same call as the content of this direction before
  bool of_client = false;
  std::uint16_t missed = 0;    // records of this direction before it that could not be read
  std::uint8_t alert = 0;      // its number
  std::uint32_t length = 0;    // of the plaintext
  std::uint64_t position = 0;  // of its first byte in the plaintext
  std::string head, tail;
};

// other: probes read it.
enum class Unread : std::uint8_t { no, no_keys, unsupported, damaged, other };

class Connection {
 public:
  // Whose derivations have to say that its session belongs to keys. if_known: those that say nothing suffice.
  enum class Proof : std::uint8_t { none, if_known, always };

  explicit Connection(Proof proof = Proof::none)
      : proof_(proof), records_{Records(formats::Direction::out), Records(formats::Direction::in)} {}
  ~Connection();

  // An I/O of its socket. Contents become available to take().
  void moved(const formats::Event& event, const formats::Io& io, const KeyLog& keys);
  // The same, after new entries in the log. now: of the event that brings them.
  void retry(const KeyLog& keys, formats::Time now);
  bool waits() const { return !ways_[0].held.empty() || !ways_[1].held.empty(); }
  std::size_t memory() const;
  void drop();  // it takes more memory than there is
  // Those since they were cleared.
  std::vector<Content>& contents() { return contents_; }

  bool over() const { return over_; }                // nothing more will be read
  Unread unread() const { return unread_; }          // why
  bool began() const { return hellos_.complete(); }  // both hellos were seen
  bool read_any() const { return proven_; }
  const Hellos& hellos() const { return hellos_; }
  std::uint64_t session() const { return session_; }  // that derived its keys, as in record_tls_secret; 0: not known
  bool starved() const { return starved_; }           // it waited for keys that did not come
  bool of_go() const { return go_; }                  // Go's crypto/tls derived its keys
  // Derivations of its process are seen from then on only: what began before is left to probes.
  void keys_from(formats::Time since) { keys_from_ = since; }
  bool left_once() { return std::exchange(left_once_, true); }
  bool counted_once() { return std::exchange(counted_once_, true); }
  std::uint32_t pid() const { return pid_; }
  // Calls, by direction, with bytes that could not be read although such connections can be: since the last time, at
  // least one for each plaintext that is missing and was not lost before it came here.
  std::array<std::uint64_t, 2> take_unread_calls() { return std::exchange(unread_calls_, {}); }
  // The entries of the log that it has used.
  std::vector<std::string> take_used() { return std::exchange(used_, {}); }
  bool has_unread_calls() const { return unread_calls_[0] != 0 || unread_calls_[1] != 0; }

 private:
  enum class Epoch : std::uint8_t { plain, handshake, application };
  struct Way {
    Epoch epoch = Epoch::plain;
    bool client = false;   // sends in this direction
    bool pending = false;  // its keys are not known yet
    bool lost = false, padded = false;
    Suite suite{};  // of cipher
    Secret traffic;
    std::unique_ptr<Cipher> cipher;
    std::uint64_t number = 0;     // of the next record
    std::uint64_t position = 0;   // of the next plaintext byte
    std::uint64_t last_call = 0;  // of the last plaintext
    std::uint64_t last_at = 0;    // of the last record read: its place, behind it,
    std::uint32_t missed = 0;     // records that were not read since the last content
    unsigned searches = 0;
    Messages messages;
    std::deque<Record> held;  // wait for keys, or for the other end's hello
    std::size_t held_bytes = 0;
  };

  // What is not read is missing: there is no reason to expect that.
  bool counted() const { return proven_ || (unread_ != Unread::unsupported && unread_ != Unread::other); }
  void give_up(Unread why);
  void forget();
  void drain(const KeyLog& keys, formats::Time now);
  bool one(Way& way, Record& record, const KeyLog& keys);
  bool plain(Way& way, const Record& record);
  void encrypted(Way& way, Record& record);
  bool have_keys(Way& way, const KeyLog& keys);
  bool allowed(const KeyLog::Entry* entry);
  bool use_traffic(Way& way, const KeyLog& keys, std::string_view label);
  bool find_number(Way& way, const Record& record, std::string& text);
  void partial(Way& way, const Record& record);
  void inner(Way& way, const Record& record, ground::tls::ContentType type, std::string& text);
  struct Plain {
    std::uint32_t length = 0;
    std::string head, tail;
  };
  void content(Way& way, const Record& record, Plain plain);
  void handshake(Way& way, std::string_view bytes);
  void message(Way& way, std::uint8_t type, std::string_view bytes);
  void alert(Way& way, const Record& record, std::string_view bytes);
  void use(Way& way, const Keys& keys);
  void unread(const Record& record) { unread_calls_[static_cast<std::size_t>(record.direction)]++; }
  void skip(Way& way, const Record& record);

  const Proof proof_;
  Records records_[2];
  Way ways_[2];
  Hellos hellos_;
  Secret handshake_;          // of TLS 1.3
  std::vector<Record> done_;  // by the I/O that is being looked at
  std::vector<Content> contents_;
  std::vector<std::string> used_;
  std::array<std::uint64_t, 2> unread_calls_{};
  std::uint32_t pid_ = 0;
  bool over_ = false, proven_ = false, counted_once_ = false, missed_ = false, starved_ = false, left_once_ = false;
  bool go_ = false;
  formats::Time first_ = formats::kNoTime, keys_from_ = formats::kNoTime;  // its first bytes
  std::uint64_t session_ = 0;
  Unread unread_ = Unread::no;
};

}  // namespace tailcap::capture::decrypt
