// Overwrites the values of credential fields in the header blocks of one direction of an HTTP/2 connection.
//
// Lengths are kept, in the code and decoded: a reader's header compression stays in step, and the fields read as asterisks or
// zeros. Where a value in Huffman code is cut between two calls, the one character that the cut divides stays as it is.
// Which fields of the dynamic table are credentials is followed; what is unknown counts as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::capture {

class HeaderBlockMask {
 public:
  struct Edit {
    std::size_t at = 0;
    char byte = 0;
  };

  // `preface`: bytes of the client's preface that are still to come.
  explicit HeaderBlockMask(std::size_t preface = 0) : preface_(preface) {}

  // Goes over the next bytes of the stream, the first of which has number `base` in the edits that are appended. Stops
  // where it gets lost: returns how many bytes it understood.
  std::size_t scan(std::string_view bytes, std::size_t base, std::vector<Edit>& edits);
  // Bytes that were moved, but cannot be seen.
  void skip(std::uint64_t n);

  // Where frames begin is not known: nothing of this direction may be shown until resume().
  bool lost() const { return lost_; }
  void lose() { lost_ = true; }
  // A frame begins here, whatever was before.
  void resume();
  // Whether these bytes look like the beginning of a frame.
  static bool frame_begins(std::string_view bytes);

 private:
  enum class Part : std::uint8_t { header, pad_length, prefix, fragment, rest };
  enum class Field : std::uint8_t { start, index, name_length, name, value_length, value };

  void begin_frame();
  void next_part();
  std::size_t scan_fragment(std::string_view bytes, std::size_t base, std::vector<Edit>& edits);
  void begin_field(std::uint8_t byte);
  void begin_integer(std::uint8_t byte, unsigned prefix_bits, Field then);
  void integer_done();
  void name_byte(char c);
  void end_value();
  void overwrite(std::string_view bytes, std::size_t base, std::vector<Edit>& edits);
  void overwrite_coded(std::string_view bytes, std::size_t base, std::vector<Edit>& edits);

  std::size_t preface_ = 0;
  bool lost_ = false;

  Part part_ = Part::header;
  unsigned char header_[9] = {};
  std::size_t have_ = 0;       // of the header
  std::uint32_t left_ = 0;     // of the payload
  std::uint32_t prefix_ = 0;   // of what comes before the fragment
  std::uint32_t padding_ = 0;
  bool end_headers_ = false;

  Field field_ = Field::start;
  std::uint64_t number_ = 0;
  unsigned shift_ = 0;
  bool in_integer_ = false;
  bool adds_ = false;      // the field enters the dynamic table
  bool indexed_ = false;   // the integer names a whole field
  bool secret_ = false, coded_ = false;
  std::uint64_t string_left_ = 0;
  std::string name_;            // as it is coded, as far as it could be a credential's
  std::deque<bool> entries_;    // of the dynamic table, the newest first: whether it is a credential
  std::uint64_t window_ = 0;    // of a value in Huffman code: the bits of a character that the bytes before began
  unsigned window_bits_ = 0;
};

}  // namespace tailcap::capture
