#include "analyze/logs/times.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace tailcap::logs {
namespace {

using model::LogTime;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr int kEarliest = 1980, kLatest = 2200;  // years

bool digit(char c) { return c >= '0' && c <= '9'; }

// Reads a time field by field; the first field that is not there ends it.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }
  bool at_end() const { return at_ == text_.size(); }
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (next() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  // A number of exactly `width` digits.
  bool number(std::size_t width, int& out) {
    if (text_.size() - at_ < width) return false;
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (!digit(text_[at_ + i])) return false;
      value = value * 10 + (text_[at_ + i] - '0');
    }
    at_ += width;
    out = value;
    return true;
  }
  bool month_name(int& out) {
    constexpr std::array<std::string_view, 12> names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto found = std::ranges::find(names, text_.substr(at_, 3));
    if (found == names.end()) return false;
    out = static_cast<int>(found - names.begin()) + 1;
    at_ += 3;
    return true;
  }
  // Digits of a fraction of a second; those behind the ninth are passed over.
  bool fraction(std::int64_t& ns, std::int64_t& precision) {
    std::int64_t unit = kSecond, value = 0;
    std::size_t digits = 0;
    for (; at_ < text_.size() && digit(text_[at_]); ++at_, ++digits) {
      if (unit == 1) continue;
      unit /= 10;
      value += unit * (text_[at_] - '0');
    }
    if (digits == 0) return false;
    ns = value;
    precision = unit;
    return true;
  }
  bool zone(std::int64_t& east) {
    if (take('Z') || take('z')) return east = 0, true;
    if (text_.substr(at_, 3) == "UTC" || text_.substr(at_, 3) == "GMT") return at_ += 3, east = 0, true;
    const char sign = next();
    if (sign != '+' && sign != '-') return false;
    const std::size_t before = at_++;
    int hours = 0, minutes = 0;
    if (!number(2, hours) || (take(':'), !number(2, minutes)) || hours > 15 || minutes > 59) return at_ = before, false;
    east = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

struct DateFields {
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::int64_t fraction = 0, precision = kSecond, east = 0;
  bool zoned = false;

  std::optional<LogTime> time() const {
    using namespace std::chrono;
    const year_month_day date{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day))};
    if (year < kEarliest || year > kLatest || !date.ok() || hour > 23 || minute > 59 || second > 60) return {};
    const std::int64_t days = sys_days{date}.time_since_epoch().count();
    const std::int64_t seconds = days * 86'400 + hour * 3600 + minute * 60 + second - east;
    return LogTime{zoned ? LogTime::State::known : LogTime::State::without_zone, seconds * kSecond + fraction,
                   precision};
  }
};

bool clock_time(TimeReader& in, DateFields& f) {
  if (!in.number(2, f.hour) || !in.take(':') || !in.number(2, f.minute) || !in.take(':') || !in.number(2, f.second))
    return false;
  if ((in.next() == '.' || in.next() == ',') && (in.take(in.next()), !in.fraction(f.fraction, f.precision)))
    return false;
  return true;
}

// A zone, with or without a space before it.
void zone_behind(TimeReader& in, DateFields& f) {
  TimeReader further = in;
  further.take(' ');
  if (further.zone(f.east)) {
    in = further;
    f.zoned = true;
  }
}

std::optional<LogTime> date_and_time(TimeReader& in) {
  DateFields f;
  TimeReader start = in;
  if (in.number(4, f.year) && (in.next() == '-' || in.next() == '/')) {
    const char between = in.next();
    if (!in.take(between) || !in.number(2, f.month) || !in.take(between) || !in.number(2, f.day)) return {};
    if (!in.take('T') && !in.take('t') && !in.take(' ')) return {};
  } else {
    in = start;
    if (!in.number(2, f.day) || !in.take('/') || !in.month_name(f.month) || !in.take('/') || !in.number(4, f.year) ||
        !in.take(':'))
      return {};
  }
  if (!clock_time(in, f)) return {};
  zone_behind(in, f);
  return f.time();
}

}  // namespace

