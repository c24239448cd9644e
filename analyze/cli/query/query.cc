// tailcap query: SQL over a capture.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/log_options.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/cli/query/prompt.h"
#include "analyze/pipeline/replay.h"
#include "analyze/report/words/number.h"
#include "analyze/sql/database.h"
#include "analyze/views/sql/capture_tables.h"
#include "analyze/views/sql/result_text.h"
#include "formats/bounds/process_bounds.h"
#include "formats/printable.h"

namespace tailcap::cli::query_command {
namespace {

constexpr const char* kAbout =
    "tailcap query answers SQL over a capture: requests, the segments of their time, links between them, threads and "
    "their states, connections, verdicts, losses, spans. Without SQL, a terminal gets a prompt with a history; "
    "elsewhere the tables and "
    "their columns are listed.";

constexpr const char* kNotes =
    R"(Tables are read-only, and only those that the SQL names are filled. Times (ts) are nanoseconds of the recorded machine's
monotonic clock, durations (dur) nanoseconds; request.start_ns is ns since 1970. What is not known is NULL. Texts are as
they were sent: docs/query.md has the schema and examples.

examples:
  tailcap query slow.tcap
  tailcap query slow.tcap "SELECT route, count(*), max(dur) / 1e6 AS ms FROM request GROUP BY route"
  tailcap query slow.tcap "SELECT * FROM request WHERE dur > 20e6" --json -n 20
  tailcap query slow.tcap --save slow.sqlite
  tailcap query slow.tcap --join-logs '/var/log/shop/*.log' "SELECT request_id, text FROM log WHERE level = 'error'"
)";

constexpr std::size_t kRows = 1000;
constexpr auto kTime = std::chrono::seconds{60};
constexpr std::size_t kPiece = 64u << 10;      // bytes that are written at a time
constexpr std::size_t kMostPaged = 64u << 20;  // bytes that wait for the pager

constexpr Definition kSave{"save", 0, "OUT", "write all tables to this SQLite file", 0};
constexpr Definition kTimeout{"timeout", 0, "T", "give up the SQL after T (default 60s)", 0};

struct Arguments {
  std::string file, sql, format, output, save;
  Selection selection;
  LogOptions log_options;
  views::LogFiles logs;
  std::size_t limit = kRows;
  formats::Duration timeout = kTime;
  bool no_pager = false;
};

// The tables as rows of a result, made by SQL from the schema itself.
std::string schema_sql(const std::string& rest = {}) {
  std::string sql = "WITH schema(\"table\", \"column\", type, holds) AS (VALUES ";
  const auto quote = [](std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
    return out + "'";
  };
  bool first = true;
  const auto add = [&](std::string_view table, std::string_view column, std::string_view type, std::string_view text) {
    sql += (first ? "(" : ", (") + quote(table) + ", " + quote(column) + ", " + quote(type) + ", " + quote(text) + ")";
    first = false;
  };
  for (const sql::SqlTable& table : sql::tables()) {
    if (table.internal) continue;
    add(table.name, "", table.view ? "view" : "table", table.text);
    if (!table.columns_listed) continue;
    for (const sql::SqlColumn& column : table.columns)
      add(table.name, column.name, sql::name_of(column.type), column.text);
  }
  return sql + ") SELECT * FROM schema" + rest;
}

bool answer(const Arguments& a, sql::Database& database, const std::string& text, std::size_t limit) {
  sql::Query query(database, text, a.timeout, cancelled_at_prompt);
  views::ResultText result(a.format, query.columns());
  OutputFile output(a.output, a.file);
  const bool paged = on_terminal() && (a.output.empty() || a.output == "-");
  std::string out;
  bool more = false;
  while (query.next()) {
    if (result.rows() == limit) {
      more = true;
      break;
    }
    result.add(query, out);
    if (out.size() < kPiece || (paged && out.size() < kMostPaged)) continue;
    output.write(out);
    out.clear();
  }
  result.end(more, out);
  if (paged)
    print_paged(out, !a.no_pager);
  else
    output.write(out);
  output.finish();
  say_written(a.output);
  if (more) complain("query", report::count_text(limit, "row", "rows") + " shown, there are more. -n N shows up to N.");
  return more;
}

void save(const Arguments& a, sql::Database& database) {
  OutputFile output(a.save, a.file);
  if (output.partial().empty()) throw UsageError("--save needs the name of a file");
  database.add_indexes();
  database.save(output.partial());
  output.finish();
  say_written(a.save);
}

// asked: SQL names the tables.
void complain_of(const views::Filled& filled, const std::set<std::string>& names, bool asked) {
  if (filled.without_segments > 0)
    complain("query", "the table segment lacks " + report::count_text(filled.without_segments, "request", "requests") +
                          ": it holds the first 200,000.");
  if (filled.without_spans && names.contains("_span"))
    complain("query", "otel_traces is empty: the capture holds no reading of the wall clock.");
  if (filled.logs)
    for (const std::string& sentence : views::sentences_of(*filled.logs)) complain("query", sentence);
  else if (asked && names.contains("log"))
    complain("query", "the table log is empty: --join-logs says which log files it holds.");
}

int run(const Arguments& a) {
  pipeline::Options options = options_of(a.selection);
  const pipeline::Replay capture(a.file, options.threads);  // a missing file is the first thing to say
  sql::Database database;
  database.create_tables();
  std::set<std::string> names;
  if (!a.sql.empty()) names = database.tables_of(a.sql);
  if (!a.save.empty()) {
    names = views::all_tables();
    database.fill_all();
  }
  const views::Filled filled = views::fill_tables(database, names, a.file, a.logs, options, TAILCAP_VERSION);
  complain_of(filled, names, a.save.empty());
  if (!a.save.empty()) save(a, database);
  if (!a.sql.empty())
    answer(a, database, a.sql, a.limit);
  else if (a.save.empty())
    answer(a, database, schema_sql(), SIZE_MAX);
  return exit_code(filled.damaged, filled.wrong, "query");
}

// The tables of a prompt: filled when they are first asked for, with all columns, and kept.
class KeptTables {
 public:
  explicit KeptTables(const Arguments& a) : a_(a), database_(fresh()) {}

