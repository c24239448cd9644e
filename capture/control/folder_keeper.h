// Gives the finished capture its name in a folder that belongs to another user.
//
// Root gives up the capability for that when recording begins (capture/host/privileges.h). A process of our own keeps
// it and nothing else; it knows three names from its beginning and takes orders about those only: the capture gets its
// name, the partial file goes, the control socket goes. It ends with the recorder.
#pragma once

#include <string>

namespace tailcap::capture {

class FolderKeeper {
 public:
  // Whether the folder of `file` can only be written with a capability that this process has now and gives up.
  static bool needed_for(const std::string& file);

  // Forks. Call it while there are no threads. Throws std::system_error.
  explicit FolderKeeper(const std::string& file);
  ~FolderKeeper();
  FolderKeeper(const FolderKeeper&) = delete;
  FolderKeeper& operator=(const FolderKeeper&) = delete;

  // FILE.partial becomes FILE. 0, or errno.
  int give_name(bool replace);
  // FILE.control or FILE.partial goes. 0, or errno.
  int remove_control();
  int remove_partial();

 private:
  int order(char what);

  int socket_ = -1;
  int pid_ = -1;
};

}  // namespace tailcap::capture
