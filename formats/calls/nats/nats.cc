#include "formats/calls/nats/nats.h"

#include <algorithm>
#include <utility>

#include "formats/calls/nats/calls.h"
#include "formats/calls/nats/subject.h"
#include "formats/calls/nats/wire.h"

namespace tailcap::formats::calls::nats {

namespace {

enum class At : std::uint8_t { name, words, json, error, data, data_end };

// How far one direction was read.
struct Direction {
  At at = At::name;
  bool lost = false;
  bool blank = false;     // one came behind the name
  bool cr = false;        // the last byte was one
  bool in_word = false;   // a word goes on, or ended with the piece
  bool key_open = false;  // the same of a key
  bool number = true;     // this word has digits alone
  bool sized = false;     // the word at e is a number
  bool has_reply = false;
  bool in_text = false;               // behind the brace or the quotation mark
  bool hides = false;                 // the rest of a text, or of headers
  bool may_tls = false;               // the first INFO of a connection
  std::uint8_t word = 0;              // its place in the line
  std::uint8_t digits = 0;            // of this word
  std::uint8_t numbers = 0, tls = 0;  // whole numbers; signs of kTlsRequired
  Match match;                        // of the name, and then of the text
  Verb verb{};
  std::uint16_t status = 0;
  std::uint32_t line = 0;  // bytes of it
  std::uint32_t number_at[3] = {};
  std::uint32_t headers = 0, data = 0, left = 0;  // bytes of headers; of all data that came, and that come
  std::uint64_t sid = 0;
  Subject subject, reply;
  StoredAnswer answer;  // its data, where it can be such an answer

  std::string_view line_words() const { return kLines[static_cast<std::size_t>(verb)].words; }
  char kind() const { return word < line_words().size() ? line_words()[word] : '\0'; }
};

class Nats final : public Machine {
 public:
  explicit Nats(bool from_beginning) : calls_(from_beginning) { of(Side::responses).may_tls = from_beginning; }

  Token next(Side side, std::string_view bytes) override {
    Direction& d = of(side);
    if (d.lost || bytes.empty()) return {};
    if (side == Side::requests) of(Side::responses).may_tls = false;
    const Token t = read(side, d, bytes);
    d.lost = t.size == 0;
    return t;
  }

  // Only the data of messages may be unseen.
  bool skip(Side side, std::uint64_t n) override {
    Direction& d = of(side);
    if (d.lost || n == 0) return !d.lost;
    const std::uint64_t rest = d.at == At::data ? d.left + 2u : d.at == At::data_end ? (d.cr ? 1u : 2u) : 0u;
    if (n > rest) {
      d.lost = true;
      return false;
    }
    if (d.at == At::data) {
      if (!std::exchange(d.hides, true)) d.status = 0;
      d.answer.give_up();
      const auto inside = static_cast<std::uint32_t>(std::min<std::uint64_t>(n, d.left));
      pass(d, inside);
      n -= inside;
    }
    if (n == 0) return true;
    const bool over = d.cr || n == 2;
    d.cr = true;
    if (over) end(side, skipped_[static_cast<std::size_t>(side)] = {});
    return true;
  }
  Token skipped(Side side) override { return skipped_[static_cast<std::size_t>(side)]; }
  Order order() const override { return Order::numbers; }
  bool at_border(Side side) const override {
    const Direction& d = directions_[static_cast<std::size_t>(side)];
    return !d.lost && d.at == At::name && d.match.size() == 0;
  }
  bool turns_to_tls() const override { return tls_; }

 private:
  Direction& of(Side side) { return directions_[static_cast<std::size_t>(side)]; }

  Token read(Side side, Direction& d, std::string_view bytes) {
    switch (d.at) {
      case At::name:
        return name(side, d, bytes);
      case At::words:
      case At::json:
      case At::error:
        return line(side, d, bytes);
      case At::data:
        return data(d, bytes);
      case At::data_end:
        return data_end(side, d, bytes);
    }
    return {};
  }

  Token name(Side side, Direction& d, std::string_view bytes) {
    Token t{.begins = d.match.size() == 0};
    while (t.size < bytes.size() && d.match.step(kNames, small(bytes[t.size]))) ++t.size;
    if (t.size == bytes.size()) return t;
    if (d.match.whole(kNames).empty()) return {};
    d.verb = static_cast<Verb>(d.match.row());
    const Line& form = kLines[d.match.row()];
    if (side == Side::requests ? !form.requests : !form.responses) return {};
    d.match = {};
    const char kind = d.kind();
    d.at = kind == 'J' ? At::json : kind == 'T' ? At::error : At::words;
    return t.size > 0 ? t : line(side, d, bytes);
  }

