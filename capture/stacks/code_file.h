// A file that targets execute, and the names of its functions.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "capture/scan/mapped_file.h"
#include "capture/scan/opener.h"
#include "capture/stacks/frame_texts.h"
#include "capture/stacks/scripts/language.h"
#include "capture/stacks/unwind_tables.h"
#include "capture/symbols/code_names.h"
#include "capture/symbols/perf_map.h"
#include "capture/symbols/source/source_lines.h"

namespace tailcap::capture::stacks {

// As long as one exists, processes map its file.
struct CodeUse {};

// What was read of a file.
struct ReadCode {
  explicit ReadCode(bool all) : ready(all), settled(all) {}

  // A table for each reading of lines, of the compilation units that it was for.
  using LineTables = std::vector<std::shared_ptr<const symbols::SourceLines>>;
  std::shared_ptr<const symbols::SourceLines> lines(std::uint64_t address) const;  // null: its unit was not read yet
  LineTables line_tables() const;
  void set_lines(LineTables tables);

  std::atomic<bool> ready, settled;
  std::atomic<bool> reads_lines = false, has_all_lines = false;  // now; no more will be read
  // Owned by the reading thread until ready.
  scan::Identity identity;  // of what was read; inode 0: nothing was
  std::optional<symbols::CodeNames> names;
  std::optional<symbols::ScriptPrograms> scripts;
  std::optional<symbols::PerfMap> made;  // it is no file, but code that a process made at run time, by address
  std::string build_id;                  // in hexadecimal digits; empty: none
  // Owned by the reading thread until settled.
  std::optional<symbols::CodeNames> separate;  // of a file with debug information
  // The reading threads own these.
  std::vector<std::uint64_t> asked;  // addresses of whose units lines were read
  scan::Identity separate_file;      // which was found; its build-id need not be read again
  bool has_rules = true;             // as far as is known
  std::weak_ptr<const UnwindTable> table;

  std::uint64_t memory() const;  // bytes, about

 private:
  mutable std::mutex mutex_;
  LineTables lines_;
};

class CodeFile {
 public:
  // label: the name of places without a name. mapped: the file that will be read.
  explicit CodeFile(std::string label, std::optional<scan::MappedFile> mapped = std::nullopt)
      : label_(std::move(label)), mapped_(std::move(mapped)), own_(std::make_shared<ReadCode>(!mapped_)) {}

  // Its functions have the names that they can have.
  bool ready() const { return read().ready.load(std::memory_order_acquire); }
  // Also those of separate debug information.
  bool settled() const { return read().settled.load(std::memory_order_acquire); }
  // It is settled, and lines of the place can be read still.
  bool lacks_lines(std::uint64_t file_offset);
  bool reads_lines() const { return read().reads_lines.load(std::memory_order_acquire); }
  // The name of a place, as written in a stack; the label while it is not ready.
  const std::string& name(std::uint64_t file_offset);
  // The functions there, the innermost first: those that the compiler has put into that one, and that one.
  const std::vector<CodeFrame>& frames(std::uint64_t file_offset);
  // Where names can be added later; null: nowhere, or nothing is missing.
  const CodeAddress* place(std::uint64_t file_offset);
  // It is jit-PID.dump: names of code that the process makes at run time (symbols/perf_map.h).
  bool dump() const;
  // The place is in the function that executes code of this language, whose frames the kernel program can read.
  bool interprets(const ScriptLanguage& language, std::uint64_t file_offset) {
    return name(file_offset) == language.interpreter ||
           (language.executes && ready() && read().scripts && language.executes(*read().scripts, file_offset));
  }

 private:
  friend class CodeFiles;
  friend class MadeCode;
  ReadCode& read() const { return *(is_same_.load(std::memory_order_acquire) ? same_ : own_); }
  // Reading each file once more for interpreters would take long; the others have one where names find it.
  bool called_interpreter() const;
  bool names_interpreter() const;
  bool has(const ScriptLanguage& language) const;
  bool has_interpreter() const;  // as far as was read
  bool reads(const ScriptLanguage& language) const {
    return read().scripts && language.process(*read().scripts, 0).has_value();
  }

  struct Told {
    std::string name;
    std::vector<CodeFrame> frames;  // empty: not asked for yet
    bool lined = false;             // what is known of its lines is all that will be
  };
  Told& told(std::uint64_t file_offset);
  bool has_all_lines(std::uint64_t file_offset) const;
  std::string name_of(std::uint64_t file_offset) const;

  std::string label_;
  const std::optional<scan::MappedFile> mapped_;  // none: it is the vDSO, or what the kernel names like that
  const std::shared_ptr<ReadCode> own_;
  // Where it turned out that this is a file that was read before.
  std::shared_ptr<ReadCode> same_;
  std::atomic<bool> is_same_ = false;
  std::shared_ptr<CodeFile> earlier_;  // it had the device and the inode before; the reading thread owns this
  // The one that asks owns these.
  std::unordered_map<std::uint64_t, Told> told_;
  bool told_when_settled_ = false;
  std::vector<CodeFrame> unread_;  // the label alone
  CodeAddress place_;
  std::weak_ptr<const CodeUse> use_;  // of the processes that map it
};

}  // namespace tailcap::capture::stacks