LogTime time_of_number(std::string_view digits) {
  const std::size_t point = digits.find('.');
  const std::string_view whole = digits.substr(0, point);
  // From 2001 to 2286 seconds have ten digits, and each further unit three more.
  constexpr std::array<std::pair<std::size_t, std::int64_t>, 4> units = {
      {{10, kSecond}, {13, 1'000'000}, {16, 1'000}, {19, 1}}};
  const auto known = std::ranges::find(units, whole.size(), &std::pair<std::size_t, std::int64_t>::first);
  if (known == units.end() || !std::ranges::all_of(whole, digit)) return {};
  const std::int64_t unit = known->second;
  const std::int64_t value = std::strtoll(std::string(whole).c_str(), nullptr, 10);
  if (value > INT64_MAX / unit / 2) return {};
  LogTime out{LogTime::State::known, value * unit, unit};
  if (point == digits.npos) return out;
  const std::string_view rest = digits.substr(point + 1);
  if (rest.empty() || !std::ranges::all_of(rest, digit)) return {};
  std::int64_t part = unit;
  for (const char c : rest) {
    if (part == 1) break;
    part /= 10;
    out.at += part * (c - '0');
  }
  out.precision = part;
  return out;
}

LogTime time_of(std::string_view text) {
  if (text.size() > 1 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  if (const LogTime number = time_of_number(text); number.state != LogTime::State::none) return number;
  TimeReader in(text);
  const auto time = date_and_time(in);
  return time && in.at_end() ? *time : LogTime{};
}

LogTime time_at_beginning(std::string_view text, std::size_t& length) {
  length = 0;
  TimeReader in(text);
  const bool bracket = in.take('[');
  const auto time = date_and_time(in);
  if (!time) {
    // The common log format has it behind the client and two names.
    const std::size_t place = text.substr(0, 256).find(" [");
    if (bracket || place == text.npos) return {};
    TimeReader behind(text.substr(place + 2));
    const auto found = date_and_time(behind);
    return found && behind.next() == ']' ? *found : LogTime{};
  }
  if (digit(in.next()) || (bracket && !in.take(']'))) return {};
  length = in.at();
  return *time;
}

std::optional<std::int64_t> zone_of(std::string_view text) {
  TimeReader in(text);
  std::int64_t east = 0;
  if (!in.zone(east) || !in.at_end()) return {};
  return east;
}

TimePattern::TimePattern(std::string pattern) : pattern_(std::move(pattern)) {
  bool time = false, date = false, epoch = false;
  for (std::size_t i = 0; i < pattern_.size(); ++i) {
    if (pattern_[i] != '%') continue;
    const char c = ++i < pattern_.size() ? pattern_[i] : '\0';
    if (std::string_view("YmdbHMSfzs%").find(c) == std::string_view::npos || c == '\0')
      throw std::invalid_argument("'%" + std::string(c == '\0' ? "" : std::string(1, c)) +
                                  "' is no field of a time: %Y %m %d %b %H %M %S %f %z %s are");
    year_ = year_ || c == 'Y';
    minutes_ = minutes_ || c == 'M';
    seconds_ = seconds_ || c == 'S';
    time = time || c == 'H';
    date = date || c == 'd';
    epoch = epoch || c == 's';
  }
  if (!epoch && !(time && date)) throw std::invalid_argument("it needs %s, or a day (%d) and an hour (%H)");
}

LogTime TimePattern::find(std::string_view line, std::int64_t near) const {
  const std::string_view head = line.substr(0, kMostSearched);
  for (std::size_t start = 0; start < head.size(); ++start) {
    TimeReader in(head.substr(start));
    DateFields f;
    std::int64_t epoch = -1;
    bool fits = true;
    for (std::size_t i = 0; fits && i < pattern_.size(); ++i) {
      const char c = pattern_[i];
      if (c == ' ') {
        fits = in.take(' ');
        while (in.take(' ')) {
        }
        continue;
      }
      if (c != '%') {
        fits = in.take(c);
        continue;
      }
      switch (pattern_[++i]) {
        case 'Y':
          fits = in.number(4, f.year);
          break;
        case 'm':
          fits = in.number(2, f.month);
          break;
        case 'd':
          fits = in.number(2, f.day) || in.number(1, f.day);
          break;
        case 'b':
          fits = in.month_name(f.month);
          break;
        case 'H':
          fits = in.number(2, f.hour);
          break;
        case 'M':
          fits = in.number(2, f.minute);
          break;
        case 'S':
          fits = in.number(2, f.second);
          break;
        case 'f':
          fits = in.fraction(f.fraction, f.precision);
          break;
        case 'z':
          fits = f.zoned = in.zone(f.east);
          break;
        case 's': {
          int high = 0, low = 0;
          fits = in.number(5, high) && in.number(5, low);
          epoch = std::int64_t{high} * 100'000 + low;
          break;
        }
        default:
          fits = in.take('%');
      }
    }
    if (!fits) continue;
    if (!seconds_) f.precision = (minutes_ ? 60 : 3600) * kSecond;
    if (epoch >= 0) return {LogTime::State::known, epoch * kSecond + f.fraction, std::min(f.precision, kSecond)};
    if (year_) {
      if (const auto time = f.time()) return *time;
      continue;
    }
    using namespace std::chrono;
    const year_month_day date{floor<days>(sys_time<nanoseconds>{nanoseconds{near}})};
    std::optional<LogTime> best;
    for (const int by : {0, -1, 1}) {
      f.year = static_cast<int>(date.year()) + by;
      const auto time = f.time();
      if (time && (!best || std::llabs(time->at - near) < std::llabs(best->at - near))) best = time;
    }
    if (best) return *best;
  }
  return {};
}

}  // namespace tailcap::logs