  sql::Database& with_tables_of(const std::string& text) {
    std::set<std::string> wanted = database_->tables_of(text);
    if (std::ranges::includes(filled_, wanted)) return *database_;
    wanted.insert(filled_.begin(), filled_.end());
    filled_.clear();
    database_ = fresh();
    database_->fill_all();
    pipeline::Options options = options_of(a_.selection);
    const views::Filled filled = views::fill_tables(*database_, wanted, a_.file, a_.logs, options, TAILCAP_VERSION);
    complain_of(filled, wanted, true);
    filled_ = std::move(wanted);
    code_ = exit_code(filled.damaged, filled.wrong, "query", filled.damaged && code_ != kDone ? Told::yes : Told::no);
    return *database_;
  }
  int code() const { return code_; }

 private:
  static std::unique_ptr<sql::Database> fresh() {
    auto out = std::make_unique<sql::Database>();
    out->create_tables();
    return out;
  }

  const Arguments& a_;
  std::unique_ptr<sql::Database> database_;
  std::set<std::string> filled_;
  int code_ = kDone;
};

int prompt(const Arguments& a) {
  const pipeline::Replay capture(a.file, threads_from_environment());  // a missing file is the first thing to say
  KeptTables tables(a);
  const auto show = [&](const std::string& text, std::size_t limit) {
    formats::allow_more_processor(a.timeout);
    answer(a, tables.with_tables_of(text), text, limit);
  };
  run_prompt(a.file, {.query = [&](const std::string& text) { show(text, a.limit); },
                      .tables = [&] { show(schema_sql(" WHERE \"column\" = ''"), SIZE_MAX); },
                      .schema =
                          [&](const std::string& table) {
                            const auto known = [&](const sql::SqlTable& t) { return !t.internal && t.name == table; };
                            if (table.empty()) return show(schema_sql(), SIZE_MAX);
                            if (std::ranges::none_of(sql::tables(), known))
                              throw std::runtime_error("there is no table " + formats::printable(table) +
                                                       "; .tables lists them");
                            show(schema_sql(" WHERE \"table\" = '" + table + "'"), SIZE_MAX);
                          }});
  return tables.code();
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("query", kAbout);
  line.capture(a.file);
  line.word("SQL", a.sql, nullptr);
  line.group("How much?");
  line.option(option::kLimit, &a.limit, "print at most N rows (default 1000)");
  line.option(kTimeout, &a.timeout);
  line.group("In which form?");
  line.format(a.format, {"text", "csv", "json"}, &a.output, "json: an object per line");
  line.option(kSave, &a.save);
  line.option(option::kNoPager, &a.no_pager);
  add_routes(line, a.selection);
  add_log_options(line, a.log_options);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  a.logs = log_files_of(a.log_options);
  const bool form = line.given(option::kFormat) || a.format != "text" || !a.output.empty();
  if (a.sql.empty() && a.save.empty() && !form && isatty(STDIN_FILENO) == 1 && on_terminal()) return prompt(a);
  formats::allow_more_processor(a.timeout);
  try {
    return run(a);
  } catch (const sql::Error& e) {
    throw UsageError(std::string("in the SQL: ") + e.what());
  }
}

}  // namespace tailcap::cli::query_command
