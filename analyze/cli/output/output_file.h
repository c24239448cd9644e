// Writes a result to a file that appears whole or not at all.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tailcap::cli {

// A result that is written piece by piece.
//
// Replaces `path` ("" and "-": standard output). The file gets the permissions of `capture` at most, since it holds the
// same paths and names. Never written over, through or into: a capture, whether it was read or not, the name that a
// running recording will take, a symbolic link, a file of another kind; throws std::runtime_error then, and
// std::system_error where it cannot be written. Devices, pipes and sockets that this process was given (/dev/stdout,
// /dev/fd/N) are written to, as are devices and pipes that belong to root or to this user.
class OutputFile {
 public:
  enum class Over { no_capture, packs };  // packs: also over a zip archive with a capture in it
  OutputFile(const std::string& path, const std::string& capture, Over over = Over::no_capture);
  ~OutputFile();  // removes what was not finished
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view content);
  // The name under which a regular file is being written; empty: it is none.
  std::string partial() const;
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// To a person at a terminal: that the file at `path` was written, and how large it is. "" and "-" are none.
void say_written(const std::string& path);

// While it lives, say_written() says nothing: the files are parts of another result.
class Unsaid {
 public:
  Unsaid();
  ~Unsaid();
  Unsaid(const Unsaid&) = delete;
  Unsaid& operator=(const Unsaid&) = delete;
};

// A result at once. Says so unless it is one of many.
enum class Several : bool { no, yes };
void write_file(const std::string& path, std::string_view content, const std::string& capture,
                Several several = Several::no);

}  // namespace tailcap::cli