  // What stands behind a name.
  Token line(Side side, Direction& d, std::string_view bytes) {
    if (d.cr || is_break(bytes[0])) return line_end(side, d, bytes);
    Token t;
    if (!d.in_text && is_blank(bytes[0])) {
      if (!end_word(d)) return {};
      while (t.size < bytes.size() && is_blank(bytes[t.size])) ++t.size;
      d.blank = true;
      t.text_ends = std::exchange(d.key_open, false);
    } else if (d.blank) {
      t = d.at == At::words ? word(d, bytes) : d.at == At::json ? json(d, bytes) : error(d, bytes);
    }
    d.line += static_cast<std::uint32_t>(t.size);
    return d.line <= (d.at == At::json ? kLongestJson : kLongestLine) ? t : Token();
  }

  // CRLF. Servers read LF alone, too.
  Token line_end(Side side, Direction& d, std::string_view bytes) {
    if (!end_word(d)) return {};
    Token t = line_break(d, bytes);
    t.text_ends = std::exchange(d.key_open, false);
    if (t.size == 0 || d.cr) return t;
    if (d.at == At::json && !d.in_text) return {};
    if (d.at == At::words && !end_words(d)) return {};
    if (d.at != At::data && d.at != At::data_end) end(side, t);
    return t;
  }
  static Token line_break(Direction& d, std::string_view bytes) {
    Token t;
    if (!d.cr && bytes[0] == '\r') {
      d.cr = true;
      if (++t.size == bytes.size()) return t;
    }
    if (bytes[t.size] != '\n') return {};
    ++t.size;
    d.cr = false;
    return t;
  }

  // False: this word cannot stand there.
  static bool end_word(Direction& d) {
    if (!std::exchange(d.in_word, false)) return true;
    const char kind = d.kind();
    ++d.word;
    if (kind == 'e') d.sized = d.number;
    if (kind == 'e' || kind == 'n') ++d.numbers;
    return kind != 'n' || d.number;
  }

  // False: the line has too many words, or too few.
  static bool end_words(Direction& d) {
    const std::string_view form = d.line_words();
    if (form.empty()) return true;  // a word had no place
    if (d.word + 1u < form.size()) return false;
    const bool has_place = form.find('e') != form.npos;
    d.has_reply = has_place && d.word == form.size();
    if (has_place && !d.has_reply && !d.sized) return false;
    if (!has_place) return true;
    d.left = d.number_at[d.numbers - 1];
    if (d.verb == Verb::hmsg || d.verb == Verb::hpub) d.headers = d.number_at[d.numbers - 2];
    d.hides = d.verb != Verb::hmsg || d.headers < kStatusEnd;
    if (d.verb != Verb::msg || d.has_reply || !d.subject.answers()) d.answer.give_up();
    d.at = d.left > 0 ? At::data : At::data_end;
    return d.headers <= d.left;
  }

  // The next bytes of a word that are of one kind.
  static Token word(Direction& d, std::string_view bytes) {
    const char kind = d.kind();
    if (!is_word(bytes[0]) || kind == '\0') return {};
    if (!std::exchange(d.in_word, true)) {
      d.number = kind != 's';
      d.digits = 0;
      if (kind == 'i') d.sid = 0;
    }
    if (kind == 's') return subject(d, bytes);
    if (d.number) {
      if (const std::size_t n = number(d, kind, bytes); n > 0) return {.size = n};
      d.number = false;
      if (d.digits > 0) d.reply.become_plain();
    }
    if (kind == 'n') return {};
    if (kind == 'e' && !d.reply.plain())
      if (const Token t = known(d.reply, bytes); t.size > 0) return t;
    Token t{.part = Part::value};
    while (t.size < bytes.size() && is_word(bytes[t.size])) ++t.size;
    if (kind == 'e') d.reply.pass(t.size);
    for (std::size_t i = 0; kind == 'i' && i < t.size; ++i) d.sid = d.sid * 31 + 7;
    return t;
  }

  // How many digits the bytes begin with.
  static std::size_t number(Direction& d, char kind, std::string_view bytes) {
    const std::size_t most = kind == 'i' ? kMostIdDigits : kMostDigits;
    std::size_t n = 0;
    for (; n < bytes.size() && is_digit(bytes[n]) && d.digits < most; ++n, ++d.digits) {
      const auto digit = static_cast<std::uint32_t>(bytes[n] - '0');
      if (kind == 'i')
        d.sid = d.sid * 10 + digit;
      else
        d.number_at[d.numbers] = d.number_at[d.numbers] * 10 + digit;
    }
    if (kind == 'e') d.reply.pass(n);
    return n;
  }

  static Token subject(Direction& d, std::string_view bytes) {
    Subject& s = d.subject;
    if (!s.plain()) {
      const bool head = s.at_head();
      Token t = known(s, bytes);
      if (t.size > 0 && head) {
        t.field = Field::key;
        t.text_ends = true;
      }
      if (t.size > 0) return t;
    }
    Token t{.part = Part::key, .field = Field::key};
    while (t.size < bytes.size() && is_word(bytes[t.size])) ++t.size;
    s.pass(t.size);
    d.key_open = t.size == bytes.size();
    t.text_ends = !d.key_open;
    return t;
  }

