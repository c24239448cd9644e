#include "analyze/cli/query/line_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#ifdef TAILCAP_LINE_EDITOR
#include <histedit.h>
#include <poll.h>

#include <cwchar>
#endif

namespace tailcap::cli {

std::string history_file() {
  namespace fs = std::filesystem;
  const char* const state = std::getenv("XDG_STATE_HOME");
  const char* const home = std::getenv("HOME");
  fs::path folder;
  if (state && *state == '/')
    folder = state;
  else if (home && *home == '/')
    folder = fs::path(home) / ".local/state";
  else
    return {};
  folder /= "tailcap";
  std::error_code error;
  if (!fs::exists(folder, error)) {
    fs::create_directories(folder, error);
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  return fs::is_directory(folder, error) ? (folder / "query_history").string() : std::string();
}

#ifdef TAILCAP_LINE_EDITOR

namespace {

constexpr int kMostRemembered = 1000;
constexpr int kBetweenLooks = 200;  // ms between two looks for Ctrl-C, which may come before the wait

}  // namespace

struct LineReader::Impl {
  std::string file, prompt;
  EditLine* editor = nullptr;
  History* entries = nullptr;
  bool (*cancelled)() = nullptr;

  ~Impl() {
    if (editor) el_end(editor);
    if (entries) history_end(entries);
  }

  static Impl& of(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<Impl*>(self);
  }
  static char* prompt_of(EditLine* editor) { return of(editor).prompt.data(); }
  // A character in the locale's encoding. The library's own goes on after a signal.
  static int next_character(EditLine* editor, wchar_t* out) {
    std::mbstate_t state{};
    for (;;) {
      if (of(editor).cancelled()) return -1;
      pollfd one{STDIN_FILENO, POLLIN, 0};
      if (poll(&one, 1, kBetweenLooks) <= 0) continue;
      char byte = 0;
      const ssize_t n = ::read(STDIN_FILENO, &byte, 1);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return static_cast<int>(n);
      const std::size_t used = std::mbrtowc(out, &byte, 1, &state);
      if (used == 0 || used == 1) return 1;
      if (used == static_cast<std::size_t>(-1)) state = {};  // no character: what follows may be one
    }
  }
};

LineReader::LineReader(std::string history_path, bool (*cancelled)()) : impl_(new Impl) {
  Impl& i = *impl_;
  i.cancelled = cancelled;
  i.file = std::move(history_path);
  std::setlocale(LC_CTYPE, "");  // what is typed is in the locale's encoding
  i.editor = el_init("tailcap", stdin, stdout, stderr);
  i.entries = history_init();
  if (!i.editor || !i.entries) throw std::system_error(errno, std::generic_category(), "cannot read from the terminal");
  HistEvent event;
  history(i.entries, &event, H_SETSIZE, kMostRemembered);
  history(i.entries, &event, H_SETUNIQUE, 1);
  if (!i.file.empty()) history(i.entries, &event, H_LOAD, i.file.c_str());
  el_set(i.editor, EL_CLIENTDATA, &i);
  el_set(i.editor, EL_PROMPT, Impl::prompt_of);
  el_set(i.editor, EL_EDITOR, "emacs");
  el_set(i.editor, EL_HIST, history, i.entries);
  el_source(i.editor, nullptr);  // ~/.editrc
  el_set(i.editor, EL_GETCFN, Impl::next_character);
  el_set(i.editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

TypedLine LineReader::read(const std::string& prompt, std::string& line) {
  Impl& i = *impl_;
  i.prompt = prompt;
  int count = 0;
  const char* const typed = el_gets(i.editor, &count);
  line.clear();
  if (i.cancelled()) return TypedLine::cancelled;
  if (!typed || count <= 0) return TypedLine::end;
  line.assign(typed, static_cast<std::size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  return TypedLine::line;
}

void LineReader::remember(const std::string& text) {
  HistEvent event;
  history(impl_->entries, &event, H_ENTER, text.c_str());
  if (impl_->file.empty()) return;
  const mode_t before = umask(077);
  history(impl_->entries, &event, H_SAVE, impl_->file.c_str());
  umask(before);
}

#else  // built without libedit: the terminal's own editing, and no history

struct LineReader::Impl {};

LineReader::LineReader(std::string, bool (*)()) : impl_(new Impl) {}

TypedLine LineReader::read(const std::string& prompt, std::string& line) {
  std::fputs(prompt.c_str(), stdout);
  std::fflush(stdout);
  line.clear();
  for (;;) {
    char c = 0;
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) return TypedLine::cancelled;
    if (n <= 0) return line.empty() ? TypedLine::end : TypedLine::line;
    if (c == '\n') return TypedLine::line;
    line += c;
  }
}

void LineReader::remember(const std::string&) {}

#endif

LineReader::~LineReader() = default;

}  // namespace tailcap::cli
