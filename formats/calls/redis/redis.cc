#include "formats/calls/redis/redis.h"

#include <algorithm>
#include <array>

namespace tailcap::formats::calls::redis {

namespace {

constexpr std::uint64_t kMostItems = 1u << 20;    // of a command or an aggregate: what a server accepts
constexpr std::uint64_t kLongestBulk = 1u << 30;  // 512 MiB is the default of servers
constexpr std::uint64_t kMostOutstanding = 1u << 16;
constexpr std::uint64_t kLongestLine = 64u << 10;

class Resp final : public Machine {
 public:
  explicit Resp(bool from_beginning) : found_(!from_beginning) {}

  Token next(Side side, std::string_view bytes) override {
    if (unread_) return {};
    return side == Side::requests ? request(bytes) : response(bytes);
  }

  bool skip(Side side, std::uint64_t n) override {
    Way& w = way_[static_cast<std::size_t>(side)];
    if (n == 0) return true;
    if (w.at != At::bulk || n > w.left) return false;
    w.partial = true;
    w.hidden = w.hidden || w.argument == 0;
    w.left -= n;
    if (w.left == 0) {
      if (side == Side::requests) argument_done(w);
      item_done(w);
      Token unseen;
      if (w.open == 0) end(w, unseen, side == Side::requests);
    }
    return true;
  }

  bool at_border(Side side) const override { return way_[static_cast<std::size_t>(side)].at == At::border; }

  // A client that asks one thing at a time has read the answer to its last question.
  bool resume(Side side, std::string_view last, Token& ended) override {
    if (side == Side::requests || !last.empty() || pipelines_ || outstanding_ != 1) return false;
    Way& w = way_[1];
    ended.ends = true;
    ended.failed = w.open > 0 && w.failed;
    w.at = At::border;
    w.open = 0;
    outstanding_ = 0;
    return true;
  }

 private:
  enum class At : std::uint8_t {
    border,   // a message begins
    type,     // an item begins
    number,   // digits of a length or count, until CR
    newline,  // the LF behind it
    line,     // text until CR LF
    bulk,     // `left` bytes, with CR LF behind them
  };
  enum class Monitoring : std::uint8_t { off, asked, on };  // all that comes behind the answer is pushed
  struct Way {
    At at = At::border;
    char type = 0;
    bool negative = false, digits = false, cr = false;
    bool failed = false, pushed = false, first = false, in_code = false;
    std::uint64_t number = 0, left = 0;
    std::uint64_t open = 0;      // items that the message still has
    std::uint64_t argument = 0;  // requests: the number of the one that is read
    std::uint64_t line = 0;      // bytes of text so far
    Name name;                   // requests: of the command; responses: the first item
    Name subcommand;
    bool partial = false;  // a part of the bulk came before, or was not seen
    bool hidden = false;   // requests: a part of the command's name is not kept
    bool no_keys = false;  // none, or their number is not known
    const Command* command = nullptr;
    bool waits = false;
  };

  static void item_done(Way& w) {
    --w.open;
    w.at = At::type;
  }

  void argument_done(Way& w) {
    if (w.argument == 0) {
      if (w.hidden) w.name.clear();
      if (!w.command) w.command = redis::command(w.name.text());
      w.waits = w.command && w.command->waits;
      if (w.command && w.command->subscribes) subscribed_ = true;
      if (w.name.text() == "MONITOR" && monitors_ == Monitoring::off) monitors_ = Monitoring::asked;
      if (w.name.text() == "PSYNC" || w.name.text() == "SYNC") unread_ = true;
    }
    if (w.argument == 1 && w.name.text() == "CLIENT" && w.subcommand.text() == "REPLY") unread_ = true;
    ++w.argument;
  }

  // A length or count with its CR LF. size 0: it is none; `done`: it ended with these bytes.
  static Token number(Way& w, std::string_view bytes, bool& done) {
    Token t;
    done = false;
    for (const char c : bytes) {
      ++t.size;
      if (w.at == At::newline) {
        if (c != '\n') return {};
        done = true;
        return t;
      }
      if (c == '\r' && w.digits) {
        w.at = At::newline;
      } else if (c == '-' && !w.digits && !w.negative) {
        w.negative = true;
      } else if (c >= '0' && c <= '9' && w.number <= kLongestBulk) {
        w.number = w.number * 10 + static_cast<std::uint64_t>(c - '0');
        w.digits = true;
      } else {
        return {};
      }
    }
    return t;
  }

  static void begin_number(Way& w) {
    w.at = At::number;
    w.number = 0;
    w.negative = w.digits = false;
  }