  // The next bytes of a subject that are kept alike. Size 0: it is none of the server or of a library.
  static Token known(Subject& s, std::string_view bytes) {
    Token t;
    if (s.at_head()) {
      while (t.size < bytes.size() && s.at_head() && s.heads(bytes[t.size])) ++t.size;
      if (t.size == 0) s.become_plain();
      return t;
    }
    const bool kept = s.keeps(bytes[0]);
    t.part = kept ? Part::framing : Part::value;
    for (; t.size < bytes.size() && is_word(bytes[t.size]) && s.keeps(bytes[t.size]) == kept; ++t.size)
      s.take(bytes[t.size], kept);
    return t;
  }

  static std::size_t text_size(std::string_view bytes) { return std::min(bytes.find_first_of("\r\n"), bytes.size()); }

  // Whether a server demands TLS is all that is read of it.
  static Token json(Direction& d, std::string_view bytes) {
    if (!d.in_text) {
      d.in_text = bytes[0] == '{';
      d.tls = 1;  // what can follow a comma can follow the brace
      return {.size = d.in_text ? 1u : 0u};
    }
    if (d.verb != Verb::info || !d.may_tls || d.tls == kTlsRequired.size())
      return {.size = text_size(bytes), .part = Part::value};
    std::size_t n = 0;
    const auto goes_on = [&] { return n < bytes.size() && !is_break(bytes[n]) && d.tls < kTlsRequired.size(); };
    for (; goes_on() && (bytes[n] == kTlsRequired[d.tls] || bytes[n] == ','); ++n)
      d.tls = static_cast<std::uint8_t>(bytes[n] == ',' ? 1 : d.tls + 1);
    if (n > 0) return {.size = n};
    d.tls = 0;
    while (goes_on() && bytes[n] != ',') ++n;
    return {.size = n, .part = Part::value};
  }

  static Token error(Direction& d, std::string_view bytes) {
    if (!std::exchange(d.in_text, true) && bytes[0] == '\'') return {.size = 1};
    Token t{.field = Field::error_code};
    while (!d.hides && t.size < bytes.size() && d.match.step(kPhrases, small(bytes[t.size]))) ++t.size;
    if (t.size > 0) return t;
    d.hides = true;
    return {.size = text_size(bytes), .part = Part::value};
  }

  static void pass(Direction& d, std::uint32_t n) {
    d.data += n;
    d.left -= n;
    if (d.left == 0) d.at = At::data_end;
  }

  static Token data(Direction& d, std::string_view bytes) {
    bytes = bytes.substr(0, d.left);
    Token t;
    if (!d.hides) t = status(d, bytes);
    if (t.size == 0 && !d.answer.given_up()) t = stored(d.answer, bytes);
    if (t.size == 0) t = {.size = bytes.size(), .part = Part::value};
    pass(d, static_cast<std::uint32_t>(t.size));
    return t;
  }

  // The next bytes of an answer that are kept alike. Size 0: it says something else.
  static Token stored(StoredAnswer& answer, std::string_view bytes) {
    const bool kept = answer.keeps(bytes[0]);
    Token t{.part = kept ? Part::framing : Part::value};
    for (; t.size < bytes.size() && !answer.given_up() && answer.keeps(bytes[t.size]) == kept; ++t.size)
      answer.take(bytes[t.size], kept);
    return t;
  }

  // The beginning of headers. Size 0: they have no status.
  static Token status(Direction& d, std::string_view bytes) {
    Token t;
    std::size_t at = d.data;
    for (; t.size < bytes.size() && at < kVersion.size() && bytes[t.size] == kVersion[at]; ++t.size) ++at;
    if (t.size > 0) return t;
    t.field = Field::error_code;
    for (; t.size < bytes.size() && at >= kVersion.size() && at < kStatusEnd && is_digit(bytes[t.size]); ++t.size, ++at)
      d.status = static_cast<std::uint16_t>(d.status * 10 + (bytes[t.size] - '0'));
    if (t.size == 0) d.status = 0;
    t.text_ends = at == kStatusEnd;
    d.hides = t.size == 0 || at == kStatusEnd;
    return t;
  }

  Token data_end(Side side, Direction& d, std::string_view bytes) {
    if (!d.cr && bytes[0] != '\r') return {};
    Token t = line_break(d, bytes);
    if (t.size > 0 && !d.cr) end(side, t);
    return t;
  }

  void end(Side side, Token& t) {
    Direction& d = of(side);
    t.ends = true;
    tls_ = d.tls == kTlsRequired.size();
    calls_.end(side,
               {.verb = d.verb,
                .subject = d.subject.identity(),
                .reply = d.reply.identity(),
                .has_reply = d.has_reply,
                .pulls = d.subject.pulls(),
                .counts = d.numbers > 0,
                .status = d.status,
                .sid = d.sid,
                .stored = d.answer.stored(),
                .phrase = d.verb == Verb::error ? d.match.whole(kPhrases) : std::string_view()},
               t);
    d = {};
  }

  Direction directions_[2];
  Token skipped_[2];
  Calls calls_;
  bool tls_ = false;
};

}  // namespace

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Nats>(from_beginning); }

}  // namespace tailcap::formats::calls::nats
