// A service that logs with slog: PORT text|json LOG. GET /TRUTH; the line says TRUTH.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"
)

func main() {
	file, err := os.Create(os.Args[3])
	if err != nil {
		panic(err)
	}
	var handler slog.Handler = slog.NewTextHandler(file, nil)
	if os.Args[2] == "json" {
		handler = slog.NewJSONHandler(file, nil)
	}
	logger := slog.New(handler)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(3 * time.Millisecond)
		logger.Warn("work "+r.URL.Path[1:], "request_id", r.Header.Get("X-Request-Id"), "pid", os.Getpid())
		w.Write([]byte("ok"))
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