  Token request(std::string_view bytes) {
    Way& w = way_[0];
    switch (w.at) {
      case At::border: {
        if (bytes[0] != '*') return {};
        w.type = '*';
        w.argument = 0;
        w.command = nullptr;
        w.waits = false;
        w.name.clear();
        w.subcommand.clear();
        w.hidden = w.no_keys = false;
        begin_number(w);
        Token t{.size = 1};
        t.begins = true;
        return t;
      }
      case At::type:
        if (bytes[0] != '$') return {};
        w.type = '$';
        begin_number(w);
        return {.size = 1};
      case At::number:
      case At::newline: {
        bool done = false;
        Token t = number(w, bytes, done);
        if (t.size == 0 || !done) return t;
        if (w.negative) return {};
        if (w.type == '*') {
          if (w.number == 0 || w.number > kMostItems) return {};
          w.open = w.number;
          w.at = At::type;
        } else {
          if (w.number > kLongestBulk || (w.argument == 0 && w.number == 0)) return {};
          w.left = w.number + 2;
          w.at = At::bulk;
          w.partial = false;
        }
        return t;
      }
      case At::bulk:
        return argument(w, bytes);
      case At::line:
        break;
    }
    return {};
  }

  Token argument(Way& w, std::string_view bytes) {
    Token t;
    if (w.left <= 2) return behind(w, bytes, true);
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), w.left - 2));
    bytes = bytes.substr(0, most);
    t.size = most;
    t.part = Part::value;
    const bool whole = !w.partial && w.left == most + 2;
    if (w.argument == 0) {
      t.field = Field::operation;
      t.size = operation(w, bytes, whole);
      t.part = w.hidden ? Part::value : Part::framing;
    } else if (w.argument == 1 && w.command && w.command->has_subcommand) {
      t.field = Field::operation;
      if (whole && std::all_of(bytes.begin(), bytes.end(), is_name)) {
        t.part = Part::framing;
        w.subcommand.add(bytes);
      }
    } else if (w.command && w.command->key == w.argument && !w.no_keys) {
      t.part = w.partial ? Part::value : Part::key;
      t.field = Field::key;
    } else if (w.command && w.command->counts_keys() && w.command->key == w.argument + 1) {
      w.no_keys = !whole || !is_count(bytes);
      if (!w.no_keys) t.part = Part::framing;
    } else if (whole && asks_to_wait(w, bytes)) {
      t.part = Part::framing;
      w.waits = true;
    }
    w.partial = true;
    w.left -= t.size;
    t.text_ends = t.field != Field::none && w.left == 2;
    return t;
  }

  // How many of the bytes are kept or, with w.hidden, are not: what begins no command may be a value behind a loss. It
  // is decided by each byte, so that cuts change nothing.
  static std::size_t operation(Way& w, std::string_view bytes, bool whole) {
    if (whole) {
      w.name.add(bytes);
      w.command = redis::command(w.name.text());
      if (w.command) return bytes.size();
      w.name.clear();
    }
    std::size_t n = 0;
    for (; !w.hidden && n < bytes.size(); ++n) {
      Name longer = w.name;
      longer.add(bytes.substr(n, 1));
      if (!begins_command(longer.text())) break;
      w.name = longer;
    }
    if (n > 0) return n;
    w.hidden = true;
    return bytes.size();
  }

  static bool is_count(std::string_view bytes) {
    return bytes.size() <= 4 && bytes[0] >= '1' && bytes[0] <= '9' &&
           std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= '0' && c <= '9'; });
  }

  // XREAD … BLOCK 1000 …
  static bool asks_to_wait(const Way& w, std::string_view bytes) {
    constexpr std::string_view kBlock = "BLOCK";
    return w.command && w.command->name.starts_with("XREAD") && w.left == kBlock.size() + 2 &&
           std::equal(bytes.begin(), bytes.end(), kBlock.begin(), kBlock.end(),
                      [](char a, char b) { return capital(a) == b; });
  }

  // The CR LF behind a bulk.
  Token behind(Way& w, std::string_view bytes, bool asks) {
    Token t;
    while (t.size < bytes.size() && w.left > 0) {
      if (bytes[t.size] != (w.left == 2 ? '\r' : '\n')) return {};
      --w.left;
      ++t.size;
    }
    if (w.left > 0) return t;
    if (asks) argument_done(w);
    item_done(w);
    if (w.open == 0) end(w, t, asks);
    return t;
  }

  void end(Way& w, Token& t, bool asks) {
    w.at = At::border;
    t.ends = true;
    if (asks) {
      t.waits = w.waits;
      t.unanswered = w.command && w.command->subscribes;
      pipelines_ = pipelines_ || outstanding_ > 0;
      outstanding_ += !t.unanswered;
      if (outstanding_ > kMostOutstanding) unread_ = true;
    } else {
      t.failed = w.failed;
      t.pushed = w.pushed || (found_ && outstanding_ == 0) || monitors_ == Monitoring::on ||
                 (subscribed_ && delivers(w.name.text()));
      if (monitors_ == Monitoring::asked) monitors_ = Monitoring::on;
      outstanding_ -= !t.pushed && outstanding_ > 0;
    }
  }

  static bool delivers(std::string_view first) {
    constexpr auto kWords =
        std::to_array<std::string_view>({"MESSAGE", "PMESSAGE", "SMESSAGE", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE",
                                         "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"});
    return std::find(kWords.begin(), kWords.end(), first) != kWords.end();
  }

  Token response(std::string_view bytes) {
    Way& w = way_[1];
    switch (w.at) {
      case At::border:
      case At::type:
        return item(w, bytes[0]);
      case At::number:
      case At::newline:
        return count(w, bytes);
      case At::line:
        return line(w, bytes);
      case At::bulk:
        return bulk(w, bytes);
    }
    return {};
  }

  static Token item(Way& w, char type) {
    Token t{.size = 1};
    if (w.at == At::border) {
      t.begins = true;
      w.open = 1;
      w.failed = type == '-' || type == '!';
      w.pushed = type == '>';
      w.first = true;
      w.name.clear();
    }
    w.type = type;
    switch (type) {
      case '+':
      case '-':
      case ':':
      case '_':
      case '#':
      case ',':
      case '(':
        w.at = At::line;
        w.line = 0;
        w.cr = false;
        w.in_code = type == '-';
        return t;
      case '$':
      case '=':
      case '!':
      case '*':
      case '%':
      case '~':
      case '>':
      case '|':
        begin_number(w);
        return t;
      default:
        return {};
    }
  }

  Token count(Way& w, std::string_view bytes) {
    bool done = false;
    Token t = number(w, bytes, done);
    if (t.size == 0 || !done) return t;
    const bool text = w.type == '$' || w.type == '=' || w.type == '!';
    if (w.negative && (w.number != 1 || (w.type != '$' && w.type != '*'))) return {};
    if (text && !w.negative) {
      if (w.number > kLongestBulk) return {};
      w.left = w.number + 2;
      w.at = At::bulk;
      w.in_code = w.type == '!';
      return t;
    }
    if (!text && !w.negative) {
      if (w.number > kMostItems) return {};
      w.open += w.number * (w.type == '%' || w.type == '|' ? 2 : 1) + (w.type == '|' ? 1 : 0);
      if (w.open > kMostItems * 16) return {};
    }
    item_done(w);
    if (w.open == 0) end(w, t, false);
    return t;
  }

  Token line(Way& w, std::string_view bytes) {
    Token t;
    if (w.cr) {
      if (bytes[0] != '\n') return {};
      t.size = 1;
      item_done(w);
      if (w.open == 0) end(w, t, false);
      return t;
    }
    if (bytes[0] == '\r') {
      w.cr = true;
      return {.size = 1};
    }
    if (bytes[0] == '\n') return {};
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (w.in_code) return code(w, bytes.substr(0, end));
    t.size = end;
    t.part = Part::value;
    w.line += end;
    return w.line > kLongestLine ? Token{} : t;
  }

  // The first word of an error, if it is one of capitals. What is masked is none, and does not become one.
  static Token code(Way& w, std::string_view bytes) {
    const auto word = [](char c) { return c >= 'A' && c <= 'Z'; };
    Token t;
    while (t.size < bytes.size() && word(bytes[t.size]) && w.line + t.size < kLongestName) ++t.size;
    w.line += t.size;
    if (t.size == 0) {
      w.in_code = false;
      return {.size = bytes.size(), .part = Part::value};
    }
    t.field = Field::error_code;
    return t;
  }

  Token bulk(Way& w, std::string_view bytes) {
    if (w.left <= 2) {
      w.first = false;
      return behind(w, bytes, false);
    }
    bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), w.left - 2)));
    Token t{.size = bytes.size(), .part = Part::value};
    if (w.in_code) {
      if (w.left == w.number + 2) w.line = 0;
      t = code(w, bytes);
    } else if (w.first && subscribed_) {
      t = delivery(w, bytes);
    }
    w.left -= t.size;
    return t;
  }

  // The first item of what is pushed to a subscriber, if it is whole.
  static Token delivery(Way& w, std::string_view bytes) {
    Token t{.size = bytes.size(), .part = Part::value};
    Name name;
    name.add(bytes);
    if (w.left != bytes.size() + 2 || !delivers(name.text())) return t;
    w.name = name;
    t.part = Part::framing;
    return t;
  }

  Way way_[2];
  bool found_;           // in the middle of a connection
  bool unread_ = false;  // replication, answers that are switched off: nothing is read any more
  bool subscribed_ = false, pipelines_ = false;
  std::uint64_t outstanding_ = 0;  // requests without an answer
  Monitoring monitors_ = Monitoring::off;
};

}  // namespace

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Resp>(from_beginning); }

}  // namespace tailcap::formats::calls::redis
