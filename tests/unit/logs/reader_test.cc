#include "analyze/logs/reader.h"

#include <string>
#include <vector>

#include "analyze/logs/fields.h"

namespace tailcap::logs {
namespace {

using model::LoggedLine;
using model::LogLevel;
using model::LogTime;

constexpr std::int64_t kNoon = 1'764'331'200'000'000'000;  // 2025-11-28 12:00:00 UTC

std::vector<LoggedLine> lines_of(std::string_view text, const ReadOptions& options = {}) {
  std::vector<LoggedLine> out;
  LogReader reader(text, options);
  for (LoggedLine line; reader.next(line);) out.push_back(line);
  return out;
}
LoggedLine line_of(std::string_view text, const ReadOptions& options = {}) {
  const auto all = lines_of(text, options);
  EXPECT_EQ(all.size(), 1u) << text;
  return all.empty() ? LoggedLine{} : all.front();
}

struct TimeCase {
  const char* text;
  std::int64_t at, precision;
  LogTime::State state = LogTime::State::known;
};

TEST(LogTimes, AllUsualFormsAreReadWithThePrecisionOfTheirDigits) {
  const TimeCase cases[] = {
      {"2025-11-28T12:00:00Z", kNoon, 1'000'000'000},
      {"2025-11-28T13:00:00.25+01:00", kNoon + 250'000'000, 10'000'000},
      {"2025-11-28 07:00:00,001 -0500", kNoon + 1'000'000, 1'000'000},
      {"2025/11/28 12:00:00.123456789 UTC", kNoon + 123'456'789, 1},
      {"28/Nov/2025:12:00:00 +0000", kNoon, 1'000'000'000},
      {"1764331200", kNoon, 1'000'000'000},
      {"1764331200.125", kNoon + 125'000'000, 1'000'000},
      {"1764331200125", kNoon + 125'000'000, 1'000'000},
      {"1764331200125000", kNoon + 125'000'000, 1'000},
      {"1764331200125000001", kNoon + 125'000'001, 1},
      {"2025-11-28T12:00:00.5", kNoon + 500'000'000, 100'000'000, LogTime::State::without_zone},
      {"2025-11-28T12:00:00.5 somewhere", 0, 0, LogTime::State::none},
      {"2025-13-28T12:00:00Z", 0, 0, LogTime::State::none},
      {"2025-02-30T12:00:00Z", 0, 0, LogTime::State::none},
      {"12345678901", 0, 0, LogTime::State::none},
      {"99999999999999999999", 0, 0, LogTime::State::none},
      {"", 0, 0, LogTime::State::none},
  };
  for (const TimeCase& c : cases) {
    const LogTime time = time_of(c.text);
    EXPECT_EQ(time.state, c.state) << c.text;
    EXPECT_EQ(time.at, c.at) << c.text;
    EXPECT_EQ(time.precision, c.precision) << c.text;
  }
}

TEST(LogTimes, APatternFindsTheTimeAndTheYearThatIsNearest) {
  const TimePattern german("%d.%m.%Y %H:%M:%S.%f");
  EXPECT_EQ(german.find("x 28.11.2025 12:00:00.5 y", 0).at, kNoon + 500'000'000);
  const TimePattern syslog("%b %d %H:%M:%S");
  const LogTime time = syslog.find("Nov  8 12:00:00 host shop[1]: hello", kNoon);
  EXPECT_EQ(time.at, kNoon - 20 * 86'400'000'000'000);
  EXPECT_EQ(time.state, LogTime::State::without_zone);
  EXPECT_EQ(TimePattern("%d/%m/%Y %H:%M").find("28/11/2025 12:00", 0).precision, 60'000'000'000);
  EXPECT_THROW(TimePattern("%q"), std::invalid_argument);
  EXPECT_THROW(TimePattern("%H:%M"), std::invalid_argument);
  EXPECT_THROW(TimePattern("%s %"), std::invalid_argument);
}

TEST(LogReader, JsonHasItsFieldsAlsoInObjects) {
  const LoggedLine line = line_of(
      R"({"time":"2025-11-28T12:00:00.001Z","level":"WARN","msg":"slow","trace":{"id":"4BF92F3577B34DA6A3CE929D0E0E4736"},)"
      R"("http":{"request":{"id":"r-1"}},"pid":17,"service":{"name":"shop"},"other":[{"trace_id":"0000"}]})");
  EXPECT_EQ(line.time.at, kNoon + 1'000'000);
  EXPECT_EQ(line.level, LogLevel::warning);
  EXPECT_EQ(line.text, "slow");
  EXPECT_EQ(line.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(line.request_id, "r-1");
  EXPECT_EQ(line.pid, 17u);
  EXPECT_EQ(line.service, "shop");
  EXPECT_FALSE(line.contradicts);
  EXPECT_TRUE(line.whole.starts_with("{\"time\""));
}

TEST(LogReader, NumbersOfPinoAndTimesThatAreNumbers) {
  const LoggedLine line = line_of(R"({"level":50,"time":1764331200001,"msg":"no"})");
  EXPECT_EQ(line.level, LogLevel::error);
  EXPECT_EQ(line.time.precision, 1'000'000);
  EXPECT_EQ(line_of(R"({"ts":1764331200.000001,"msg":"x"})").time.at, kNoon + 1'000);
}

TEST(LogReader, FieldsThatContradictEachOtherAreSaid) {
  EXPECT_TRUE(line_of(R"({"request_id":"a","x_request_id":"b"})").contradicts);
  EXPECT_FALSE(line_of(R"({"request_id":"a","x_request_id":"a"})").contradicts);
}

TEST(LogReader, LogfmtAndPlainText) {
  const LoggedLine slog =
      line_of(R"(time=2025-11-28T12:00:00.000Z level=ERROR msg="cannot \"pay\"" request_id=r-7 pid=4)");
  EXPECT_EQ(slog.text, "cannot \"pay\"");
  EXPECT_EQ(slog.level, LogLevel::error);
  EXPECT_EQ(slog.request_id, "r-7");
  EXPECT_EQ(slog.pid, 4u);
  const LoggedLine plain = line_of("2025-11-28 12:00:00,250 INFO paid request_id=r-8 pid=9");
  EXPECT_EQ(plain.time.state, LogTime::State::without_zone);
  EXPECT_EQ(plain.level, LogLevel::info);
  EXPECT_EQ(plain.request_id, "r-8");
  EXPECT_EQ(plain.pid, 0u) << "a number in prose may be that of another process";
  const LoggedLine nginx = line_of("2025/11/28 12:00:00 [error] 123#124: *5 upstream timed out");
  EXPECT_EQ(nginx.level, LogLevel::error);
  EXPECT_EQ(nginx.pid, 123u);
  EXPECT_EQ(line_of("An Error in prose").level, LogLevel::unknown);
  const LoggedLine common = line_of(R"(127.0.0.1 - - [28/Nov/2025:12:00:00 +0000] "GET / HTTP/1.1" 200 6)");
  EXPECT_EQ(common.time.at, kNoon);
}

TEST(LogReader, ATimeWithoutZoneHasTheOneThatWasGiven) {
  ReadOptions options;
  options.zone = 3600;
  EXPECT_EQ(line_of("2025-11-28 13:00:00,250 INFO x", options).time.at, kNoon + 250'000'000);
}

TEST(LogReader, WhatARuntimeWroteAroundALineIsTakenOff) {
  const LoggedLine docker = line_of(
      R"({"log":"{\"msg\":\"inner\",\"level\":\"error\",\"request_id\":\"r-9\"}\n","stream":"stdout","time":"2025-11-28T12:00:00.5Z"})");
  EXPECT_EQ(docker.text, "inner");
  EXPECT_EQ(docker.level, LogLevel::error);
  EXPECT_EQ(docker.request_id, "r-9");
  EXPECT_EQ(docker.time.at, kNoon + 500'000'000);
  EXPECT_EQ(docker.time.late, kReadLater);
  const LoggedLine cri =
      line_of(R"(2025-11-28T12:00:00.5Z stdout F level=info msg=hello trace_id=4bf92f3577b34da6a3ce929d0e0e4736)");
  EXPECT_EQ(cri.text, "hello");
  EXPECT_EQ(cri.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(LogReader, JournalsInBothForms) {
  std::string binary = "two\nlines";
  std::string text = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1764331200000001\n_PID=42\nPRIORITY=3\nMESSAGE\n";
  text += std::string("\x09\0\0\0\0\0\0\0", 8) + binary + "\n_COMM=shop\n\n";
  text += "__CURSOR=s=2\n__REALTIME_TIMESTAMP=1764331200000002\nMESSAGE={\"msg\":\"x\",\"request_id\":\"r\"}\n\n";
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text, binary);
  EXPECT_EQ(lines[0].level, LogLevel::error);
  EXPECT_EQ(lines[0].pid, 42u);
  EXPECT_TRUE(lines[0].pid_of_host);
  EXPECT_EQ(lines[0].time.at, kNoon + 1'000);
  EXPECT_EQ(lines[1].text, "x");
  EXPECT_EQ(lines[1].request_id, "r");
  EXPECT_EQ(lines[0].time.late, kReadLater) << "that of journald, which reads later";
  const LoggedLine sent = line_of(
      R"({"__REALTIME_TIMESTAMP":"1764331200009000","_SOURCE_REALTIME_TIMESTAMP":"1764331200000001","MESSAGE":"x"})");
  EXPECT_EQ(sent.time.at, kNoon + 1'000);
  EXPECT_EQ(sent.time.late, 0);
  const LoggedLine json = line_of(
      R"({"__REALTIME_TIMESTAMP":"1764331200000001","_PID":"42","PRIORITY":"6","MESSAGE":"hello","_COMM":"shop"})");
  EXPECT_EQ(json.level, LogLevel::info);
  EXPECT_EQ(json.pid, 42u);
  EXPECT_EQ(json.service, "shop");
}

TEST(LogReader, WhatIsTooLongIsCutAndCounted) {
  const std::string lines = "x" + std::string(2 * kLongestKept, 'y') + "\nshort\n" + std::string(2 * kLongestRead, '{');
  LogReader reader(lines, {});
  LoggedLine line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.text.size(), kLongestKept);
  EXPECT_TRUE(line.cut);
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.text, "short");
  ASSERT_TRUE(reader.next(line));
  EXPECT_FALSE(reader.next(line));
  EXPECT_EQ(reader.cut(), 2u);
}

TEST(LogReader, ALengthBeyondTheFileEndsIt) {
  EXPECT_EQ(lines_of("__CURSOR=1\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\x7f"
                     "abc")
                .size(),
            1u);
}

}  // namespace
}  // namespace tailcap::logs
